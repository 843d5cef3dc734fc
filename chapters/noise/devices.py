"""What devices deliver, computed from a study's settings without any run: rates, times, and which imperfection changes anything at all."""

import pandas as pd
import torch

from lightweights.methods.devices import circuits_of, hardware_of
from lightweights.photonics import Circuit, Hardware, MeasuredCircuit, Noise
from lightweights.photonics.shots import heralding_table
from lightweights.quantum_train import smallest_circuits
from lightweights.report.measures import significant
from lightweights.report.table import Table
from lightweights.settings.photonics import PhotonicsSection
from lightweights.settings.study import Study

from . import SWEEPS

SHOTS = 10_000
"""Heralded cycles that the table of rates asks for: the probabilities' errors are then about 1 % of the whole."""
PAPER_WEIGHTS = 6690
PHASE_DRAWS = 5
"""Random phases that computed numbers are averaged over."""


def typical_circuits(study: Study) -> list[tuple[Circuit, list[torch.Tensor]]]:
    """The study's circuits, each with some random phases."""
    shapes = smallest_circuits(PAPER_WEIGHTS) if study.photonics.circuits == "auto" else study.photonics.circuits
    draws = torch.Generator().manual_seed(0)
    return [
        (circuit, [circuit.random_phases(draws, torch.float64) for _ in range(PHASE_DRAWS)])
        for circuit in circuits_of(study.photonics, shapes)
    ]


def devices_of(study: Study) -> dict[str, PhotonicsSection]:
    """The devices of the published sweeps, each once, by what is varied."""
    found: dict[str, PhotonicsSection] = {}
    for run in study.runs():
        if run.experiment in SWEEPS and run.settings.photonics is not None:
            found.setdefault(run.variant.split(",")[0], run.settings.photonics)
    return found


def heralding_rates(study: Study) -> Table | None:
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
            draws = torch.Generator().manual_seed(0)
            herald = sum(measured.herald(phases, draws) for phases in drawn) / len(drawn)
            told = heralding_table({name: herald}, clock, SHOTS).iloc[0]
            label = f"({circuit.modes}, {circuit.photons})"
            rows.append(
                {"device": name, "modes": circuit.modes, "photons": circuit.photons, "clock_hz": clock, "shots": SHOTS} | dict(told[1:])
            )
            cell[f"{label}: herald\nper cycle"] = f"{herald:.2g}"
            cell[f"{label}: heralded\nper second"] = f"{told.rate_hz:,.0f}"
            cell[f"{label}: ms for\n{SHOTS:,} shots"] = significant(1e3 * told.seconds, 3)
        cells.append(cell)
    caption = (
        f"What devices deliver at a clock of {study.study.clock_mhz:g} MHz: probability that a clock cycle is heralded (exactly N modes "
        f"click), heralded cycles a second, and the time to collect {SHOTS:,} of them; means over {PHASE_DRAWS} random settings of the "
        "phases. One parameter as named, the others as in the noise experiments of params.yaml. Brightness and transmittance act here, "
        "as about (B T)^N. Switching and settling of phases come on top."
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
    "brightness 0.6, indistinguishability 0.95, g2 0.02, transmittance 0.7": Hardware(
        Noise(brightness=0.6, indistinguishability=0.95, g2=0.02, transmittance=0.7)
    ),
}
"""Devices that show which imperfection changes the post-selected distribution at all."""


def alone_table(study: Study) -> Table:
    """Total variation between the post-selected distributions of imperfect and perfect devices: zero for losses alone."""
    rows, cells = [], []
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
