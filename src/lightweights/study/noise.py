"""What imperfect devices cost: accuracy lost against the same schedule without noise, seed by seed.

A drop is the accuracy without noise minus that with noise, on the same test set, of runs with the same seed and schedule.
"""

from collections.abc import Iterator

import pandas as pd

from lightweights.study.ablation import measure_of, signed_summary
from lightweights.study.statistics import Summary, paired_difference, summarise
from lightweights.study.tables import NOTHING, Table, summary_cell

REFERENCE, CONTROL = "noise_none", "noise_mps_only"
SWEEPS = ("noise_brightness", "noise_indistinguishability", "noise_g2", "noise_transmittance")
"""The published sweeps."""
OPEN_QUESTIONS = ("noise_phase_error", "noise_phase_imprecision", "noise_splitter_bias")
"""What the sources leave open."""
VARIED = (*SWEEPS, *OPEN_QUESTIONS, "noise_cycles", "noise_staleness")
"""Experiments that vary one number."""
OTHERS = ("noise_detectors", "noise_map")
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


def noise_runs(runs: pd.DataFrame, experiment: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Variants of an experiment and their runs, in the order of params.yaml."""
    yield from ((str(variant), group) for variant, group in runs[runs.experiment == experiment].groupby("variant", sort=False))


def drop(runs: pd.DataFrame, group: pd.DataFrame, column: str) -> Summary:
    """Points that runs lose against those without noise and with the same seeds, rounds and bond dimension."""
    first = group.iloc[0]
    clean = runs[(runs.experiment == REFERENCE) & (runs.rounds == first.rounds) & (runs.bond_dim == first.bond_dim)]
    return paired_difference(clean.set_index("seed")[column], group.set_index("seed")[column])[0]


def regenerated_drop(runs: pd.DataFrame, device: str) -> Summary:
    """Points lost when weights that were trained without noise are generated anew by a device (``g2=0.1``)."""
    clean, column = runs[runs.experiment == REFERENCE], f"photons_regenerated_{device}_accuracy_percent"
    if column not in clean:
        return summarise([])
    return summarise(clean[measure_of(runs)] - clean[column])


def varied_value(variant: str) -> tuple[str, float]:
    """Name and value of what a variant of a sweep varies, which comes first in its name."""
    name, _, value = variant.split(",")[0].partition("=")
    return name, float(value)


def sweep(runs: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """One row a value of the varied setting, in order: ``value``, and summaries in columns ``drop``, ``regenerated`` and ``accuracy``."""
    rows, column = [], measure_of(runs)
    for variant, group in noise_runs(runs, experiment):
        name, value = varied_value(variant)
        row = {"value": value, "drop": drop(runs, group, column), "regenerated": regenerated_drop(runs, f"{name}={value:g}")}
        rows.append(row | {"accuracy": summarise(group[column])})
    return pd.DataFrame(rows, columns=["value", "drop", "regenerated", "accuracy"]).sort_values("value", ignore_index=True)


def sweep_drops(runs: pd.DataFrame, column: str) -> dict[str, Summary]:
    """The drop at every point of the published sweeps that was run, by what is varied (``g2=0.1``)."""
    points = {v.split(",")[0]: drop(runs, group, column) for experiment in SWEEPS for v, group in noise_runs(runs, experiment)}
    return {name: found for name, found in points.items() if found.n}


def noise_table(runs: pd.DataFrame) -> Table | None:
    """Every noise experiment: accuracy, what is lost by training under noise, and by noise at generation alone; None without runs."""
    column = measure_of(runs)
    rows, cells = [], []
    for experiment in (REFERENCE, CONTROL, *VARIED, *OTHERS):
        for variant, group in noise_runs(runs, experiment):
            own, lost = summarise(group[column]), drop(runs, group, column)
            again, label = summarise([]), {REFERENCE: "no noise", CONTROL: "MPS only (no photons)"}.get(experiment, "")
            if experiment in VARIED:
                name, value = varied_value(variant)
                again, label = regenerated_drop(runs, f"{name}={value:g}"), f"{name} {value:g}".replace("_", " ")
            elif not label:
                label = ", ".join(variant.split(",")[:2]).replace("_", " ").replace("=", " ")
            row = {"experiment": experiment, "variant": variant, "quantity": column} | own.columns()
            row |= {"drop_n": lost.n, "drop_mean": lost.mean, "drop_ci95_low": lost.low, "drop_ci95_high": lost.high}
            row |= {"regenerated_drop_n": again.n, "regenerated_drop_mean": again.mean}
            rows.append(row | {"regenerated_drop_ci95_low": again.low, "regenerated_drop_ci95_high": again.high})
            cell = {"Varied": label, "n": str(own.n), "Test accuracy (%)": summary_cell(own, column)}
            cell["Lost, trained\nunder noise (points)"] = signed_summary(lost, column) if experiment != REFERENCE else NOTHING
            cells.append(cell | {"Lost, noise at\ngeneration only (points)": signed_summary(again, column)})
    if not rows:
        return None
    caption = (
        "Imperfect devices. One parameter varies, the others stay at brightness 0.6, indistinguishability 0.95, g2 0.02, "
        "transmittance 0.7, with threshold detectors, unless named; a cycle counts when exactly N modes click. Points lost against the "
        "same schedule without noise, paired by seed, mean [95 % t interval]; negative: gained. At generation only: trained without noise, "
        "the weights then generated by the noisy device. MPS only shows what is left without photons."
    )
    return Table("noise", caption, pd.DataFrame(rows), pd.DataFrame(cells))
