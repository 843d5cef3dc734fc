"""The slurm profile on a real SLURM: the same numbers as locally, through cancelled jobs, time limits and too little memory."""

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from cluster import Cluster, cluster, why_not
from faults.table import fault
from houses import ROOT, RUNS_CSV, call, command, new_house, timeless, training, wait_for

pytestmark = pytest.mark.slow
# This cluster has no accounting database, and nothing here waits for a network file system.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5")
SUBMIT = ("snakemake", "--profile", "workflow/profiles/slurm", *HERE)


@pytest.fixture(scope="module")
def slurm() -> Iterator[Cluster]:
    if why_not():
        pytest.skip(why_not())
    with cluster() as found:
        yield found


@pytest.fixture(autouse=True)
def _on_the_cluster(slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> str:
    """runs.csv of the undisturbed study, trained on this machine without SLURM."""
    house = new_house(tmp_path_factory.mktemp("local") / "house")
    call(house, "snakemake", "--cores", "1", RUNS_CSV)
    return timeless(house)


@pytest.fixture
def submit() -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a study on the cluster; it is killed with the test if it has not ended by itself."""
    started = []

    def start(house: Path, *words: str) -> subprocess.Popen:
        started.append(subprocess.Popen(**command(house, *SUBMIT, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_study_on_slurm_equals_the_local_one_and_short_jobs_are_one(slurm: Cluster, tmp_path: Path, truth: str) -> None:
    house = new_house(tmp_path / "house")
    said = call(house, *SUBMIT, "--set-resources", "train_run:gres=gpu:1", "--")
    assert timeless(house) == truth
    assert said.count("SLURM jobid") == 3, said  # all runs; collect; table, scorecard and results
    assert slurm.call("scontrol", "-o", "show", "jobs").count("gres:gpu:1") == 1  # the one that trains


def test_the_demo_on_slurm_equals_the_local_one(tmp_path: Path) -> None:
    runs, houses = "results/demo/runs.csv", [tmp_path / "local", tmp_path / "slurm"]
    for house, start in zip(houses, (("snakemake", "--cores", "2"), SUBMIT), strict=True):
        new_house(house, yaml.safe_load((ROOT / "params.yaml").read_text()))
        call(house, *start, "--configfile", "workflow/presets/demo.yaml", "--", "all")
    local, there = (timeless(house, runs) for house in houses)
    assert there == local
    tables, others = (
        {file.name: [row for row in file.read_text().splitlines() if "wall_seconds" not in row] for file in folder.glob("*.csv")}
        for folder in (house / "results/demo/tables" for house in houses)
    )
    assert tables and tables == others


def test_the_generic_profile_with_slurm_s_commands(tmp_path: Path, truth: str) -> None:
    """The profile for LSF, PBS and others, on the one scheduler that is here, with the commands of its page."""
    if importlib.util.find_spec("snakemake_executor_plugin_cluster_generic") is None:
        pytest.skip("snakemake-executor-plugin-cluster-generic is not installed; `make env` installs it")
    page = (ROOT / "docs/profiles/cluster-generic.md").read_text()
    _, submit, state, cancel = next(line for line in page.splitlines() if line.startswith("| SLURM")).split(" | ")
    house = new_house(tmp_path / "house")
    status = house / "workflow/profiles/cluster-generic/status-slurm"
    states = "PENDING|RUNNING|COMPLETING|CONFIGURING) echo running ;; COMPLETED) echo success ;; *) echo failed"
    status.write_text(f'#!/bin/sh\ncase "$({state.strip("`").replace("ID", chr(34) + "$1" + chr(34))})" in {states} ;; esac\n')
    status.chmod(0o755)
    commands = {"submit": submit.strip("`"), "status": str(status), "cancel": cancel.strip(" |`")}
    options = [word for name, value in commands.items() for word in (f"--cluster-generic-{name}-cmd", value)]
    said = call(house, "snakemake", "--profile", "workflow/profiles/cluster-generic", "--latency-wait", "5", *options, "--", RUNS_CSV)
    assert timeless(house) == truth
    assert said.count("with external jobid") == 2, said


def test_a_job_cancelled_by_scancel_is_submitted_again(slurm: Cluster, submit: Callable, tmp_path: Path, truth: str) -> None:
    house = new_house(tmp_path / "house")
    submitted = submit(house, RUNS_CSV)
    wait_for(lambda: list(house.glob("results/small/.checkpoint/*/*/*/state.safetensors")), submitted)
    slurm.call("scancel", *slurm.jobs())
    said, _ = submitted.communicate(timeout=1800)
    assert submitted.returncode == 0, said
    assert "Trying to restart" in said
    assert timeless(house) == truth
    fault(
        "scancel of a SLURM job",
        "`Error in group short`; the job's log has `CANCELLED`",
        "submitted again by itself (`retries`), runs go on from their checkpoints",
        said=said,
    )


def test_a_job_at_its_time_limit_goes_on_in_the_next(submit: Callable, tmp_path: Path, truth: str) -> None:
    house = new_house(tmp_path / "house")
    submitted = submit(
        house, "--set-resources", "train_run:runtime=attempt", "--group-components", "short=1", "--jobs", "1", "--", RUNS_CSV
    )
    process = wait_for(lambda: training(house), submitted)
    process.send_signal(signal.SIGSTOP)  # it gets nowhere, as on a node that is far too slow
    said, _ = submitted.communicate(timeout=1800)
    assert submitted.returncode == 0, said
    assert "Trying to restart" in said
    assert timeless(house) == truth
    fault(
        "time limit of a SLURM job",
        "`Error in group short`; the job's log has `DUE TO TIME LIMIT`",
        "submitted again by itself with a longer limit, runs go on from their checkpoints",
        said=said,
    )


def test_a_job_out_of_memory_gets_more(tmp_path: Path, truth: str) -> None:
    house = new_house(tmp_path / "house")
    said = call(house, *SUBMIT, "--set-resources", "train_run:mem_mb=300*attempt*attempt", "--", RUNS_CSV)
    assert "Trying to restart" in said
    assert timeless(house) == truth
    fault(
        "out of memory in a SLURM job",
        "`Error in group short`; the job's log has what SLURM says of its memory limit",
        "submitted again by itself with more memory",
        said=said,
    )


def test_snakemake_killed_while_jobs_run_can_be_started_again(slurm: Cluster, submit: Callable, tmp_path: Path, truth: str) -> None:
    house = new_house(tmp_path / "house")
    submitted = submit(house, RUNS_CSV)
    wait_for(lambda: list(house.glob("results/small/.checkpoint/*/*/*/state.safetensors")), submitted)
    os.kill(submitted.pid, signal.SIGKILL)
    submitted.wait()
    assert slurm.jobs()
    deadline = time.monotonic() + 600
    while slurm.jobs():  # as docs/profiles/slurm.md says: wait for them, or scancel them
        assert time.monotonic() < deadline
        time.sleep(0.5)
    said = call(house, *SUBMIT, RUNS_CSV, ok=False)
    call(house, "snakemake", "--unlock")
    call(house, *SUBMIT, RUNS_CSV)
    assert timeless(house) == truth
    fault(
        "SIGKILL of Snakemake with SLURM jobs under way",
        "jobs go on; then `Directory cannot be locked`, with the remedy, `--unlock`",
        "wait for the jobs or scancel them, then `snakemake --unlock` and start again",
        said=said,
    )
