"""Faults on one machine, brought about for real on a small study: what is said, and that the study goes on to the same numbers."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import psutil
import pytest
from faults.table import fault
from houses import CLASSICAL, PHOTONIC, RUNS_CSV, call, command, new_house, timeless, training, wait_for

pytestmark = pytest.mark.slow
FOLDER = Path("results/small")
DATA = FOLDER / "data/digits.safetensors"
CHECKPOINT = FOLDER / ".checkpoint" / PHOTONIC / "state.safetensors"
METRICS = FOLDER / "runs" / PHOTONIC / "metrics.json"
LOG = FOLDER / "logs" / f"{PHOTONIC}.log"
START = ("snakemake", "--cores", "1", RUNS_CSV)
GO_ON = "start again: goes on from the checkpoint"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study as nothing disturbed it."""
    house = new_house(tmp_path_factory.mktemp("finished") / "house")
    call(house, *START)
    return house


@pytest.fixture(scope="module")
def killed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study whose second run was killed by SIGKILL after its first checkpoint, so in the middle of a later epoch."""
    house = tmp_path_factory.mktemp("killed") / "house"
    shutil.copytree(finished, house, symlinks=True)
    shutil.rmtree((house / METRICS).parent)
    (house / RUNS_CSV).unlink()
    started = start(house, *START)
    process = wait_for(lambda: (house / CHECKPOINT).exists() and training(house), started)
    process.kill()
    (house / "said").write_text(started.communicate()[0])
    assert started.returncode == 1
    assert (house / CHECKPOINT).exists() and not (house / METRICS).exists()
    return house


@pytest.fixture
def stopped(killed: Path, tmp_path: Path) -> Path:
    house = tmp_path / "house"
    shutil.copytree(killed, house, symlinks=True)
    return house


@pytest.fixture
def whole(finished: Path, tmp_path: Path) -> Path:
    house = tmp_path / "house"
    shutil.copytree(finished, house, symlinks=True)
    return house


def start(house: Path, *words: str) -> subprocess.Popen:
    # A shell's background job ignores Ctrl-C, and all that it starts would.
    heeding = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    arguments = command(house, *words) | {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True}
    return subprocess.Popen(**arguments, preexec_fn=heeding)


def holding_its_lock(house: Path) -> psutil.Process | None:
    """The process that trains in this house, once it has begun."""
    process = training(house)
    lock = filelock.FileLock((house / CHECKPOINT).with_name("lock"))
    try:
        lock.acquire(timeout=0)
        lock.release()
        return None
    except filelock.Timeout:
        return process


def ends_the_same(house: Path, finished: Path) -> None:
    """The study, started again, ends as the undisturbed one did."""
    call(house, *START)
    assert timeless(house) == timeless(finished)
    model = FOLDER / f"runs/{PHOTONIC}/model.safetensors"
    assert (house / model).read_bytes() == (finished / model).read_bytes()


def goes_on(house: Path, finished: Path, anew: bool = False) -> None:
    """It ends the same, and the run of the fault was taken up from its checkpoint, or trained ``anew``."""
    ends_the_same(house, finished)
    assert ("going on from its checkpoint" in (house / LOG).read_text()) is not anew


def test_training_killed_in_an_epoch(stopped: Path, finished: Path) -> None:
    goes_on(stopped, finished)
    said = (stopped / "said").read_text()
    fault("SIGKILL of a training process in the middle of an epoch", "Snakemake: `Error in rule train_run`", GO_ON, said=said)


def test_snakemake_killed(stopped: Path, finished: Path) -> None:
    started = start(stopped, *START)
    process = wait_for(lambda: training(stopped), started)
    started.kill()
    started.wait()
    said = call(stopped, *START, ok=False)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.wait(900)  # its training goes on, as the README says
    call(stopped, "snakemake", "--unlock")
    ends_the_same(stopped, finished)
    fault(
        "SIGKILL of Snakemake",
        "`Directory cannot be locked`, with the remedy, `--unlock`",
        "runs under way go on: wait for them or stop them, then `snakemake --unlock` and start again",
        said=said,
    )


def test_interrupted_by_the_user(stopped: Path, finished: Path) -> None:
    started = start(stopped, *START)
    wait_for(lambda: training(stopped), started)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    said = started.communicate(timeout=900)[0]
    assert started.returncode != 0 and training(stopped) is None, said
    goes_on(stopped, finished)
    fault("Ctrl-C", "Snakemake: `Terminating processes on user request`", GO_ON, said=said)


def test_a_truncated_checkpoint(stopped: Path, finished: Path) -> None:
    path = stopped / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-1000])
    said = call(stopped, *START, ok=False)
    assert "Traceback" not in said
    goes_on(stopped, finished, anew=True)
    fault(
        "truncated checkpoint",
        "`the checkpoint cannot be read ... set aside as state.damaged`",
        "start again: that run trains from its beginning",
        said=said,
    )


def test_metrics_cut_off(whole: Path, finished: Path) -> None:
    path = whole / METRICS
    path.write_text(path.read_text()[:200])
    said = call(whole, *START, ok=False)
    assert PHOTONIC in said and "Traceback" not in said
    shutil.rmtree(path.parent)
    goes_on(whole, finished, anew=True)
    fault(
        "corrupted metrics.json",
        "`collect` names the run: `cannot be read ... Delete their folders`",
        "delete the run's folder and start again: it trains anew",
        said=said,
    )


def test_data_changed_after_preparation(stopped: Path, finished: Path) -> None:
    path = stopped / DATA
    content = bytearray(path.read_bytes())
    content[-5000] ^= 1
    path.write_bytes(content)
    said = call(stopped, *START, ok=False)
    assert "digits.safetensors" in said and "Traceback" not in said
    path.unlink()
    goes_on(stopped, finished)
    fault(
        "data file changed after its preparation",
        "`not a prepared data set (... expected SHA-256 ...); delete it`",
        "delete it and start again: prepared anew, the run goes on from its checkpoint",
        said=said,
    )


def test_the_clock_set_back(stopped: Path, finished: Path) -> None:
    """All that is there was written by a clock two hours ahead of the present one."""
    for file in (stopped / "results").rglob("*"):
        time_there = file.stat().st_mtime + 7200
        os.utime(file, (time_there, time_there))
    goes_on(stopped, finished)
    assert "train_run" not in call(stopped, "snakemake", "-n", RUNS_CSV)
    fault("clock set back by two hours", "nothing", "goes on; landed runs are not trained again")


def test_two_studies_at_once_on_one_results_folder(stopped: Path, finished: Path, tmp_path: Path) -> None:
    other = new_house(tmp_path / "other")
    (other / "results").symlink_to(stopped / "results")
    first = start(stopped, *START)
    wait_for(lambda: holding_its_lock(stopped), first).send_signal(signal.SIGSTOP)
    here = call(stopped, *START, ok=False)
    there = call(other, *START, ok=False)
    assert "is being trained" not in here and "cannot be locked" not in there
    training(stopped).send_signal(signal.SIGCONT)
    first.communicate(timeout=900)
    assert first.returncode == 0
    ends_the_same(stopped, finished)
    ends_the_same(other, finished)
    fault(
        "two studies at once on one results folder",
        "in one folder `Directory cannot be locked`; from another folder `run ... is being trained by another process`",
        "the first goes on; the second can be started again after it",
        said=here + there,
    )


@pytest.fixture
def small_disk(stopped: Path) -> Iterator[Callable[..., None]]:
    """The study's results on a file system of their own; the function mounts it anew with other options."""
    results, kept = stopped / "results", stopped / "kept"
    results.rename(kept)
    results.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", results], capture_output=True, text=True)
    if done.returncode:
        kept.rename(results) if not any(results.iterdir()) and not results.rmdir() else None
        pytest.skip(f"a small file system can be mounted by root only: {done.stderr.strip()}")
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", results], check=True)
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", results], check=True)
    finally:
        subprocess.run(["umount", results], check=True)


