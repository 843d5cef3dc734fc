"""Faults that could pass in silence: wrong answers, lost jobs, damaged data of one's own, code that ends the program, writes cut off."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from faults.table import fault

from lightweights.datasets import DataError, own
from lightweights.errors import LightweightsError
from lightweights.files import remove_leftovers
from lightweights.imported import imported
from lightweights.photonics import Circuit
from lightweights.photonics.backends import BackendError
from lightweights.photonics.jobs import JobLog
from lightweights.photonics.remote import Remote, connect

SENT_ANEW = "start again: the question is sent anew"
CIRCUIT = Circuit(4, 2)
PHASES = CIRCUIT.random_phases(torch.Generator().manual_seed(1), torch.float64)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("perceval")
    from cloud import cloud
    from perceval.providers.quandela.remote_config import RemoteConfig
    from perceval.providers.scaleway.scaleway_config import ScalewayConfig

    with cloud(tmp_path / "perceval") as (server, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for config in (RemoteConfig, ScalewayConfig):
            monkeypatch.setattr(config, "_url", server.url)
            monkeypatch.setattr(config, "_token", None)
        yield server


def ask(provider: str, log: Path) -> torch.Tensor:
    return Remote(connect(f"{provider}:sim:stand-in"), 500, JobLog(log), sleep=lambda seconds: None).ask(CIRCUIT, PHASES)


def test_a_platform_whose_answer_names_a_function(server: Any, tmp_path: Path) -> None:
    wrong = {"results": f"touch {tmp_path / 'owned'}", "job_context": {"result_mapping": ["os", "system"]}}
    server.spoil = lambda text: json.dumps(wrong)
    with pytest.raises(BackendError) as told:
        ask("quandela", tmp_path / "jobs.jsonl")
    assert not (tmp_path / "owned").exists()
    server.spoil = lambda text: text
    assert ask("quandela", tmp_path / "jobs.jsonl").sum() > 0
    fault(
        "answer of a platform that names a function",
        "`the answer of job job-0 is refused: an answer that asks to call ... Nothing of it is used`; nothing is called",
        SENT_ANEW,
        said=str(told.value),
    )


def test_a_platform_whose_answer_is_of_another_circuit(server: Any, tmp_path: Path) -> None:
    server.spoil = lambda text: text.replace("|", "|0,")
    with pytest.raises(BackendError) as told:
        ask("scaleway", tmp_path / "jobs.jsonl")
    server.spoil = lambda text: text
    assert ask("scaleway", tmp_path / "jobs.jsonl").sum() > 0
    fault(
        "answer of a platform to another question",
        "`is refused: ... Nothing of it is used; tell the provider`, with what is wrong: modes, photons, counts, performance, a gap",
        SENT_ANEW,
        said=str(told.value),
    )


def test_a_platform_that_lost_a_job(server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = ask("quandela", tmp_path / "jobs.jsonl")
    server.lost = {"job-0"}
    assert ask("quandela", tmp_path / "jobs.jsonl").shape == first.shape and len(server.jobs) == 2
    fault("job lost by its platform", "`job job-0 is lost (...)`, `sent again`", "goes on by itself", said=caplog.text)


def test_a_platform_that_takes_a_job_without_an_answer(server: Any, tmp_path: Path) -> None:
    server.deaf = 1
    with pytest.raises(BackendError) as told:
        ask("quandela", tmp_path / "jobs.jsonl")
    assert len(server.jobs) == 1
    assert ask("quandela", tmp_path / "jobs.jsonl").sum() > 0
    server.deaf, before = 1, len(server.jobs)
    assert ask("scaleway", tmp_path / "other.jsonl").sum() > 0
    assert len(server.jobs) == before + 1
    fault(
        "job taken by its platform, the answer lost",
        "Scaleway: nothing, its name finds it; Quandela Cloud: `no answer to a job that it may have taken ... Look for 'lightweights`",
        "start again: it is sent once more",
        said=str(told.value),
    )


def test_data_of_ones_own_that_is_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, images=np.zeros((40, 4, 4)), labels=np.arange(40) % 2)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError) as told:
        own.npz(str(file))
    file.write_bytes(whole)
    assert len(own.npz(str(file)).train) == 30
    fault(
        "data of one's own cut short",
        "`cannot be read as an NPZ file: the file is damaged or cut short`",
        "put it right",
        said=str(told.value),
    )


def test_code_of_ones_own_that_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "quits_for_tests.py").write_text("import sys\nsys.exit(0)\n")
    with pytest.raises(LightweightsError) as told:
        imported("network.name", "quits_for_tests:network")
    fault(
        "code of one's own that ends the program",
        "`network.name = ... cannot be imported: it ends the program (sys.exit(0))`",
        "put it right; start again",
        said=str(told.value),
    )


def test_a_write_that_was_killed_leaves_nothing_for_long(tmp_path: Path) -> None:
    code = (
        "import os, signal, pathlib\nfrom lightweights.files import write_atomic\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\nwrite_atomic(pathlib.Path('metrics.json'), '{}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=dict(os.environ))
    assert done.returncode < 0 and len(list(tmp_path.iterdir())) == 1
    assert remove_leftovers(tmp_path / "metrics.json") == 1 and not list(tmp_path.iterdir())
    fault(
        "SIGKILL in the middle of a write", "nothing: the old file, or none, stands under its name", "start again: what was left is removed"
    )
