"""What imperfect devices cost: accuracy lost against the same schedule without noise, seed by seed, and what devices deliver in time.

A drop is the accuracy without noise minus that with noise, on the same test set, of runs with the same seed and schedule.
"""

import math
from collections.abc import Iterator

import pandas as pd
import torch

from lightweights.params import PhotonicsSection, Run, Study
from lightweights.photonics import Circuit, Hardware, MeasuredCircuit, Noise
from lightweights.photonics.shots import heralding_table
from lightweights.quantum_train import smallest_circuits
from lightweights.study.ablation import measure_of, signed_interval
from lightweights.study.devices import hardware_of
from lightweights.study.scorecard_words import FAILS, HOLDS, OPEN
from lightweights.study.statistics import Summary, paired_difference, summarise
from lightweights.study.tables import NOTHING, Table, format_number, summary_cell

REFERENCE, CONTROL = "noise_none", "noise_mps_only"
SWEEPS = {f"noise_{name}": f"photonics.noise.{name}" for name in ("brightness", "indistinguishability", "g2", "transmittance")}
"""The published sweeps: experiment and the setting that it varies."""
OPEN_QUESTIONS = {f"noise_{name}": f"photonics.noise.{name}" for name in ("phase_error", "phase_imprecision", "splitter_bias")}
"""What the sources leave open."""
VARIED = SWEEPS | OPEN_QUESTIONS | {"noise_cycles": "photonics.cycles", "noise_staleness": "photonics.staleness"}
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
SHOTS = 10_000
"""Heralded cycles that the table of rates asks for: the probabilities' errors are then about 1 % of the whole."""
PHASE_DRAWS = 5
"""Random phases that computed numbers are averaged over."""


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


