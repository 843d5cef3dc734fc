"""What imperfect devices cost: accuracy lost against the same schedule without noise, seed by seed.

A drop is the accuracy without noise minus that with noise, on the same test set, of runs with the same seed and schedule.
"""

from collections.abc import Iterator

import pandas as pd

from lightweights.report.comparisons import compared_column
from lightweights.report.statistics import Summary, one_sided, summarise

from . import OPEN_QUESTIONS, SWEEPS

REFERENCE, CONTROL = "noise_none", "noise_mps_only"
VARIED = {**SWEEPS, **OPEN_QUESTIONS, "noise_cycles": "photonics.cycles", "noise_staleness": "photonics.staleness"}
"""Experiments that vary one setting, and which."""
OTHERS = {"noise_detectors": ("photonics.detectors",), "noise_map": ("photonics.noise.g2", "photonics.noise.transmittance")}
"""Experiments that vary another or several."""
LABELS = {
    "brightness": "Brightness",
    "indistinguishability": "Indistinguishability",
    "g2": "g2",
    "transmittance": "Transmittance",
    "phase_error": "Phase error (rad)",
    "phase_imprecision": "Phase imprecision (rad)",
    "splitter_bias": "Beam-splitter bias (rad)",
    "cycles": "Clock cycles",
    "staleness": "Rounds that probabilities come late",
}
CLAIMED = 3.0
"""Points: the published bound on the drop."""
JUDGED = "test600_accuracy_percent"
"""What the published bound is judged on."""


def noise_runs(runs: pd.DataFrame, experiment: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Variants of an experiment and their runs, in the order of params.yaml."""
    yield from ((str(variant), group) for variant, group in runs[runs.experiment == experiment].groupby("variant", sort=False))


def drop(runs: pd.DataFrame, group: pd.DataFrame, column: str) -> Summary:
    """Points that runs lose against those without noise and with the same seeds, rounds and bond dimension."""
    return summarise(drops_by_seed(runs, group, column))


def drops_by_seed(runs: pd.DataFrame, group: pd.DataFrame, column: str) -> pd.Series:
    """The same of every seed that has both."""
    return (without_noise(runs, group).set_index("seed")[column] - group.set_index("seed")[column]).dropna()


def without_noise(runs: pd.DataFrame, group: pd.DataFrame) -> pd.DataFrame:
    """The runs without noise that runs are compared with."""
    first = group.iloc[0]
    return runs[(runs.experiment == REFERENCE) & (runs.rounds == first.rounds) & (runs.bond_dim == first.bond_dim)]


def regenerated_column(device: str) -> str:
    """Where runs keep the accuracy of their weights generated anew by a device (``g2=0.1``)."""
    return f"photons_regenerated_{device}_accuracy_percent"


def regenerated_drop(runs: pd.DataFrame, device: str) -> Summary:
    """Points lost when weights that were trained without noise are generated anew by a device (``g2=0.1``)."""
    clean, column = runs[runs.experiment == REFERENCE], regenerated_column(device)
    if column not in clean:
        return summarise([])
    return summarise(clean[compared_column(runs)] - clean[column])


def name_of(experiment: str) -> str:
    """What an experiment varies, as devices call it: ``g2``."""
    return VARIED[experiment].rpartition(".")[2]


def value_of(group: pd.DataFrame, experiment: str) -> float:
    """The value of what an experiment varies in the runs of one variant."""
    return float(group[VARIED[experiment]].iloc[0])


def device_of(experiment: str, value: float) -> str:
    """The name of a device that differs from the base in what an experiment varies."""
    return f"{name_of(experiment)}={value:g}"


def sweep(runs: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """One row a value of the varied setting, in order: ``value``, and summaries in columns ``drop``, ``regenerated`` and ``accuracy``."""
    rows, column = [], compared_column(runs)
    for _, group in noise_runs(runs, experiment):
        value = value_of(group, experiment)
        row = {"value": value, "drop": drop(runs, group, column)}
        row["regenerated"] = regenerated_drop(runs, device_of(experiment, value))
        rows.append(row | {"accuracy": summarise(group[column])})
    return pd.DataFrame(rows, columns=["value", "drop", "regenerated", "accuracy"]).sort_values("value", ignore_index=True)


def sweep_drops(runs: pd.DataFrame, column: str) -> dict[str, Summary]:
    """The drop at every point of the published sweeps that was run, by what is varied (``g2=0.1``)."""
    groups = [(experiment, group) for experiment in SWEEPS for _, group in noise_runs(runs, experiment)]
    points = {f"{name_of(experiment)}={value_of(group, experiment):.12g}": drop(runs, group, column) for experiment, group in groups}
    return {name: found for name, found in points.items() if found.n}


def beyond(points: dict[str, Summary], bound: float) -> list[tuple[str, float]]:
    """Points whose one-sided 95 % upper bound does not lie below another bound, with theirs, the highest first."""
    highs = {name: one_sided(found)[1] for name, found in points.items()}
    return sorted(((name, high) for name, high in highs.items() if high >= bound), key=lambda item: -item[1])


def mean_drop(runs: pd.DataFrame, column: str) -> Summary | None:
    """The drop over all points of the published sweeps, whose points share their seeds: one mean a seed; None without any."""
    points = [group for experiment in SWEEPS for _, group in noise_runs(runs, experiment)]
    drops = pd.DataFrame([drops_by_seed(runs, group, column) for group in points])
    whole = drops.mean().where(drops.notna().all()).dropna() if len(drops) else pd.Series(dtype=float)
    return summarise(whole) if len(whole) else None
