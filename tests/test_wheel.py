"""The package as pip installs it, outside of any clone: the library, and the commands that make sense there."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from houses import ROOT

PROGRAM = """
import torch
from lightweights import MPS, QuantumTrain, fit
generated = QuantumTrain(torch.nn.Linear(4, 3), mapping=MPS(2), seed=0)
rows = list(fit(generated, [(torch.randn(8, 4), torch.tensor([0, 1, 2, 0] * 2))], rounds=1, schedule={"phase_steps": 1}, progress=False))
print(len(rows), generated.bake()(torch.zeros(1, 4)).shape)
import lightweights
print(lightweights.__file__)
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the built wheel; what it depends on is taken from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source], check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env/bin/python"
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True, check=True
    )
    Path(own.stdout.strip(), "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    wheel = next(folder.glob("*.whl"))
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--force-reinstall", wheel], check=True, capture_output=True)
    return folder


def call(fresh: Path, *words: str, ok: bool = True) -> str:
    elsewhere = fresh / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    path = {"PATH": f"{fresh}/env/bin:/usr/bin:/bin", "OMP_NUM_THREADS": "1", "HOME": str(fresh)}
    done = subprocess.run([f"{fresh}/env/bin/{words[0]}", *words[1:]], cwd=elsewhere, env=path, capture_output=True, text=True)
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_wheel_has_the_library_and_the_commands_and_says_which_need_a_clone(fresh: Path) -> None:
    said = call(fresh, "python", "-c", PROGRAM)
    assert "1 torch.Size([1, 3])" in said and str(fresh / "env") in said
    assert call(fresh, "lightweights", "--version").strip().count(".") == 2
    assert "heralded" in call(fresh, "lightweights", "probe", "--modes", "4", "--photons", "2")
    assert '"title": "Settings of a Lightweights study"' in call(fresh, "lightweights", "schema")
    for command in ("show", "status", "studies", "verify", "plan", "chapters", "models", "restore"):
        said = call(fresh, "lightweights", command, ok=False)
        assert f"`lightweights {command}` works in a clone" in said and "Traceback" not in said
    pages = "from importlib.resources import files; print(files('lightweights.report').joinpath('experiments/page.md.j2').is_file())"
    assert "True" in call(fresh, "python", "-c", pages)