def sweep(runs: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """One row a value of the varied setting, in order: ``value``, and summaries in columns ``drop`` and ``regenerated``."""
    setting = VARIED[experiment]
    name = setting.rsplit(".", 1)[-1]
    rows = []
    for _, group in noise_runs(runs, experiment):
        value = group[setting].iloc[0] if setting in group else None
        if value is None or pd.isna(value):
            continue
        row = {"value": float(value), "drop": drop(runs, group, measure_of(runs))}
        rows.append(row | {"regenerated": regenerated_drop(runs, f"{name}={float(value):g}"), "accuracy": summarise(group[measure_of(runs)])})
    return pd.DataFrame(rows, columns=["value", "drop", "regenerated", "accuracy"]).sort_values("value", ignore_index=True)


def worst_drop(runs: pd.DataFrame, column: str) -> tuple[Summary, str, str]:
    """The largest mean drop over the published sweeps, whether all drops stay below the claimed bound, and the reason in words.

    ``holds`` if the intervals of all points lie below it, ``fails`` if one lies wholly above, else ``open``.
    """
    points = [(variant, drop(runs, group, column)) for experiment in SWEEPS for variant, group in noise_runs(runs, experiment)]
    points = [(variant, found) for variant, found in points if found.n]
    if not points:
        return summarise([]), OPEN, "no runs of this setting"
    where, worst = max(points, key=lambda point: point[1].mean)
    below = [found.high < CLAIMED for _, found in points]
    verdict = HOLDS if all(below) else FAILS if any(found.low >= CLAIMED for _, found in points) else OPEN
    why = (
        f"worst of {len(points)} points of the four sweeps, at {where.split(',')[0]}, drop against the same schedule without noise and the "
        f"same seeds; the 95 % intervals of {sum(below)} of {len(points)} points lie below {CLAIMED:g}"
    )
    return worst, verdict, why


def noise_table(runs: pd.DataFrame) -> Table | None:
    """Every noise experiment: accuracy, what is lost by training under noise, and by noise at generation alone; None without runs."""
    column = measure_of(runs)
    rows, cells = [], []
    for experiment in (REFERENCE, CONTROL, *VARIED, *OTHERS):
        for variant, group in noise_runs(runs, experiment):
            own, lost = summarise(group[column]), drop(runs, group, column)
            varied = variant.split(",")[: 2 if experiment in OTHERS else 1] if experiment not in (REFERENCE, CONTROL) else []
            again = regenerated_drop(runs, varied[0]) if len(varied) == 1 else summarise([])
            if varied and experiment in VARIED and VARIED[experiment] in group:
                name = VARIED[experiment].rsplit(".", 1)[-1]
                again = regenerated_drop(runs, f"{name}={float(group[VARIED[experiment]].iloc[0]):g}")
            row = {"experiment": experiment, "variant": variant, "quantity": column, "n": own.n, "mean": own.mean, "sd_ddof1": own.sd}
            row |= {"ci95_low": own.low, "ci95_high": own.high}
            row |= {"drop_n": lost.n, "drop_mean": lost.mean, "drop_ci95_low": lost.low, "drop_ci95_high": lost.high}
            row |= {"regenerated_drop_n": again.n, "regenerated_drop_mean": again.mean}
            rows.append(row | {"regenerated_drop_ci95_low": again.low, "regenerated_drop_ci95_high": again.high})
            label = {REFERENCE: "no noise", CONTROL: "MPS only (no photons)"}.get(experiment, ", ".join(varied).replace("_", " "))
            cell = {"Varied": label, "n": str(own.n), "Test accuracy (%)": summary_cell(own, column)}
            cell["Lost, trained\nunder noise (points)"] = _signed(lost, column) if experiment != REFERENCE else NOTHING
            cells.append(cell | {"Lost, noise at\ngeneration only (points)": _signed(again, column) if again.n else NOTHING})
    if not rows:
        return None
    caption = (
        "Imperfect devices. One parameter varies, the others stay at brightness 0.6, indistinguishability 0.95, g2 0.02, transmittance 0.7, "
        "with threshold detectors, unless named; a cycle counts when exactly N modes click. Points lost against the same schedule without "
        "noise, paired by seed, mean [95 % t interval]; negative: gained. At generation only: trained without noise, the weights then "
        "generated by the noisy device. MPS only shows what is left without photons."
    )
    return Table("noise", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def _signed(summary: Summary, column: str) -> str:
    return signed_interval(pd.Series({"mean": summary.mean, "ci95_low": summary.low, "ci95_high": summary.high}), column) if summary.n else NOTHING


# Computed from the settings, without runs


def typical_circuits(study: Study) -> list[tuple[Circuit, list[torch.Tensor]]]:
    """The study's circuits, each with some random phases."""
    shapes = smallest_circuits(6690) if study.photonics.circuits == "auto" else study.photonics.circuits
    draws, states = torch.Generator().manual_seed(0), study.photonics.input_state
    found = []
    for number, (modes, photons) in enumerate(shapes):
        state = states if isinstance(states, str) else states[number]
        circuit = Circuit(modes, photons, study.photonics.mesh, state)
        found.append((circuit, [circuit.random_phases(draws, torch.float64) for _ in range(PHASE_DRAWS)]))
    return found


def devices_of(study: Study) -> dict[str, PhotonicsSection]:
    """The devices of the published sweeps, each once, by what is varied."""
    found: dict[str, PhotonicsSection] = {}
    for run in study.runs():
        if run.experiment in SWEEPS and run.settings.photonics is not None:
            found.setdefault(_varied_part(run), run.settings.photonics)
    return found


def _varied_part(run: Run) -> str:
    return run.variant.split(",")[0]


def heralding(study: Study) -> Table | None:
    """Rates of heralded cycles and times to collect shots on each device of the sweeps; None where the study has no such device."""
    devices = devices_of(study)
    if not devices:
        return None
    clock = study.study.clock_mhz * 1e6
    rows, cells = [], []
    for name, section in devices.items():
        hardware = hardware_of(section)
        assert hardware is not None
        cell = {"Device": name.replace("_", " ")}
        for circuit, drawn in typical_circuits(study):
            measured = MeasuredCircuit(circuit, Hardware(hardware.noise, hardware.detectors, hardware.post_selection))
            herald = sum(measured.herald(phases) for phases in drawn) / len(drawn)
            told = heralding_table({name: herald}, clock, SHOTS).iloc[0]
            label = f"({circuit.modes}, {circuit.photons})"
            rows.append({"device": name, "modes": circuit.modes, "photons": circuit.photons, "clock_hz": clock, "shots": SHOTS} | dict(told[1:]))
            cell[f"{label}: herald\nper cycle"] = f"{herald:.2g}"
            cell[f"{label}: heralded\nper second"] = f"{told.rate_hz:,.0f}"
            cell[f"{label}: ms for\n{SHOTS:,} shots"] = f"{1e3 * told.seconds:.3g}"
        cells.append(cell)
    caption = (
        f"What devices deliver at a clock of {study.study.clock_mhz:g} MHz: probability that a clock cycle is heralded (exactly N modes "
        f"click), heralded cycles a second, and the time to collect {SHOTS:,} of them; means over {PHASE_DRAWS} random settings of the "
        "phases. Brightness and transmittance act here, as about (B T)^N. Switching and settling of phases come on top."
    )
    return Table("heralding", caption, pd.DataFrame(rows), pd.DataFrame(cells))


ALONE: dict[str, Hardware] = {
    "brightness 0.2": Hardware(Noise(brightness=0.2)),
    "transmittance 0.4": Hardware(Noise(transmittance=0.4)),
    "brightness 0.2, transmittance 0.4": Hardware(Noise(brightness=0.2, transmittance=0.4)),
    "g2 0.1, number-resolving detectors": Hardware(Noise(g2=0.1), "pnr"),
    "g2 0.1, threshold detectors": Hardware(Noise(g2=0.1)),
    "g2 0.1, transmittance 0.4, number-resolving": Hardware(Noise(g2=0.1, transmittance=0.4), "pnr"),
    "g2 0.1, transmittance 0.4, threshold": Hardware(Noise(g2=0.1, transmittance=0.4)),
    "indistinguishability 0.95": Hardware(Noise(indistinguishability=0.95)),
    "all typical": Hardware(Noise(brightness=0.6, indistinguishability=0.95, g2=0.02, transmittance=0.7)),
}
"""Devices that show which imperfection changes the post-selected distribution at all."""


def alone_table(study: Study) -> Table:
    """Total variation between the post-selected distributions of imperfect and perfect devices: zero for losses alone."""
    rows, cells = [], []
    perfect = {id(circuit): MeasuredCircuit(circuit, Hardware()) for circuit, _ in typical_circuits(study)}
    assert perfect
    for name, hardware in ALONE.items():
        cell = {"Device": name}
        for circuit, drawn in typical_circuits(study):
            ideal, device = MeasuredCircuit(circuit, Hardware()), MeasuredCircuit(circuit, hardware)
            found = [float((device(phases) - ideal(phases)).abs().sum() / 2) for phases in drawn]
            mean, most = sum(found) / len(found), max(found)
            rows.append({"device": name, "modes": circuit.modes, "photons": circuit.photons, "mean": mean, "largest": most})
            cell[f"({circuit.modes}, {circuit.photons}): total variation\nmean (largest)"] = f"{_small(mean)} ({_small(most)})"
        cells.append(cell)
    caption = (
        "Brightness alone, transmittance alone, and both together (g2 = 0) leave the post-selected distribution exactly as it is: every "
        "heralded cycle has N photons that all survived, whatever the chance of it. They act through the number of shots, and together "
        "with second photons (g2). Total variation between what the imperfect and the perfect device tell, over "
        f"{PHASE_DRAWS} random settings of the phases; a cycle counts when exactly N modes click."
    )
    return Table("noise_alone", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def _small(value: float) -> str:
    return "0" if value < 1e-12 else f"{value:.2g}"


def evaluations(runs: pd.DataFrame) -> int:
    """How often each circuit is asked in a training: once for the mapping, at each phase step, and once to measure, in every round."""
    first = runs.iloc[0]
    steps = first["schedule.phase_steps"] if "schedule.phase_steps" in runs and not pd.isna(first["schedule.phase_steps"]) else math.nan
    return int(first.rounds * (2 + steps)) if not math.isnan(steps) else 0


def told(summary: Summary, column: str) -> str:
    """A drop in words: mean and interval."""
    if math.isnan(summary.low):
        return format_number(summary.mean, column)
    return f"{format_number(summary.mean, column)} [{format_number(summary.low, column)}, {format_number(summary.high, column)}]"
