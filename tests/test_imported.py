"""Code of the user's own: whatever it raises becomes our error, and what it built has a digest."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from lightweights.built import built_digest
from lightweights.errors import LightweightsError
from lightweights.imported import imported
from lightweights.mapping.arms import build_arm
from lightweights.methods.target import check_network
from lightweights.networks import build_network
from lightweights.report.chapter import Chapter
from lightweights.settings.base import SettingsError
from lightweights.settings.chapters import load_kinds
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.kinds import ClassicalRun
from lightweights.settings.network import NetworkSection
from lightweights.settings.runs import Run
from lightweights.study.faults import RunError, memory_told


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a module anew and says its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    name = f"module_{tmp_path.name}".replace("-", "_")

    def written(source: str) -> str:
        (tmp_path / f"{name}.py").write_text(source)
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return name

    yield written
    sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import sys\nsys.exit(0)", r"cannot be imported: it ends the program \(sys.exit\(0\)\)"),
        ("raise SystemExit('done')", r"cannot be imported: it ends the program \(sys.exit\('done'\)\)"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("raise Exception", "cannot be imported: Exception"),
        ("def factory(:", "cannot be imported: invalid syntax"),
        ("def __getattr__(name): raise KeyError(name)", "cannot be imported: KeyError: '"),
        ("import no_such_package", "cannot be imported: No module named 'no_such_package'"),
        ("class Skipped(BaseException): pass\nraise Skipped('no gpu')", "cannot be imported: Skipped: no gpu"),
        ("factory = 3", "is int, which cannot be called: no function and no class"),
        ("x = 3", "cannot be imported: module '.*' has no attribute 'factory'"),
    ],
)
def test_whatever_a_module_does_when_it_is_imported_is_our_error(write: Callable, source: str, said: str) -> None:
    name = write(source)
    with pytest.raises(SettingsError, match=f"photonics.arm = '{name}:factory' {said}"):
        imported("photonics.arm", f"{name}:factory")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import sys; sys.exit(0)", "it ends the program"),
        ("raise SystemExit", "it ends the program"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("raise Exception", "Exception"),
        ("raise StopIteration", "StopIteration"),
        ("recurse = lambda: recurse(); recurse()", "maximum recursion depth"),
    ],
)
def test_whatever_a_factory_does_when_it_is_called_is_our_error(write: Callable, body: str, said: str) -> None:
    from lightweights.datasets import load

    name = write(f"def factory(*a, **k):\n    {body}\n") + ":factory"
    for call in (
        lambda: build_network(NetworkSection(name=name), (1, 8, 8), 3),
        lambda: load(DatasetSection(name=name)),
        lambda: build_arm(name, 3, lambda: [], torch.Generator()),
    ):
        with pytest.raises(LightweightsError, match=f"{name}' with arguments {{}}.*: {said}"):
            call()


def test_errors_of_our_own_and_too_little_memory_pass_as_they_are(write: Callable) -> None:
    name = write(
        "from lightweights.settings.base import SettingsError\n"
        "def ours(): raise SettingsError('width = -1')\ndef memory(): raise MemoryError\n"
    )
    with pytest.raises(SettingsError, match=r"^width = -1$"):
        imported("network.name", f"{name}:ours")()
    with pytest.raises(MemoryError):
        imported("network.name", f"{name}:memory")()


def test_a_module_that_ends_the_program_does_not_let_it_succeed(tmp_path: Path) -> None:
    (tmp_path / "quits.py").write_text("import sys\nsys.exit(0)\n")
    code = "from lightweights.imported import imported; imported('network.name', 'quits:network')"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True).returncode == 1


@pytest.mark.parametrize("body", ["import sys; sys.exit(0)", "return {}['x']"])
def test_a_network_that_fails_when_it_computes_is_told_before_any_job(write: Callable, body: str) -> None:
    name = write(
        "from torch import nn\n"
        "class Net(nn.Linear):\n"
        "    def forward(self, images):\n"
        f"        {body}\n"
        "def factory(shape, classes): return Net(4, classes)\n"
    )
    said = r"it ends the program \(sys.exit\(0\)\)" if "exit" in body else "KeyError: 'x'"
    with pytest.raises(SettingsError, match=f"here: network.name = '{name}:factory' fails on images of shape .*: {said}"):
        check_network(NetworkSection(name=f"{name}:factory"), DatasetSection(name="digits"), "here")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import sys\nsys.exit(0)", r"it ends the program \(sys.exit\(0\)\)"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "invalid syntax"),
        ("import no_such_package", "No module named 'no_such_package'"),
    ],
)
@pytest.mark.parametrize("part", ["__init__", "settings", "tables"])
def test_whatever_a_module_of_a_chapter_does_when_it_is_imported_is_our_error(tmp_path: Path, part: str, source: str, said: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "experiments.yaml").write_text("experiments: {}\n")
    (folder / f"{part}.py").write_text(source)
    with pytest.raises(LightweightsError, match=f"{part}.py cannot be imported: {said}"):
        load_kinds([folder]) if part == "settings" else Chapter("What?", "What", folder=folder).module("tables")


def test_a_run_whose_network_ends_the_program_is_named() -> None:
    run = Run(study="mine", experiment="a", variant="base", seed=0, settings=ClassicalRun.model_construct(method="classical"))
    with pytest.raises(RunError, match=r"run mine/a/base/seed-0: it ends the program \(sys.exit\(0\)\)"), memory_told(run):
        sys.exit(0)


NETS = """
from torch import nn
from torch.nn import functional as F

SCALE = 2.0

def shrink(x):
    return x / 3

class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.first = nn.Linear(6, hidden)
        self.last = nn.Linear(hidden, 3)

    def forward(self, x):
        return self.last(F.relu(self.first(shrink(x)))) * SCALE

def small(shape, classes):
    return Net()

def another(shape, classes):
    return nn.Linear(6, 3)
"""


def digest_of(write: Callable, source: str) -> str:
    factory = imported("network.name", write(source) + ":small")
    return built_digest(factory((6,), 3), factory)


def test_equal_code_has_an_equal_digest_whatever_the_values(write: Callable) -> None:
    torch.manual_seed(0)
    first = digest_of(write, NETS)
    torch.manual_seed(1)
    assert digest_of(write, NETS) == first
    assert digest_of(write, NETS.replace("    def forward", "    # forward\n\n    def forward")) == first
    assert digest_of(write, NETS.replace("return nn.Linear(6, 3)", "return nn.Linear(6, 3, False)")) == first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hidden=8", "hidden=4"),
        ("F.relu", "F.gelu"),
        ("SCALE = 2.0", "SCALE = 2.5"),
        ("x / 3", "x / 4"),
        ("return Net()", "return Net(9)"),
        ("return Net()", "return nn.Sequential(Net(), nn.Tanh())"),
        ("self.first = nn.Linear(6, hidden)", "self.first = nn.Linear(6, hidden); self.register_buffer('b', self.first.bias.detach())"),
        ("return Net()", "return Net().requires_grad_(False)"),
    ],
)
def test_changed_code_has_another_digest(write: Callable, old: str, new: str) -> None:
    assert old in NETS
    assert digest_of(write, NETS.replace(old, new)) != digest_of(write, NETS)


def test_settings_of_layers_without_numbers_count() -> None:
    nets = [nn.Sequential(nn.Dropout(p), nn.Linear(3, 3)) for p in (0.1, 0.2)] + [nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.1))]
    assert len({built_digest(net) for net in nets}) == 3
    assert built_digest(nets[0].double()) != built_digest(nn.Sequential(nn.Dropout(0.1), nn.Linear(3, 3)))
