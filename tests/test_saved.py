"""Generators in files: they come back with their weights, small, and only into the module they were saved from."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from lightweights import MPS, Hardware, LogitTanh, Noise, QuantumTrain, load, save
from lightweights.saved import SavedError, written_once


def network(width: int = 6) -> nn.Module:
    return nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Tanh(), nn.Linear(width, 3))


KINDS = {
    "default": {},
    "published": {"mapping": MPS(2, init_std=0.1)},
    "no mapping": {"mapping": LogitTanh()},
    "residual": {"residual": True},
    "part": {"only": "3", "direct": "0"},
    "arm": {"arm": "product-free"},
    "drawn arm": {"arm": "gaussian-fixed"},
    "hardware": {"hardware": Hardware(Noise(transmittance=0.9, phase_error=0.1), cycles=10_000)},
    "late": {"staleness": 2, "mesh": "mzi", "normalisation": "sum"},
    "bunching": {"circuits": [(4, 2), (4, 2)], "bunching": True, "input_state": [[1, 1, 0, 0], [2, 0, 0, 0]]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_loaded_computes_the_same(kind: str, tmp_path: Path):
    generated = QuantumTrain(network(), **({"seed": 1} | KINDS[kind]))
    x = torch.randn(7, 4)
    generated(x)  # running statistics move
    with torch.no_grad():
        for p in generated.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    save(generated, tmp_path / "g.safetensors")
    other = load(tmp_path / "g.safetensors", network())
    generated.eval(), other.eval()
    assert torch.equal(other(x), generated(x))
    assert other.parameter_counts() == generated.parameter_counts()
    assert [p.requires_grad for p in other.parameters()] == [p.requires_grad for p in generated.parameters()]


def test_a_file_holds_what_is_trained_and_not_what_follows(tmp_path: Path):
    generated = QuantumTrain(nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 10)), seed=0)
    save(generated, tmp_path / "g.safetensors")
    trained = sum(p.numel() for p in generated.parameters() if p.requires_grad)
    assert (tmp_path / "g.safetensors").stat().st_size < 4 * trained + 3000
    with safe_open(tmp_path / "g.safetensors", "pt") as file:
        assert not any(name.startswith("target") for name in file.keys())  # noqa: SIM118 (not iterable)


def test_kept_weights_can_be_left_out_and_must_then_be_the_same(tmp_path: Path):
    module = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 2))
    generated = QuantumTrain(module, only="1", seed=0)
    sizes = {}
    for kept in (True, False):
        save(generated, tmp_path / f"{kept}.safetensors", kept=kept)
        sizes[kept] = (tmp_path / f"{kept}.safetensors").stat().st_size
    assert sizes[True] - sizes[False] > 4 * 64 * 64
    x = torch.randn(3, 64)
    assert torch.equal(load(tmp_path / "False.safetensors", module)(x), generated(x))
    other = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 2))
    assert torch.equal(load(tmp_path / "True.safetensors", other)(x), generated(x))
    with pytest.raises(SavedError, match="the module's are others"):
        load(tmp_path / "False.safetensors", other)


def test_modules_that_differ_are_refused_by_name(tmp_path: Path):
    path = tmp_path / "g.safetensors"
    save(QuantumTrain(network(), seed=0), path)
    with pytest.raises(SavedError, match=r"0\.weight was torch\.float32 \(6, 4\), in this module it is torch\.float32 \(5, 4\)"):
        load(path, network(5))
    with pytest.raises(SavedError, match=r"0\.weight was torch\.float32 .* torch\.float64"):
        load(path, network().double())
    with pytest.raises(SavedError, match=r"it generates 3\.weight, which this module does not have"):
        load(path, network()[:2])
    with pytest.raises(SavedError, match=r"this module does not have 1\.num_batches_tracked"):
        load(path, nn.Sequential(network()[0], nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 3)))


def test_files_that_are_something_else_are_refused(tmp_path: Path):
    with pytest.raises(SavedError, match="there is no such file"):
        load(tmp_path / "nothing", network())
    (tmp_path / "text").write_text("hello")
    with pytest.raises(SavedError, match="not a whole safetensors file"):
        load(tmp_path / "text", network())
    save_file({"a": torch.ones(2)}, tmp_path / "other")
    with pytest.raises(SavedError, match=r"not written by lightweights\.save"):
        load(tmp_path / "other", network())
    path = tmp_path / "g.safetensors"
    save(QuantumTrain(network(), seed=0), path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SavedError, match="not a whole"):
        load(path, network())


def test_mappings_that_a_file_cannot_name_are_refused(tmp_path: Path):
    class Mine(MPS):
        pass

    with pytest.raises(SavedError, match="not one that a file can name"):
        save(QuantumTrain(network(), mapping=Mine(2), seed=0), tmp_path / "g")
    assert not list(tmp_path.iterdir())


def test_shared_tensors_are_written_once(tmp_path: Path):
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    module = nn.Sequential(first, second, nn.Linear(4, 2))
    _, shared = written_once(module.state_dict())
    assert shared == {"1.weight": "0.weight"}
    generated = QuantumTrain(module, only="2", seed=0)
    save(generated, tmp_path / "g.safetensors")
    x = torch.randn(3, 4)
    assert torch.equal(load(tmp_path / "g.safetensors", module)(x), generated(x))


@pytest.mark.whole
def test_no_code_but_the_modules_is_needed(tmp_path: Path):
    """In a process of its own, without pickle."""
    generated = QuantumTrain(nn.Linear(4, 3), seed=0)
    save(generated, tmp_path / "g.safetensors")
    program = "import sys, torch, lightweights; print(lightweights.load(sys.argv[1], torch.nn.Linear(4, 3))(torch.ones(1, 4)).tolist())"
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "g.safetensors")], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(generated(torch.ones(1, 4)).tolist())
