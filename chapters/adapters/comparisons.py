"""Differences of nats a token, paired by seed, and the words of the analysis plan."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from lightweights.report.comparisons import with_words
from lightweights.report.measures import NOTHING
from lightweights.report.statistics import Summary, one_sided, paired_by_seed, tost

VALUE = "test_nats"
"""The column that arms are compared by; less is better."""
MARGIN = 0.02
"""Nats within which two arms count as equivalent, and by which an arm may be worse and yet not inferior."""
BUDGETS = (512, 1376, 4264)
CEILING = 8192
"""Numbers of all adapters."""
PHOTONIC = "photonic"
LABELS = {
    "photonic": "photons",
    "mps-only": "mapping alone",
    "product-free": "free product vectors",
    "classical-light": "classical light",
    "distinguishable": "distinguishable photons",
    "photonic-frozen": "frozen photons",
    "gaussian-fixed": "fixed random numbers",
    "lora": "LoRA",
    "subspace": "random subspace",
    "vera": "VeRA",
    "low-rank": "low rank",
    "affine": "QPA's map without angles",
    "affine-angles": "QPA's map with angles",
}
"""What the arms are called, in the order of tables."""
EXPERIMENTS = ("adapters_primary", "adapters_published", "adapters_controls")
PRIMARY = ("mps-only", "lora", "subspace")
"""What the plan subtracts from the photons."""


@dataclass(frozen=True)
class Contrast:
    """One arm minus another, each with its budget."""

    arm: str
    minus: str
    budget: int
    minus_budget: int


CONTRASTS = tuple(Contrast(PHOTONIC, other, budget, budget) for budget in BUDGETS for other in PRIMARY)
SECONDARY = (
    *(Contrast(PHOTONIC, other, budget, budget) for budget in BUDGETS for other in LABELS if other not in (PHOTONIC, *PRIMARY)),
    *(Contrast("affine-angles", "affine", budget, budget) for budget in BUDGETS),
    *(Contrast(arm, "lora", budget, CEILING) for arm in (PHOTONIC, "affine-angles") for budget in BUDGETS),
)
"""Told with intervals, without words."""


def of_arm(runs: pd.DataFrame, arm: str, budget: int) -> pd.DataFrame:
    """The runs of an arm at a budget, by seed; none where it was not run."""
    if "adapter.arm" not in runs or VALUE not in runs:
        return runs.iloc[:0]
    experiments = ("adapters_ceiling",) if budget == CEILING else EXPERIMENTS
    own = runs[runs.experiment.isin(experiments) & (runs["adapter.arm"] == arm)]
    if budget != CEILING:
        own = own[own["adapter.budget"] == budget]
    return own.sort_values("seed")


def differences(runs: pd.DataFrame) -> pd.DataFrame:
    """The plan's contrasts, a row each that has pairs: Holm's correction runs over all of them."""
    table = _rows(runs, CONTRASTS)
    return with_words(table) if len(table) else table.assign(p_holm=[], word=[])


def secondary(runs: pd.DataFrame) -> pd.DataFrame:
    """Contrasts that the plan does not name, with intervals alone."""
    return _rows(runs, SECONDARY).assign(p_holm=math.nan, word=NOTHING)


def highest(found: Summary) -> float:
    """The upper one-sided 95 % bound of a difference: below the margin the first arm is not inferior."""
    return one_sided(found)[1]


def paired(runs: pd.DataFrame, contrast: Contrast) -> tuple[Summary, float]:
    """A contrast over the seeds that both arms have, and p of the paired t test."""
    one, other = of_arm(runs, contrast.arm, contrast.budget), of_arm(runs, contrast.minus, contrast.minus_budget)
    if one.empty or other.empty:
        return Summary(0, math.nan, math.nan, math.nan, math.nan), math.nan
    return paired_by_seed(one, other, VALUE)


def _rows(runs: pd.DataFrame, contrasts: Iterable[Contrast]) -> pd.DataFrame:
    rows = []
    for contrast in contrasts:
        found, p = paired(runs, contrast)
        if found.n:
            row = {"budget": contrast.budget, "arm": contrast.arm, "minus": contrast.minus, "minus_budget": contrast.minus_budget}
            row |= {"quantity": VALUE, **found.columns(), "highest": highest(found), "p": p, "p_equivalence": tost(found, MARGIN)}
            rows.append(row)
    columns = ["budget", "arm", "minus", "minus_budget", "quantity", "n", "mean", "sd_ddof1", "ci95_low", "ci95_high", "highest"]
    return pd.DataFrame(rows, columns=[*columns, "p", "p_equivalence"])