def test_disk_full(small_disk: Callable, stopped: Path, finished: Path) -> None:
    used = sum(file.stat().st_blocks * 512 for file in (stopped / "results").rglob("*") if file.is_file())
    free = os.statvfs(stopped / "results")
    filler = stopped / "results" / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        file.write(bytes(free.f_bavail * free.f_frsize - 40_000))
    assert used > 0
    said = call(stopped, *START, ok=False)
    assert "Traceback" not in said, said
    filler.unlink()
    goes_on(stopped, finished)
    fault("disk full", "`cannot be written: No space left on device. Make room ... then start again`", f"make room; {GO_ON}", said=said)


def test_results_folder_read_only(small_disk: Callable, stopped: Path, finished: Path) -> None:
    small_disk("ro")
    said = call(stopped, *START, ok=False)
    small_disk("rw")
    goes_on(stopped, finished)
    fault(
        "read-only results folder",
        "Snakemake: `Write-protected output files`, with their names",
        f"set permissions; {GO_ON}",
        said=said,
    )


def test_out_of_memory(stopped: Path, finished: Path) -> None:
    """A limit below what the process holds: its next large allocation fails."""
    started = start(stopped, *START)
    process = wait_for(lambda: holding_its_lock(stopped), started)
    process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms - 2**20,) * 2)
    said = started.communicate(timeout=900)[0]
    assert started.returncode == 1, said
    goes_on(stopped, finished)
    fault("out of memory", "`run small/photonic ... : not enough memory ... run fewer at once or give its job more`", GO_ON, said=said)


def test_both_runs_are_there(finished: Path) -> None:
    assert all((finished / FOLDER / "runs" / run / "metrics.json").exists() for run in (CLASSICAL, PHOTONIC))
