"""What imperfect devices cost, as numbers."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lightweights.report.comparisons import compared_column
from lightweights.report.measures import significant
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from . import SWEEPS
from .sweeps import (
    CLAIMED,
    CONTROL,
    LABELS,
    REFERENCE,
    VARIED,
    device_of,
    drop,
    drops_by_seed,
    name_of,
    noise_runs,
    regenerated_column,
    regenerated_drop,
    sweep,
    sweep_drops,
    value_of,
)
from .tables import base_of


@dataclass(frozen=True)
class Worst:
    """Of the published sweeps: points, the worst of them and its drop, intervals below the bound, the highest end and where; the fewest and
    the most seeds of a point, and how many points have fewer than the most.
    """

    points: int
    where: str
    drop: Summary
    below: int
    highest: tuple[str, float] | None
    fewest: int
    most: int
    short: int


@dataclass(frozen=True)
class Untrained:
    """The published sweeps met at generation only: points, how many have a mean loss above the bound, how many an interval that lies wholly
    above it, the least and the largest loss.
    """

    points: int
    above: int
    wholly: int
    least: tuple[str, Summary]
    most: tuple[str, Summary]


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
    generated: list[tuple[str, Summary]]
    """Devices at generation only whose interval lies wholly above 0, the largest loss first."""
    devices: int
    """Devices that were tried at generation only."""
    unready: list[tuple[str, Summary]]
    """Devices whose noise training under it withstands better than training without, by the interval: points gained, the most first."""
    paired: int
    """Devices that both were measured on."""
    mean_drop: Summary | None
    """Over seeds, of each seed's mean over the points of the published sweeps."""
    untrained: Untrained | None


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    runs, column = results.runs, compared_column(results.runs)
    scores = results.scores[(results.scores.chapter == "noise") & (results.scores.n > 0)]
    again = regenerated_drop(runs, "base")
    alone = [found for _, group in noise_runs(runs, CONTROL) if (found := drop(runs, group, column)).n]
    devices = devices_met(runs)
    gains = sorted(((device.where, device.gained) for device in devices if device.gained.n > 2), key=lambda item: -item[1].mean)
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
        generated=[(device.where, device.lost) for device in devices if device.lost.n > 2 and device.lost.low > 0],
        devices=len(devices),
        unready=[(where, gained) for where, gained in gains if gained.low > 0],
        paired=len(gains),
        mean_drop=mean_drop(runs, column),
        untrained=untrained(devices),
        late={value: [float(accuracy) for accuracy in late[value][column]] for value in sorted(late)},
    )


@dataclass(frozen=True)
class Met:
    """An imperfect device that weights trained without noise meet when they are generated.

    ``lost``: points against generating them without noise. ``gained``: accuracy of weights trained under the device's noise minus that of
    these, paired by seed.
    """

    name: str
    where: str
    published: bool
    lost: Summary
    gained: Summary


def devices_met(runs: pd.DataFrame) -> list[Met]:
    """Every device that noise was varied to and that generated weights trained without noise, the largest loss first."""
    clean, column = runs[runs.experiment == REFERENCE].set_index("seed"), compared_column(runs)
    found = []
    for experiment in VARIED:
        for _, group in noise_runs(runs, experiment):
            value = value_of(group, experiment)
            name, where = device_of(experiment, value), f"{LABELS[name_of(experiment)].lower()} {significant(value, 6)}"
            lost = regenerated_drop(runs, name)
            if lost.n:
                regenerated = clean[regenerated_column(name)]
                gained = summarise((group.set_index("seed")[column] - regenerated).dropna())
                found.append(Met(name, where, experiment in SWEEPS, lost, gained))
    return sorted(found, key=lambda device: -device.lost.mean)


def mean_drop(runs: pd.DataFrame, column: str) -> Summary | None:
    """The drop over all points of the published sweeps, whose points share their seeds: one mean a seed; None without any."""
    points = [group for experiment in SWEEPS for _, group in noise_runs(runs, experiment)]
    drops = pd.DataFrame([drops_by_seed(runs, group, column) for group in points])
    whole = drops.mean().where(drops.notna().all()).dropna() if len(drops) else pd.Series(dtype=float)
    return summarise(whole) if len(whole) else None


def untrained(devices: list[Met]) -> Untrained | None:
    """The published sweeps among devices that are met at generation only; None without any."""
    lost = [(device.name, device.lost) for device in devices if device.published]
    if not lost:
        return None
    above, wholly = sum(found.mean > CLAIMED for _, found in lost), sum(found.low > CLAIMED for _, found in lost)
    return Untrained(len(lost), above, wholly, lost[-1], lost[0])


def worst_of(points: dict[str, Summary]) -> Worst | None:
    """The worst point of the sweeps; None without any."""
    if not points:
        return None
    where, worst = max(points.items(), key=lambda point: point[1].mean)
    highs = {name: found.high for name, found in points.items() if found.n > 1}
    below, widest = sum(high < CLAIMED for high in highs.values()), max(highs, key=highs.__getitem__, default="")
    highest = (widest, highs[widest]) if widest and below < len(points) else None
    seeds = [found.n for found in points.values()]
    most = max(seeds)
    return Worst(len(points), where, worst, below, highest, min(seeds), most, sum(n < most for n in seeds))
