"""Runs of one shape trained in one process: what is written, resumed and told of each."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from lightweights.errors import LightweightsError
from lightweights.settings.runs import Run
from lightweights.settings.study import parse_study
from lightweights.study import batched
from lightweights.study.batched import execute_batch
from lightweights.study.execute import RunResult, execute, finish
from lightweights.study.faults import RunError
from lightweights.study.layout import checkpoint_folder, history_file, metrics_file, model_file, settings_file
from lightweights.study.together import batches, train_each

HOW = {"threads": 1, "device": "cpu", "checkpoint_seconds": 0.0}


def study(**override: object) -> list[Run]:
    """Three seeds at two scales of initial values, and a network trained directly."""
    gradient = {"rounds": 2, "mapping_epochs": 1, "phase_steps": 1, "batch_size": 40, "phase_batch_size": 40}
    tree = {
        "study": {"name": "batch"},
        "dataset": {"name": "digits"},
        "photonics": {"circuits": "auto"},
        "mapping": {"bond_dim": 1, "init_std": 0.1},
        "schedules": {"gradient": gradient, "classical": {"epochs": 1}},
        "experiments": {
            "direct": {"method": "classical", "seeds": [0]},
            "seeds": {"method": "quantum_train", "seeds": [0, 1, 2], "override": override, "vary": {"mapping.init_std": [0.1, 0.2]}},
        },
    }
    return parse_study(tree).runs()


def test_batches_hold_runs_of_one_shape_only() -> None:
    runs = study()
    photonic = [run for run in runs if run.experiment == "seeds"]
    assert batches(runs, 4) == [photonic[:4], photonic[4:]]
    assert batches(runs, 1) == []
    other = [run for run in study(**{"mapping.bond_dim": 2}) if run.experiment == "seeds"]
    assert batches([*photonic, *other], 100) == [photonic, other]


def test_each_run_is_written_as_if_it_had_been_alone(tiny, tmp_path: Path) -> None:
    runs = [run for run in study() if run.experiment == "seeds"][:2]
    found = execute_batch(runs, tiny, tmp_path / "together", **HOW)
    for run in runs:
        alone = execute(run, tiny, tmp_path / "alone", **HOW)
        together = found[run.key]
        assert isinstance(together, RunResult)
        assert together.parameters == alone.parameters and together.details.keys() == alone.details.keys()
        assert together.final.keys() == alone.final.keys()
        for name in ("train_cross_entropy", "test_cross_entropy"):
            assert together.final[name] == pytest.approx(alone.final[name], abs=1e-3)
        history = pd.read_csv(history_file(run, tmp_path / "together"))
        assert list(history) == list(alone.history) and len(history) == run.settings.steps
        told = json.loads(metrics_file(run, tmp_path / "together").read_text())
        assert told["provenance"]["batch"] == 2 and told["settings"] == run.settings.plain()
        assert load_file(model_file(run, tmp_path / "together")).keys() == alone.model.keys()
        assert not (checkpoint_folder(run, tmp_path / "together") / batched.STATE).exists()
    assert found[runs[0].key].final != found[runs[1].key].final


def test_a_killed_batch_goes_on_to_the_same_numbers(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [run for run in study() if run.experiment == "seeds"][:2]
    whole = execute_batch(runs, tiny, tmp_path / "whole", **HOW)
    done = []

    def killed(*given: object) -> list:
        if done:
            raise KeyboardInterrupt
        done.append(rows := real(*given))
        return rows

    real = batched.round_together
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(batched, "round_together", killed)
        execute_batch(runs, tiny, tmp_path / "killed", **HOW)
    assert not metrics_file(runs[0], tmp_path / "killed").exists()
    for key, result in execute_batch(runs, tiny, tmp_path / "killed", **HOW).items():
        assert result.final == whole[key].final
        assert all(torch.equal(value, whole[key].model[name]) for name, value in result.model.items())


FREE = """
import torch
from lightweights.mapping import Arm

class Free(Arm):
    phases_matter = False
    def __init__(self, weight_count, factors, generator):
        super().__init__(weight_count)
        self.numbers = torch.nn.Parameter(torch.ones(int(torch.randint(1, 40, (), generator=generator))))
    def forward(self, factors):
        return self.numbers.sum().expand(self.weight_count)
"""


def test_runs_whose_arms_hold_unequal_numbers_share_steps_with_their_like(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "free_arm_of_a_batch.py").write_text(FREE)
    monkeypatch.chdir(tmp_path)
    runs = [run for run in study(**{"photonics.arm": "free_arm_of_a_batch:Free"}) if run.experiment == "seeds"]
    found = execute_batch(runs, tiny, tmp_path, **HOW)
    for run in runs:
        alone = execute(run, tiny, tmp_path / "alone", **HOW)
        assert found[run.key].parameters == alone.parameters
        assert found[run.key].final["test_cross_entropy"] == pytest.approx(alone.final["test_cross_entropy"], rel=1e-4)
    assert len({result.parameters["phases_used"] for result in found.values()}) > 1


def test_runs_that_cannot_share_steps_are_trained_alone(tiny, tmp_path: Path) -> None:
    runs = [run for run in study(**{"photonics.arm": "gaussian-resampled"}) if run.experiment == "seeds"][:2]
    found = execute_batch(runs, tiny, tmp_path, **HOW)
    assert all(isinstance(found[run.key], RunResult) and model_file(run, tmp_path).is_file() for run in runs)
    assert "batch" not in json.loads(metrics_file(runs[0], tmp_path).read_text())["provenance"]


def test_what_fails_at_the_end_of_a_run_costs_neither_its_training_nor_the_others(tiny, tmp_path: Path, monkeypatch) -> None:
    runs, failed = [run for run in study() if run.variant == "init_std=0.1"], []

    def broken(training, settings, dataset, seed):
        if seed == 1 and not failed:
            failed.append(seed)
            raise RuntimeError("tensors on two devices")
        return finish(training, settings, dataset, seed)

    monkeypatch.setattr(batched, "finish", broken)
    found = execute_batch(runs, tiny, tmp_path, **HOW)
    told = {run.seed: found[run.key] for run in runs}
    assert isinstance(told[1], RunError) and "tensors on two devices" in str(told[1]) and runs[1].key in str(told[1])
    assert isinstance(told[0], RunResult) and isinstance(told[2], RunResult)
    monkeypatch.setattr(batched, "round_together", lambda *given: pytest.fail("a round that was done is trained again"))
    assert isinstance(execute_batch(runs[1:2], tiny, tmp_path, **HOW)[runs[1].key], RunResult)


def test_a_run_of_a_batch_that_fails_is_named_and_leaves_the_others(tmp_path: Path) -> None:
    runs = study()
    for run in runs:
        file = settings_file(run, tmp_path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(run.settings.to_json())
    said: list[str] = []

    def together(group: list[Run], data: Path) -> dict[str, str | LightweightsError]:
        return {run.key: RunError("diverged") if run.seed == 1 else f"{run.key}: together" for run in group}

    keys = [run.key for run in runs if run.variant != "init_std=0.2"]
    with pytest.raises(RunError, match=r"1 of 4 runs failed.*seeds/init_std=0.1/seed-1$"):
        train_each("batch", keys, lambda run, data: f"{run.key}: alone", said.append, tmp_path, batch=8, train_batch=together)
    assert sorted(said) == sorted([f"{keys[0]}: alone", *(f"{key}: {'diverged' if key.endswith('1') else 'together'}" for key in keys[1:])])
