"""Small studies in folders of their own, for tests that start Snakemake, kill it, and look at what is left."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import yaml

from lightweights.cli import main

ROOT = Path(__file__).resolve().parents[1]
RUNS_CSV = "results/small/runs.csv"
CLASSICAL, PHOTONIC = "classical/base/seed-0", "photonic/rounds=4,bond_dim=1/seed-0"  # a variant with a comma, as most have


def small_study() -> dict:
    """Two runs of a second or two on the digits; a checkpoint after each round."""
    return {
        "study": {"name": "small"},
        "dataset": {"name": "digits"},
        "mapping": {"bond_dim": 2},
        "schedules": {
            "classical": {"epochs": 3},
            "gradient": {"rounds": 5, "mapping_epochs": 1, "phase_steps": 1, "phase_batch_size": 100},
        },
        "experiments": {
            "classical": {"method": "classical", "seeds": [0]},
            "photonic": {"method": "quantum_train", "seeds": [0], "override": {"schedule.rounds": 4, "mapping.bond_dim": 1}},
        },
        "execution": {"checkpoint_seconds": 0},
    }


def new_house(folder: Path, study: dict | None = None) -> Path:
    """The workflow's own files with a small study, in a folder of their own."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "Snakefile", folder)
    shutil.copytree(ROOT / "workflow", folder / "workflow")
    (folder / "profiles").symlink_to("workflow/profiles")
    (folder / "params.yaml").write_text(yaml.safe_dump(study or small_study(), sort_keys=False))
    return folder


def command(house: Path, *words: str) -> dict:
    """Arguments of subprocess that call a program in a house, with this environment's programs and this tree's package."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"args": words, "cwd": house, "env": environment, "text": True}


def call(house: Path, *words: str, ok: bool = True) -> str:
    """What a program says; it must succeed, or fail where ``ok`` is False."""
    done = subprocess.run(**command(house, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (done.returncode == 0) is ok, done.stdout
    return done.stdout


def call_here(house: Path, *words: str, ok: bool = True) -> str:
    """What `lightweights` says, called in this process, as starting one takes seconds; it must succeed, or fail where ``ok`` is False."""
    said, words_before = io.StringIO(), sys.argv
    sys.argv = ["lightweights", *words]
    try:
        with contextlib.chdir(house), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main()
    except SystemExit as ended:
        assert (not ended.code) is ok, said.getvalue()
    finally:
        sys.argv = words_before
    return said.getvalue()


def dry_run(house: Path, *words: str) -> str:
    """What `snakemake -n` says, called in this process, as starting one takes seconds; it must succeed."""
    from snakemake.cli import main as snakemake

    said, ended = io.StringIO(), None
    with contextlib.chdir(house), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            snakemake(["-n", *words])
        except SystemExit as error:
            ended = error.code
    assert not ended, said.getvalue()
    return said.getvalue()


def training(house: Path) -> psutil.Process | None:
    """The process that trains in this house, if one does."""
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        if "train" in words and any(word.endswith("lightweights") for word in words) and process.info["cwd"] == str(house):
            return process
    return None


def wait_for(found: Callable, started: subprocess.Popen, seconds: float = 900):
    """What ``found`` gives once it gives something; the program that was started must still run."""
    deadline = time.monotonic() + seconds
    while not (thing := found()):
        assert started.poll() is None, started.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return thing


def timeless(house: Path, runs: str = RUNS_CSV) -> str:
    """runs.csv without wall times."""
    return pd.read_csv(house / runs, dtype=str).drop(columns="wall_seconds").to_csv()
