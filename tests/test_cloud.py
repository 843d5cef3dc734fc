"""Whole runs on platforms far away: Perceval's own clients speak to a provider on this machine, over its web interface."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cloud import TOKEN, Cloud, cloud

from lightweights.study.layout import checkpoint_folder, metrics_file, settings_file
from lightweights.study.plan import open_study
from lightweights.study.prepare import prepare_data

pytestmark = pytest.mark.whole

LIGHTWEIGHTS = [sys.executable, "-c", "from lightweights.cli import main; main()"]
PROVIDERS = ["quandela", "scaleway"]


def study(provider: str, platform: str = "sim:stand-in") -> dict:
    photonics = {"backend": "perceval-remote", "platform": f"{provider}:{platform}", "shots": 2000, "circuits": "auto"}
    return {
        "study": {"name": "far"},
        "dataset": {"name": "digits"},
        "mapping": {"bond_dim": 1},
        "photonics": photonics,
        "schedules": {"spsa": {"rounds": 2, "mapping_epochs": 1, "phase_steps": 1, "phase_batch_size": 100}},
        "experiments": {"far": {"method": "quantum_train", "seeds": [0], "schedule": "spsa"}},
    }


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path / "perceval") as (server, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of all houses, prepared once."""
    folder = tmp_path_factory.mktemp("digits")
    settings = folder / "digits.json"
    settings.write_text('{"name": "digits"}')
    prepare_data(settings, folder / "digits.safetensors")
    return folder / "digits.safetensors"


class House:
    """A folder with one run in it, and the command that trains it."""

    def __init__(self, folder: Path, tree: dict, digits: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.run = open_study(tree, folder / "results").runs()[0]
        (folder / "params.yaml").write_text(yaml.safe_dump(tree))
        self.data = digits

    def train(self) -> subprocess.Popen:
        words = ["train", str(settings_file(self.run)), "--seed", "0", "--data", str(self.data), "--checkpoint-seconds", "0"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen([*LIGHTWEIGHTS, *words], cwd=self.folder, text=True, **pipes)

    @property
    def jobs(self) -> list[str]:
        path = self.folder / checkpoint_folder(self.run) / "jobs.jsonl"
        return [line for line in path.read_text().splitlines() if '"job": "' in line] if path.is_file() else []

    def holds_token(self) -> bool:
        return any(TOKEN.encode() in path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


def wait_for(server: Cloud, house: House, process: subprocess.Popen, jobs: int) -> None:
    deadline = time.monotonic() + 200
    while len(house.jobs) < jobs:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, (len(house.jobs), len(server.jobs))
        time.sleep(0.05)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_killed_run_picks_its_jobs_up_again(provider: str, server: Cloud, digits: Path, tmp_path: Path) -> None:
    house = House(tmp_path / "house", study(provider), digits)
    server.held.set()
    process = house.train()
    wait_for(server, house, process, 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(server.jobs) == 2  # one a circuit: both devices are asked at the same time
    server.held.clear()
    server.moods += [503, 429]
    process = house.train()
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    sent = len(server.jobs)
    assert sent == len(house.jobs) == len(set(house.jobs)) > 2
    assert (house.folder / metrics_file(house.run)).is_file()
    assert TOKEN not in said
    assert not house.holds_token()
    if provider == "scaleway":
        assert list(server.sessions.values()) == [False]  # taken up again, and ended

    undisturbed = House(tmp_path / "undisturbed", study(provider), digits)
    assert undisturbed.train().wait(timeout=300) == 0
    assert len(server.jobs) - sent == sent  # so nothing was paid for twice


@pytest.mark.parametrize(("provider", "variable"), [("quandela", "PCVL_CLOUD_TOKEN"), ("scaleway", "SCALEWAY_CLOUD_TOKEN")])
def test_what_a_provider_refuses_is_told(
    provider: str,
    variable: str,
    server: Cloud,
    digits: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = House(tmp_path / "unknown", study(provider, "qpu:nowhere"), digits).train().communicate(timeout=200)[0]
    assert f"platform {provider}:qpu:nowhere cannot be opened" in said
    assert "photonics.platform" in said
    house = House(tmp_path / "refused", study(provider), digits)
    monkeypatch.setenv(variable, "an-old-token")
    said = house.train().communicate(timeout=200)[0]
    assert "get a new token" in said
    assert "an-old-token" not in said
    assert not server.jobs
