"""Arms of the ablation compared seed by seed, as the analysis plan fixes it."""

from collections import Counter
from collections.abc import Iterable

import pandas as pd

from lightweights.report.comparisons import MARGIN, SMALLEST_N, compared_column, with_words
from lightweights.report.statistics import paired_difference, tost
from lightweights.settings.study import Study
from lightweights.study.collect import flatten

from . import ASKED_APART

REFERENCES = ("mps-only", "product-free")
MAIN_ARMS = ("photonic", "photonic-frozen", "product-free", "distinguishable", "gaussian-matched", "mps-only")
"""In the order of figures: the photons first, the reference last."""
CHANCE = 10.0
"""Percent of ten classes that guessing gets right."""
COLLAPSED = 20.0
"""Percent below which an accuracy on ten classes counts as collapsed."""
ARM_LABELS = {
    "photonic": "photons, trained",
    "photonic-frozen": "photons, frozen",
    "mps-only": "MPS only (P = 1)",
    "product-free": "free product vectors",
    "distinguishable": "distinguishable photons",
    "distinguishable-matched": "distinguishable photons, spread matched",
    "classical-light": "classical light, as many effective numbers",
    "classical-light-used": "classical light, as many numbers",
    "gaussian-fixed": "Gaussian, fixed",
    "gaussian-matched": "Gaussian, matched",
    "dirichlet-fixed": "Dirichlet, fixed",
    "gaussian-resampled": "Gaussian, new each step",
    "paper-random": "paper's random inputs",
    "photonic-unnormalised": "photons, unnormalised",
    "gaussian-unnormalised": "Gaussian, unnormalised",
}


def in_order(arms: Iterable[str]) -> list[str]:
    """The arms in the order of the labels, users' own ones after them."""
    asked = set(arms)
    return [arm for arm in ARM_LABELS if arm in asked] + sorted(asked - set(ARM_LABELS))


def main_arms(arms: Iterable[str]) -> list[str]:
    """Those of the arms that figures compare: the main ones, then users' own."""
    asked = set(arms)
    return [arm for arm in MAIN_ARMS if arm in asked] + sorted(asked - set(ARM_LABELS))


def arm_label(arm: str) -> str:
    """An arm in words; one of a user's own by its name."""
    return ARM_LABELS.get(arm, arm)


def arm_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Exploratory runs with perfect devices that name an arm, with a column ``setting``: one number for all that they share besides it."""
    named = runs[runs.arm.notna() & ~runs.experiment.str.startswith("noise_") & ~runs.experiment.isin(ASKED_APART)]
    shared = ["dataset", "network", "bond_dim", "protocol", "rounds", "mapping_epochs"]
    shared += [name for name in named if name.split(".")[0] in ("dataset", "network", "photonics", "mapping", "schedule") and "." in name]
    return named.assign(setting=named.groupby(shared, dropna=False, sort=True).ngroup())


def compare_arms(runs: pd.DataFrame, reference: str, last10: bool = False) -> pd.DataFrame:
    """Each arm minus ``reference`` under the same settings and seeds, after the last round or by the mean of the last 10 rounds.

    Columns: ``bond_dim rounds arm reference quantity n mean sd_ddof1 ci95_low ci95_high p p_holm p_equivalence word``; Holm's correction
    runs over all rows of enough pairs. Rows by bond dimension, then in the order of the arms.
    """
    named, column = arm_runs(runs), f"{'last10_' if last10 else ''}{compared_column(runs)}"
    rows = []
    for _, group in named.groupby("setting"):
        values = {arm: part.set_index("seed")[column] for arm, part in group.groupby("arm")}
        if reference not in values:
            continue
        for arm in [arm for arm in in_order(values) if arm != reference]:
            difference, p = paired_difference(values[arm], values[reference])
            if not difference.n:
                continue
            rows.append(
                {"bond_dim": group.bond_dim.iloc[0], "rounds": group.rounds.iloc[0], "arm": arm, "reference": reference, "quantity": column}
                | difference.columns()
                | {"p": p, "p_equivalence": tost(difference, MARGIN)}
            )
    names = ["bond_dim", "rounds", "arm", "reference", "quantity", "n", "mean", "sd_ddof1", "ci95_low", "ci95_high", "p", "p_equivalence"]
    return with_words(pd.DataFrame(rows, columns=names))


def differences_asked(study: Study, reference: str) -> int:
    """How many differences to one reference a whole study has pairs enough for: those that Holm's correction will run over."""
    runs, seeds = study.runs(), Counter[tuple[str, str]]()
    of_variant = Counter((run.experiment, run.variant) for run in runs)
    for (experiment, variant), settings in {(run.experiment, run.variant): run.settings for run in runs}.items():
        if experiment.startswith("noise_") or experiment in ASKED_APART or settings.photonics is None or not settings.photonics.says("arm"):
            continue
        shared = {name: value for name, value in flatten(settings).items() if name != "photonics.arm"}
        seeds[str(shared), settings.photonics.arm] += of_variant[experiment, variant]
    enough = {key for key, n in seeds.items() if n >= SMALLEST_N}
    return sum(arm != reference and (shared, reference) in enough for shared, arm in enough)
