"""What imperfect devices cost, as numbers."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lightweights.report.comparisons import compared_column, trained_apart
from lightweights.report.measures import significant
from lightweights.report.results import Results
from lightweights.report.statistics import CONFIDENCE, Summary, holm, paired_difference

from . import SWEEPS
from .sweeps import (
    CLAIMED,
    CONTROL,
    JUDGED,
    LABELS,
    REFERENCE,
    VARIED,
    beyond,
    device_of,
    drop,
    mean_drop,
    name_of,
    noise_runs,
    regenerated_column,
    regenerated_drop,
    sweep,
    sweep_drops,
    value_of,
    without_noise,
)
from .tables import base_of


@dataclass(frozen=True)
class Worst:
    """Of the published sweeps: points, the worst of them and its drop, how many one-sided 95 % upper bounds lie below the claimed one, and
    the others, the highest first; the fewest and the most seeds of a point, and how many points have fewer than the most.
    """

    points: int
    where: str
    drop: Summary
    below: int
    beyond: list[tuple[str, float]]
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
    control: dict[str, Summary]
    """What the mapping alone loses, on the column that is compared and on that of the published bound."""
    cycles: dict[float, Summary]
    late: dict[float, list[float]]
    generated: list[tuple[str, Summary]]
    """Devices at generation only whose interval lies wholly above 0, the largest loss first."""
    devices: int
    """Devices that were tried at generation only."""
    unready: list[tuple[str, Summary, bool]]
    """Devices whose noise training under it withstands better than training without, by the interval: points gained, and whether Holm's
    correction over all devices leaves it; the most first.
    """
    paired: int
    """Devices that both were measured on."""
    mean_drop: Summary | None
    """Over seeds, of each seed's mean over the points of the published sweeps."""
    untrained: Untrained | None
    apart: dict[str, tuple[int, int]]
    """Of the published sweeps and of the mapping alone: pairs that were trained on different kinds of machine, and pairs."""

    @property
    def control_open(self) -> bool:
        """Whether the claimed bound lies within each interval of what the mapping alone loses."""
        return all(lost.low <= CLAIMED <= lost.high for lost in self.control.values())


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    runs, column = results.runs, compared_column(results.runs)
    scores = results.scores[(results.scores.chapter == "noise") & (results.scores.n > 0)]
    again = regenerated_drop(runs, "base")
    columns = [name for name in dict.fromkeys((column, JUDGED)) if name in runs]
    alone = {name: found for name in columns for _, group in noise_runs(runs, CONTROL) if (found := drop(runs, group, name)).n}
    devices = devices_met(runs)
    paired = sorted((device for device in devices if device.gained.n > 2), key=lambda device: -device.gained.mean)
    survives = holm([device.p_gained for device in paired]) < 1 - CONFIDENCE
    gains = [(device.where, device.gained, bool(left)) for device, left in zip(paired, survives, strict=True)]
    late = {value_of(group, "noise_staleness"): group.sort_values("seed") for _, group in noise_runs(runs, "noise_staleness")}
    return Facts(
        column=column,
        bound=CLAIMED,
        judged=list(scores.itertuples()),
        worst=worst_of(sweep_drops(runs, column)),
        base=base_of(runs),
        regenerated=again if again.n else None,
        control=alone,
        cycles={float(row.value): row.drop for row in sweep(runs, "noise_cycles").itertuples() if row.drop.n},
        generated=[(device.where, device.lost) for device in devices if device.lost.n > 2 and device.lost.low > 0],
        devices=len(devices),
        unready=[gain for gain in gains if gain[1].low > 0],
        paired=len(gains),
        mean_drop=mean_drop(runs, column),
        untrained=untrained(devices),
        apart={name: found for name in (*SWEEPS, CONTROL) if (found := pairs_apart(runs, name))[0]},
        late={value: [float(accuracy) for accuracy in late[value][column]] for value in sorted(late)},
    )


def pairs_apart(runs: pd.DataFrame, experiment: str) -> tuple[int, int]:
    """How many pairs of an experiment's runs with those without noise were trained on different kinds of machine, of how many."""
    groups = [(group, without_noise(runs, group)) for _, group in noise_runs(runs, experiment)]
    return sum(trained_apart(group, clean) for group, clean in groups), sum(
        int(group.seed.isin(clean.seed).sum()) for group, clean in groups
    )


@dataclass(frozen=True)
class Met:
    """An imperfect device that weights trained without noise meet when they are generated.

    ``lost``: points against generating them without noise. ``gained``: accuracy of weights trained under the device's noise minus that of
    these, paired by seed, with the p value of the t test.
    """

    name: str
    where: str
    published: bool
    lost: Summary
    gained: Summary
    p_gained: float


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
                gained = paired_difference(group.set_index("seed")[column], clean[regenerated_column(name)])
                found.append(Met(name, where, experiment in SWEEPS, lost, *gained))
    return sorted(found, key=lambda device: -device.lost.mean)


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
    over = beyond(points, CLAIMED)
    seeds = [found.n for found in points.values()]
    most = max(seeds)
    return Worst(len(points), where, worst, sum(n > 1 for n in seeds) - len(over), over, min(seeds), most, sum(n < most for n in seeds))
