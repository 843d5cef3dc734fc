"""Code of the user's own belongs to a run's identity: what was trained by other code is not averaged with it, nor taken up."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lightweights.datasets import Dataset
from lightweights.settings.base import SettingsError
from lightweights.settings.study import Study, parse_study
from lightweights.study.checkpoint import save_checkpoint
from lightweights.study.collect import CollectError, collect
from lightweights.study.execute import begin, execute
from lightweights.study.layout import checkpoint_folder

NETS = """
from torch import nn
def small(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(256, HIDDEN), nn.ACTIVATION(), nn.Linear(HIDDEN, classes))
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    name = f"nets_{tmp_path.name}"
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def written(hidden: int = 8, activation: str = "ReLU") -> str:
        (tmp_path / f"{name}.py").write_text(NETS.replace("HIDDEN", str(hidden)).replace("ACTIVATION", activation))
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return f"{name}:small"

    return written


def study(name: str, seeds: list[int]) -> Study:
    schedules = {"classical": {"epochs": 2, "batch_size": 60}}
    tree = {"dataset": {"name": "digits"}, "network": {"name": name}, "schedules": schedules}
    return parse_study(tree | {"experiments": {"own": {"method": "classical", "seeds": seeds}}})


def train(study: Study, seed: int, tiny: Dataset, results: Path) -> None:
    run = next(run for run in study.runs() if run.seed == seed)
    execute(run, tiny, results, threads=1, device="cpu", checkpoint_seconds=1e9)


@pytest.mark.parametrize("change", [{"hidden": 4}, {"activation": "Tanh"}])
def test_runs_of_changed_code_are_not_averaged(change: dict, write: Callable, tiny: Dataset, tmp_path: Path) -> None:
    both = study(write(), [0, 1])
    train(both, 0, tiny, tmp_path / "results")
    write()
    train(both, 1, tiny, tmp_path / "results")
    assert len(collect(both, tmp_path / "results")) == 2  # the same code, imported again
    write(**change)
    three = study(write(**change), [0, 1, 2])
    train(three, 2, tiny, tmp_path / "results")
    with pytest.raises(
        CollectError, match=r"its code built different things: own/base/seed-0 \([0-9a-f]{64}\) and own/base/seed-2 \([0-9a-f]{64}\)"
    ):
        collect(three, tmp_path / "results")


def test_a_checkpoint_of_changed_code_is_not_taken_up(
    write: Callable, tiny: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    own = study(write(), [0])
    run = own.runs()[0]
    training, progress, _ = begin(run.settings, tiny, 0, torch.device("cpu"))
    next(progress)
    state = checkpoint_folder(run, tmp_path / "results") / "state.safetensors"
    state.parent.mkdir(parents=True)
    save_checkpoint(training, run, state, ["another digest of data", "another of code"])
    write(activation="Tanh")
    train(own, 0, tiny, tmp_path / "results")
    assert "belongs to other settings, data" in capsys.readouterr().out


def test_networks_of_the_library_have_no_digest_as_their_version_tells_them(tiny: Dataset, tmp_path: Path) -> None:
    library = study("cnn", [0])
    train(library, 0, tiny, tmp_path)
    assert "built_sha256" not in next(tmp_path.rglob("metrics.json")).read_text()


def test_one_image_left_alone_is_told_before_training(monkeypatch: pytest.MonkeyPatch, tiny: Dataset, tmp_path: Path) -> None:
    (tmp_path / "normalised_for_tests.py").write_text(
        "from torch import nn\ndef small(shape, classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(256, 4), nn.BatchNorm1d(4), nn.Linear(4, classes))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    tree = {"dataset": {"name": "digits"}, "network": {"name": "normalised_for_tests:small"}}
    tree |= {"schedules": {"classical": {"epochs": 1, "batch_size": 119}}, "experiments": {"own": {"method": "classical", "seeds": [0]}}}
    settings = parse_study(tree).runs()[0].settings
    with pytest.raises(SettingsError, match="120 training images in batches of 119 leave one image alone"):
        begin(settings, tiny, 0, torch.device("cpu"))
