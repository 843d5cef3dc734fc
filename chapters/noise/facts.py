"""What imperfect devices cost, as numbers."""

from dataclasses import dataclass
from typing import Any

from lightweights.report.comparisons import compared_column
from lightweights.report.results import Results
from lightweights.report.statistics import Summary

from .sweeps import CLAIMED, CONTROL, drop, noise_runs, regenerated_drop, sweep, sweep_drops, value_of
from .tables import base_of


@dataclass(frozen=True)
class Worst:
    """Of the published sweeps: points, the worst of them and its drop, intervals below the bound, the highest end and where."""

    points: int
    where: str
    drop: Summary
    below: int
    highest: tuple[str, float] | None


@dataclass(frozen=True)
class Facts:
    """The column that is compared, the claimed bound, and drops in points, by what is imperfect; what was not run is empty or None.

    ``late``: accuracies of each seed, in the order of seeds, by the rounds that probabilities come late.
    """

    column: str
    bound: float
    judged: list[Any]
    worst: Worst | None
    base: str
    regenerated: Summary | None
    control: Summary | None
    cycles: dict[float, Summary]
    late: dict[float, list[float]]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    runs, column = results.runs, compared_column(results.runs)
    scores = results.scores[(results.scores.chapter == "noise") & (results.scores.n > 0)]
    again = regenerated_drop(runs, "base")
    alone = [found for _, group in noise_runs(runs, CONTROL) if (found := drop(runs, group, column)).n]
    late = {value_of(group, "noise_staleness"): group.sort_values("seed") for _, group in noise_runs(runs, "noise_staleness")}
    return Facts(
        column=column,
        bound=CLAIMED,
        judged=list(scores.itertuples()),
        worst=worst_of(sweep_drops(runs, column)),
        base=base_of(runs),
        regenerated=again if again.n else None,
        control=alone[0] if alone else None,
        cycles={float(row.value): row.drop for row in sweep(runs, "noise_cycles").itertuples() if row.drop.n},
        late={value: [float(accuracy) for accuracy in late[value][column]] for value in sorted(late)},
    )


def worst_of(points: dict[str, Summary]) -> Worst | None:
    """The worst point of the sweeps; None without any."""
    if not points:
        return None
    where, worst = max(points.items(), key=lambda point: point[1].mean)
    highs = {name: found.high for name, found in points.items() if found.n > 1}
    below, widest = sum(high < CLAIMED for high in highs.values()), max(highs, key=highs.__getitem__, default="")
    highest = (widest, highs[widest]) if widest and below < len(points) else None
    return Worst(len(points), where, worst, below, highest)
