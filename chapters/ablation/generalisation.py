"""Is the growing gap the photons', or that of any generator with so many numbers? From histories of all arms, and of ordinary methods.

A gap in nats grows with training once the training loss is small, while accuracy stays; so beside the gap at the end stand the test loss at
its best round, and the gap where the training loss first falls to one value for all.
"""

import math
from dataclasses import dataclass

import pandas as pd

from lightweights.report.comparisons import compared_column
from lightweights.report.measures import set_name
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, span, summarise
from lightweights.report.table import Table, short_cell
from lightweights.study.collect import IDENTITY

from .arms import arm_label, main_arms

EQUAL_LOSS = 0.2
"""Nats of training cross-entropy at which gaps are compared."""
ORDINARY = {"low_rank": "low rank", "tensor_train": "tensor train", "hypernetwork": "hypernetwork"}
"""Generators without photons that other experiments train."""
QUANTITIES = {
    "gap": ("Gap at the end\n(nats)", "generalisation_error"),
    "best_loss": ("Test loss at its\nbest round (nats)", "generalisation_error"),
    "gap_at_equal_loss": (f"Gap at training loss\n{EQUAL_LOSS} (nats)", "generalisation_error"),
    "accuracy": ("Test accuracy (%)", "accuracy_percent"),
}


def generalisation_of_runs(results: Results) -> pd.DataFrame:
    """One row a run: ``family arm numbers`` (effective) and ``gap best_loss gap_at_equal_loss accuracy``, the third NaN where training
    never comes so far. Families: the arms at their rounds, and ordinary methods at their epochs.
    """
    arms = results.of("ablation", "quantum_train")
    arms = arms[arms.arm.isna() | arms.arm.isin(main_arms(arms.arm.dropna()))]
    runs = pd.concat([arms, results.of(*ORDINARY)])
    if runs.empty:
        return pd.DataFrame(columns=[*IDENTITY, "family", "arm", "length", "numbers", *QUANTITIES])
    column, histories = compared_column(results.runs), results.history(runs)
    name = column.removesuffix("_accuracy_percent")
    by_run = {key: part for key, part in histories.groupby(IDENTITY, sort=False)}
    rows = []
    for run in runs.itertuples():
        history = by_run[run.experiment, run.variant, run.seed].dropna(subset=[f"{name}_cross_entropy"])
        gap = history[f"{name}_cross_entropy"] - history.train_cross_entropy
        reached = gap[history.train_cross_entropy <= EQUAL_LOSS]
        arm = ORDINARY.get(run.experiment, run.arm if isinstance(run.arm, str) else "photonic")
        length = f"{run.epochs:.0f} epochs" if run.experiment in ORDINARY else f"{run.rounds:.0f} rounds"
        rows.append(
            {"experiment": run.experiment, "variant": run.variant, "seed": run.seed, "family": f"{arm}, {length}", "arm": arm}
            | {"length": length, "numbers": float(run.parameters_trained_effective)}
            | {"gap": gap.iloc[-1], "best_loss": history[f"{name}_cross_entropy"].min()}
            | {"gap_at_equal_loss": reached.iloc[0] if len(reached) else math.nan, "accuracy": history[column].iloc[-1]}
        )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Capacity:
    """Gaps of trained photons and of the mapping alone at their smallest and largest size, and photons' gaps at equal training loss from
    the smallest size that reaches it to the largest, with what the second has more (``growth``), paired by seed.
    """

    ends: dict[str, tuple[int, Summary, int, Summary]]
    equal: tuple[int, Summary, int, Summary] | None
    growth: Summary | None
    best: tuple[int, Summary, int, Summary]
    loss: float
    rounds: str
    """Of the arms whose gaps at both ends are told beside each other."""


def capacity(results: Results) -> Capacity | None:
    """What the gap does with size; None without runs at the full schedule and at that of the arms."""
    runs = generalisation_of_runs(results)
    photons, alone = runs[runs.experiment == "quantum_train"], runs[runs.arm == "mps-only"] if len(runs) else runs
    if photons.empty or alone.empty:
        return None
    beside = runs[(runs.experiment == "ablation") & (runs.arm == "photonic")]
    if beside.empty:
        return None
    ends = {"photons": _ends(beside, "gap"), "mps-only": _ends(alone, "gap")}
    reached = photons.groupby("variant").filter(lambda part: bool(part.gap_at_equal_loss.notna().all()))
    equal = growth = None
    if len(reached):
        sizes, equal = _by_size(reached), _ends(reached, "gap_at_equal_loss")
        growth = paired_by_seed(sizes[-1], sizes[0], "gap_at_equal_loss")[0]
    rounds = alone.length.iloc[0].removesuffix(" rounds")
    return Capacity(ends, equal, growth, _ends(photons, "best_loss"), EQUAL_LOSS, rounds)


def _by_size(runs: pd.DataFrame) -> list[pd.DataFrame]:
    """The variants' runs, from the fewest effective numbers to the most."""
    return sorted((part for _, part in runs.groupby("variant")), key=lambda part: part.numbers.mean())


def _ends(runs: pd.DataFrame, name: str) -> tuple[int, Summary, int, Summary]:
    sizes = _by_size(runs)
    first, last = sizes[0], sizes[-1]
    return round(first.numbers.mean()), summarise(first[name]), round(last.numbers.mean()), summarise(last[name])


def generalisation_table(results: Results) -> Table | None:
    """The means over seeds by arm and size; None without runs."""
    runs = generalisation_of_runs(results)
    if runs.empty:
        return None
    rows, cells = [], []
    for (family, variant), part in runs.groupby(["family", "variant"], sort=False):
        first = part.iloc[0]
        row = {"family": family, "variant": variant, "numbers": part.numbers.mean(), "n": len(part)}
        label = first.arm if first.experiment in ORDINARY else arm_label(first.arm)
        cell = {"Arm": f"{label}, {first.length}", "Effective\nnumbers": f"{row['numbers']:.0f}", "n": str(len(part))}
        for name, (heading, quantity) in QUANTITIES.items():
            found = summarise(part[name])
            row |= found.columns(f"{name}_")
            cell[heading] = short_cell(found, quantity) + (f" ({found.n} of {len(part)})" if 0 < found.n < len(part) else "")
        rows.append(row)
        cells.append(cell)
    caption = (
        f"Bond dimension against generalisation, from histories ({set_name(compared_column(results.runs))}): mean ± sd (ddof = 1) over "
        f"{span(row['n'] for row in rows)} seeds. Gap: test minus training cross-entropy. Test loss at its best round: chosen on the test "
        "set, so a lower bound on what stopping early would give. Gap at equal training loss: where training first falls to "
        f"{EQUAL_LOSS:g} nats; a dash where it never does."
    )
    return Table("generalisation_by_arm", caption, pd.DataFrame(rows), pd.DataFrame(cells))
