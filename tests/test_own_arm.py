"""Arms of one's own: named by the settings, built like the others, trained and counted honestly."""

from pathlib import Path

import pytest
import torch
from torch import nn

from lightweights import MPS, QuantumTrain
from lightweights.settings.base import SettingsError
from lightweights.settings.study import parse_study

MODULE = """
import torch
from lightweights.mapping import Arm

class Ramp(Arm):
    phases_matter = False
    def __init__(self, weight_count, factors, generator):
        super().__init__(weight_count)
        self.slope = torch.nn.Parameter(torch.randn(2, generator=generator))
    def forward(self, factors):
        return self.slope[0] + self.slope[1] * torch.arange(self.weight_count)

class Tinted(Arm):
    def __init__(self, weight_count, factors, generator):
        super().__init__(weight_count)
        self.tint = torch.nn.Parameter(torch.ones(1))
    def forward(self, factors):
        return self.tint * super().forward(factors)

def nothing(weight_count, factors, generator):
    return torch.ones(weight_count)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a fresh module in the working folder."""
    name = f"arm_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return name


def generated_by(arm: str) -> QuantumTrain:
    return QuantumTrain(nn.Linear(5, 4), [(5, 2), (4, 2)], MPS(bond_dim=2), arm=arm)


def test_its_numbers_stand_in_the_photons_place_and_are_trained(module: str):
    generated = generated_by(f"{module}:Ramp")
    slope = generated.arm.slope
    torch.testing.assert_close(generated.probabilities(), slope[0] + slope[1] * torch.arange(24))
    assert [parameter is slope for parameter in generated.trained_beside_mapping()] == [True]


def test_its_parameters_are_counted_and_phases_that_it_does_not_use_are_not(module: str):
    counts = generated_by(f"{module}:Ramp").parameter_counts()
    assert {counts[f"phases_{way}"] for way in ("published", "used", "effective")} == {2}
    assert counts["trained_used"] == counts["mapping"] + 2


def test_one_that_uses_the_photons_counts_their_phases_besides_its_own(module: str):
    own, photonic = generated_by(f"{module}:Tinted").parameter_counts(), generated_by("photonic").parameter_counts()
    for way in ("published", "used", "effective"):
        assert own[f"phases_{way}"] == photonic[f"phases_{way}"] + 1


def test_what_is_no_arm_is_refused_by_name(module: str):
    with pytest.raises(SettingsError, match=rf"photonics.arm = '{module}:nothing' gave Tensor; expected a lightweights.mapping.Arm"):
        generated_by(f"{module}:nothing")
    with pytest.raises(SettingsError, match="cannot be imported"):
        generated_by(f"{module}:absent")


def test_a_study_takes_it_under_every_schedule():
    experiment = {"method": "quantum_train", "seeds": [0], "vary": {"schedule": ["gradient", "spsa"]}}
    study = parse_study({"photonics": {"arm": "mine:Ramp"}, "experiments": {"own": experiment}})
    assert [run.settings.photonics.arm for run in study.runs() if run.settings.photonics] == ["mine:Ramp"] * 2
