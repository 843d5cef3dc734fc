"""One circuit on one device, to look at: its distribution, how often it is heralded, how far it is from the ideal, and its drawing."""

import math
from pathlib import Path

import torch

from lightweights.files import write_atomic
from lightweights.methods.devices import backend_of, hardware_of
from lightweights.photonics import Circuit, Hardware, MeasuredCircuit
from lightweights.photonics.backends import BackendError, imported, perceval_circuit
from lightweights.report.figure import BLUE, TWO_COLUMNS, VERMILLION, Figure, render
from lightweights.settings.base import SettingsError
from lightweights.settings.photonics import PhotonicsSection
from lightweights.settings.study import parse_study
from lightweights.settings.yaml_file import named_values

SHOWN = 10
"""Outcomes that are printed, the most probable first."""
LARGEST = 20_000
"""Outcomes of a circuit that is looked at: all of them are computed."""
LONGEST = 200
"""Outcomes that are drawn at most, in their order; more would be a smear."""


def section_of(modes: int, photons: int, mesh: str, input_state: str, noise: list[str], **device: object) -> PhotonicsSection:
    """The settings of a probe; ``noise`` lists ``name=value``. Raises SettingsError naming what cannot be."""
    values = named_values("--noise", noise)
    photonics = {"circuits": [[modes, photons]], "mesh": mesh, "input_state": input_state, "noise": values or None, **device}
    return parse_study({"photonics": photonics}, "probe").photonics


def probe(section: PhotonicsSection, seed: int, clock_mhz: float) -> tuple[str, Circuit, dict[str, torch.Tensor]]:
    """What to print, the circuit, and the distributions by name: ``ideal``, ``device``, and ``phases``. Raises SettingsError for circuits
    that cannot be, or are too large to look at.
    """
    modes, photons = section.circuits[0]  # type: ignore[misc]
    if (count := math.comb(modes, photons)) > LARGEST:
        raise SettingsError(f"--modes {modes} --photons {photons}: {count:,} outcomes; at most {LARGEST:,} can be looked at: use fewer")
    try:
        return _probed(section, modes, photons, seed, clock_mhz)
    except ValueError as error:
        raise SettingsError(f"--modes {modes} --photons {photons}: {error}") from error


def _probed(
    section: PhotonicsSection, modes: int, photons: int, seed: int, clock_mhz: float
) -> tuple[str, Circuit, dict[str, torch.Tensor]]:
    circuit = Circuit(modes, photons, section.mesh, section.input_state)  # type: ignore[arg-type]
    draws = torch.Generator().manual_seed(seed)
    phases = circuit.random_phases(draws, torch.float64)
    hardware = hardware_of(section) or Hardware()
    device, before = MeasuredCircuit(circuit, hardware), draws.get_state()
    ideal, told = MeasuredCircuit(circuit, Hardware())(phases), device(phases, draws)
    draws.set_state(before)  # the same errors of the phases again
    answer = answered(section, circuit, phases)
    herald, rate = device.herald(phases, draws), 1e6 * clock_mhz
    order = told.argsort(descending=True)[:SHOWN].tolist()
    outcomes = circuit.outcomes()
    lines = [
        f"{photons} photons in {modes} modes, mesh {section.mesh}, entering modes {_modes(circuit.inputs)}; {len(outcomes)} outcomes",
        f"heralded: {herald:.3g} of the clock cycles, {herald * rate:,.0f} a second at {clock_mhz:g} MHz",
        f"time for 10,000 heralded cycles: {1e4 / (herald * rate):.3g} s",
        f"total variation from the ideal: {float((told - ideal).abs().sum() / 2):.4f}",
        *([f"counted: {hardware.cycles:,} clock cycles, about {hardware.cycles * herald:,.0f} heralded"] if hardware.cycles else []),
        *(
            [f"{section.backend}: total variation from our device {float((answer - told).abs().sum() / 2):.4f}"]
            if answer is not None
            else []
        ),
        "",
    ]
    columns = {"device": told, "ideal": ideal} | ({} if answer is None else {str(section.backend): answer})
    width = max(15, 3 * photons)
    lines.append(f"{'clicks in modes':<{width}}" + "".join(f"  {name:>{max(8, len(name))}}" for name in columns))
    for k in order:
        numbers = (f"  {float(column[k]):{max(8, len(name))}.4f}" for name, column in columns.items())
        lines.append(f"{_modes(outcomes[k]):<{width}}" + "".join(numbers))
    if len(outcomes) > SHOWN:
        lines.append(f"and {len(outcomes) - SHOWN} more, together {float(told.sum() - told[order].sum()):.4f}")
    return "\n".join(lines), circuit, {"ideal": ideal, "device": told, "phases": phases}


def answered(section: PhotonicsSection, circuit: Circuit, phases: torch.Tensor) -> torch.Tensor | None:
    """The distribution given the herald that a backend tells; None without one. Raises SettingsError where it gives no answer."""
    if section.backend is None:
        return None
    try:
        backend = backend_of(section)
        assert backend is not None
        told = backend.ask(circuit, phases).double()
    except BackendError as error:
        raise SettingsError(f"--backend {section.backend}: {error}") from error
    return told / told.sum()


def draw_distribution(circuit: Circuit, found: dict[str, torch.Tensor], path: Path) -> None:
    """Write the distributions as a figure; the kind is that of the file's name: pdf, svg or png."""
    kind = _kind(path)
    figure = Figure(figsize=(TWO_COLUMNS, 2.4), layout="constrained")
    axis = figure.subplots()
    count = min(len(found["ideal"]), LONGEST)
    axis.bar(range(count), found["ideal"][:count].tolist(), width=0.9, color=BLUE, alpha=0.45, label="ideal")
    axis.plot(range(count), found["device"][:count].tolist(), linestyle="none", marker="_", markersize=4, color=VERMILLION, label="device")
    of = "" if count == len(found["ideal"]) else f" (the first {count} of {len(found['ideal'])})"
    axis.set(xlabel=f"Outcome, in lexicographic order{of}", ylabel="Probability given the herald")
    axis.legend(frameon=False)
    write_atomic(path, render(figure, kind))


def draw_circuit(circuit: Circuit, phases: torch.Tensor, path: Path) -> None:
    """Write the circuit as Perceval draws it: svg, png or pdf."""
    _kind(path)
    pcvl = imported("perceval", "photonics", "perceval-quandela")
    path.parent.mkdir(parents=True, exist_ok=True)
    pcvl.pdisplay_to_file(perceval_circuit(circuit, phases), str(path), output_format=pcvl.Format.MPLOT)


def _kind(path: Path) -> str:
    kind = path.suffix.removeprefix(".")
    if kind not in ("pdf", "svg", "png"):
        raise SettingsError(f"{path}: expected a name that ends in .pdf, .svg or .png")
    return kind


def _modes(modes: object) -> str:
    return ",".join(str(mode) for mode in modes)  # type: ignore[attr-defined]
