"""`lightweights probe`: what it prints and draws of one circuit."""

import re
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from lightweights.cli import app
from lightweights.photonics import Circuit, Hardware, MeasuredCircuit, Noise
from lightweights.report.probe import probe, section_of
from lightweights.settings.base import SettingsError

RUN = CliRunner()


def test_it_prints_rate_distance_and_distribution() -> None:
    arguments = ["probe", "--modes", "5", "--photons", "2", "--noise", "brightness=0.5", "--noise", "indistinguishability=0", "--seed", "4"]
    text = RUN.invoke(app, arguments).output
    circuit = Circuit(5, 2)
    phases = circuit.random_phases(torch.Generator().manual_seed(4), torch.float64)
    device = MeasuredCircuit(circuit, Hardware(Noise(brightness=0.5, indistinguishability=0.0)))
    ideal = circuit(phases) / circuit(phases).sum()
    distance = float((device(phases) - ideal).abs().sum() / 2)
    assert f"total variation from the ideal: {distance:.4f}" in text
    assert f"{device.herald(phases) * 80e6:,.0f} a second at 80 MHz" in text
    rows = [line.split() for line in text.splitlines() if re.match(r"\d,\d ", line)]
    assert len(rows) == 10
    shown = {tuple(int(mode) for mode in row[0].split(",")): float(row[1]) for row in rows}
    for outcome, probability in zip(circuit.outcomes(), device(phases).tolist(), strict=True):
        assert shown[outcome] == pytest.approx(probability, abs=6e-5)


def test_it_draws_the_distribution_and_the_circuit(tmp_path: Path) -> None:
    drawn = [tmp_path / "distribution.svg", tmp_path / "circuit.svg"]
    arguments = ["probe", "--modes", "4", "--photons", "2", "--cycles", "100000", "--figure", str(drawn[0]), "--circuit", str(drawn[1])]
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "counted: 100,000 clock cycles" in result.output
    assert all("<svg" in path.read_text()[:1000] for path in drawn)


def test_the_rate_is_that_of_the_device_that_is_shown() -> None:
    section = section_of(5, 2, "notebook", "spaced", ["phase_error=1.5"])
    text, circuit, found = probe(section, 3, 80.0)
    draws = torch.Generator().manual_seed(3)
    phases = circuit.random_phases(draws, torch.float64)
    joint, herald = MeasuredCircuit(circuit, Hardware(Noise(phase_error=1.5))).noisy.per_cycle(phases, draws)
    assert torch.allclose(found["device"], joint / herald)
    assert f"heralded: {float(herald):.3g} of the clock cycles" in text


@pytest.mark.parametrize(("modes", "photons"), [(16, 8), (24, 12)])
def test_circuits_too_large_to_look_at_are_refused(modes: int, photons: int) -> None:
    with pytest.raises(SettingsError, match=f"--modes {modes} --photons {photons}: .* use fewer"):
        probe(section_of(modes, photons, "notebook", "spaced", []), 0, 80.0)


@pytest.mark.parametrize(
    ("noise", "message"), [(["g2"], "expected name=value"), (["g2=1.5"], "g2"), (["dark=1"], "no such setting"), (["g2=much"], "g2")]
)
def test_noise_that_cannot_be_is_refused(noise: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        section_of(5, 2, "notebook", "spaced", noise)
