"""GPUs of one machine: each lent to one run at a time, free again after a kill. The ids are made up: no GPU is needed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lightweights.settings.base import SettingsError
from lightweights.settings.study import parse_study
from lightweights.study import gpus
from lightweights.study.gpus import lent_gpu, numbers_of

HOLD = """
import os, sys
from pathlib import Path
from lightweights.study import gpus
from lightweights.study.gpus import lent_gpu
gpus.LOOK_AGAIN = 0.05
with lent_gpu([3, 5], Path(sys.argv[1])):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_runs_get_different_gpus_and_the_next_waits_for_a_free_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = holder(tmp_path), holder(tmp_path)
    try:
        assert {first.stdout.readline().strip(), second.stdout.readline().strip()} == {"3", "5"}
        third = holder(tmp_path)
        monkeypatch.setattr(gpus.time, "sleep", lambda _: pytest.fail("both are taken"))
        with pytest.raises(pytest.fail.Exception), lent_gpu([3, 5], tmp_path):
            pass
        monkeypatch.undo()
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert third.stdout.readline().strip() in ("3", "5")
        third.stdin.close()
        assert third.wait() == 0
    finally:
        for process in (first, second, third):
            process.kill()
            process.wait()


def test_a_run_sees_its_gpu_only_and_what_was_set_before_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with lent_gpu([1], tmp_path) as gpu:
        assert gpu == 1 and os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"
    with lent_gpu([]) as gpu:
        assert gpu is None and os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


@pytest.mark.parametrize("text", ["a", "0,a", "0,,1", "-1", "0;1", "99999", ","])
def test_a_list_of_gpus_holds_numbers(text: str) -> None:
    assert (numbers_of(""), numbers_of("0, 1,3")) == ([], [0, 1, 3])
    with pytest.raises(SettingsError, match="expected numbers with commas between them"):
        numbers_of(text)


def test_gpus_are_settings_of_execution_and_need_cuda() -> None:
    assert parse_study({"execution": {"device": "cuda", "gpus": [0, 2]}}).execution.gpus == [0, 2]
    with pytest.raises(SettingsError, match=r"gpus is \[0\], but device is cpu"):
        parse_study({"execution": {"gpus": [0]}})
