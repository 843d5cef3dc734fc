"""The contract that every kind of run keeps, and what is told of a network, an arm or a data set of one's own that does not."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.record import NAMES, run_of, teacher_of
from torch import nn

from lightweights.datasets import Dataset, Series, Text, from_arrays, series_from_arrays, text_from_tokens, windows
from lightweights.errors import LightweightsError
from lightweights.mapping import Arm
from lightweights.methods import classical
from lightweights.methods.method import method_of
from lightweights.settings.base import SettingsError
from lightweights.settings.chapters import load_kinds
from lightweights.settings.runs import kinds
from lightweights.settings.study import parse_study
from lightweights.study import contract
from lightweights.study.contract import ContractError, check_own, check_run
from lightweights.training.state import Training

OTHERS = ("pruning", "magnitude_pruning", "low_rank", "tensor_train", "hypernetwork", "gate_qt")
"""Baselines that differ from another only in what is trained, which their golden runs hold."""


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("cobyla", *OTHERS)])
def test_every_kind_of_run_keeps_the_contract(name: str, tiny: Dataset) -> None:
    lines = list(check_run(run_of(name), tiny, teacher_of(name)))
    assert "killed after the first and taken up again it ends with the same bits" in lines and len(lines) == 4


def test_the_contract_covers_every_kind_of_run() -> None:
    own = {name for name, kind in kinds().items() if kind.trainer.startswith("lightweights.")}  # chapters' kinds have tests of their own
    assert {run_of(name).settings.method for name in NAMES} == own
    for name in NAMES:
        method = method_of(run_of(name).settings)
        assert all(callable(getattr(method, part)) for part in ("check", "begin", "advance", "tell"))


def test_kinds_of_run_of_chapters_have_the_four_functions_and_a_test_of_their_contract() -> None:
    load_kinds()
    brought = {name: kind for name, kind in kinds().items() if kind.trainer.startswith("chapters.")}
    sources = [file.read_text() for file in Path(__file__).parent.glob("test_*.py") if file != Path(__file__)]
    assert len(brought) >= 5
    for name, kind in brought.items():
        assert all(callable(getattr(import_module(kind.trainer), part)) for part in ("check", "begin", "advance", "tell"))
        assert any("check_run(run" in source and re.search(rf"[\"']{name}[\"']", source) for source in sources), name


def test_a_method_that_forgets_its_state_is_told(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def forgetful(training: Training, *arguments: object, **named: object) -> Iterator[dict[str, float]]:
        for row in advance(training, *arguments, **named):
            calls.append(row)
            with torch.no_grad():
                next(training.module.parameters()).add_(len(calls))
            yield row

    advance = classical.advance
    monkeypatch.setattr(classical, "advance", forgetful)
    with pytest.raises(ContractError, match=r"after a kill .* undisturbed it is"):
        list(check_run(run_of("classical"), tiny))


def test_a_method_that_draws_anew_when_it_tells_is_told(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    tell, draws = classical.tell, iter(range(10))

    def telling(*arguments: object) -> object:
        told = tell(*arguments)
        told.details["drawn"] = {"number": next(draws)}
        return told

    monkeypatch.setattr(classical, "tell", telling)
    with pytest.raises(ContractError, match="a second time gives others"):
        list(check_run(run_of("classical"), tiny))


class Counting(nn.Module):
    """A network whose outputs depend on how often it was called, which no state holds."""

    def __init__(self, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.layer, self.calls = nn.Linear(int(np.prod(input_shape)), classes), 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += self.training
        return self.layer(images.flatten(1)) * (1 + 0.01 * self.calls)


def small(input_shape: tuple[int, ...], classes: int, hidden: int = 4) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(input_shape)), hidden), nn.Tanh(), nn.Linear(hidden, classes))


class Waves(Arm):
    """One plus a cosine over the index of the weight."""

    phases_matter = False

    def __init__(self, weight_count: int, factors: object, generator: torch.Generator) -> None:
        super().__init__(weight_count)
        self.wave = nn.Parameter(torch.randn(2, generator=generator))

    def forward(self, factors: object) -> torch.Tensor:
        amplitude, frequency = self.wave
        return 1 + amplitude * torch.cos(frequency * torch.arange(self.weight_count) / 100)


def stripes(classes: int = 3, draws: int = 0) -> Dataset:
    pixels = np.random.default_rng(None if draws < 0 else draws)
    images = [(pixels.integers(0, 255, (count, 8, 8)), np.arange(count) % classes) for count in (60, 20)]
    return from_arrays("stripes", images[0], {"test": images[1]})


def unlike(images: torch.Tensor, labels: torch.Tensor) -> None: ...


HERE = Path(__file__).stem


def waves(steps: int = 4) -> Series:
    values = np.sin(np.arange(60) / 3)
    return series_from_arrays("waves", windows(values[:40], steps), {"test": windows(values[40:], steps)})


def words() -> Text:
    rows = ([[1, 2], [3], [2, 2, 4]], [0, 1, 0])
    return text_from_tokens("words", 5, 2, 4, rows, {"test": rows})


@pytest.mark.parametrize(("factory", "task"), [("waves", "series of (4, 1), 1 outputs"), ("words", "text of (4,), 2 outputs")])
def test_data_sets_of_other_tasks_are_checked_too(factory: str, task: str) -> None:
    lines = list(check_own(f"{HERE}:{factory}"))
    assert lines[0].endswith("is taken for a dataset") and lines[1].startswith(task)
    assert lines[-1].startswith("asked again it gives the same data")


def test_a_network_with_tied_weights_passes(tiny: Dataset) -> None:
    tree = {"dataset": {"name": "digits"}, "network": {"name": "tied_networks:tied"}, "schedules": {"classical": {"epochs": 2}}}
    run = parse_study(tree | {"experiments": {"direct": {"method": "classical", "seeds": [0]}}}).runs()[0]
    assert len(list(check_run(run, tiny))) == 4


@pytest.mark.parametrize(("factory", "kind"), [("small", "a network"), ("Waves", "an arm"), ("stripes", "a dataset")])
def test_ones_own_that_is_right_passes(factory: str, kind: str) -> None:
    lines = list(check_own(f"{HERE}:{factory}"))
    assert lines[0].endswith(f"is taken for {kind}")
    assert any("ends with the same bits" in line for line in lines)


@pytest.mark.parametrize(
    ("factory", "arguments", "error", "told"),
    [
        ("Counting", {}, ContractError, "keep all that changes in parameters and buffers"),
        ("small", {"hidden": 0.5}, LightweightsError, "0.5"),
        ("stripes", {"draws": -1}, ContractError, "gave other data when asked again"),
        ("unlike", {}, SettingsError, "say with --kind whether it makes"),
        ("HERE", {}, SettingsError, "cannot be called"),
        ("nothing", {}, SettingsError, "cannot be imported"),
    ],
)
def test_ones_own_that_is_wrong_is_told(factory: str, arguments: dict, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        list(check_own(f"{HERE}:{factory}", arguments=arguments))


def test_a_class_without_training_images_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = stripes()
    gap = Dataset("stripes", 5, whole.train, whole.tests)
    monkeypatch.setattr(contract, "load", lambda section: gap)
    with pytest.raises(LightweightsError, match="no training image of class 3"):
        list(check_own(f"{HERE}:stripes"))
