"""What this tree costs beside an earlier edition of itself, in whole processes: python -m benchmarks editions [--before COMMIT].

Pieces of work, each done by both editions in turn, so that whatever slows the machine down slows both:

- rounds of Table 3's longest run (bond dimension 10, sizes of partial MNIST), whose 200 make a run: without the start of their process,
  measured after each round as they landed, measured as seldom as a new experiment may ask for, and with the network alone, whose own
  weights are trained in the same steps: less than that no generator of weights can take;
- six short runs, by Snakemake: mostly starts of processes;
- the demo, with its report.

The earlier edition is taken from git into a folder of its own and runs in this environment. Times are of processors, of a process and all
that it started.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "e11a71707e4cbb91e3ce62055a05385a0d7dae7c"
"""The first edition as it was finished: every run a process, memory given back, a longer demo."""
ROUNDS = 200
"""Of a run of Table 3."""
SELDOM = 10
"""Rounds between two measurements, which the first edition has after every round (``schedule.measure_every``)."""
TREE = ("Snakefile", "params.yaml", "workflow", "profiles", "chapters", "src", "benchmarks")
"""What an edition needs to run."""


class NoEditionError(RuntimeError):
    """The earlier edition cannot be had from git."""


@dataclass(frozen=True)
class Work:
    """A piece of work: the programs that do it, how many times over a whole one is, and the ratio that is aimed at.

    With ``prints`` the last program prints the processor and wall seconds that count, in place of those of its process.
    """

    name: str
    programs: Sequence[Sequence[str]]
    times: int = 1
    target: float | None = None
    prints: bool = False


SHORT = """\
study: {study}
dataset: {name: digits}
experiments: {classical: {seeds: [0, 1, 2, 3, 4, 5], override: {schedule.epochs: 1}}}
"""


def works(now: bool) -> list[Work]:
    """The pieces of work as this edition or the earlier one does them."""
    demo = ["--configfile", "workflow/presets/demo.yaml"]
    whole = [["snakemake", "--cores", "2", "all", "results/demo/report.html", *demo]]
    apart = [["snakemake", "--cores", "2", *demo], ["snakemake", "--cores", "1", "results/demo/report.html", *demo]]
    together = ["--config", "execution__together_seconds=60"] if now else []
    table3 = [sys.executable, str(Path(__file__).with_name("table3.py"))]
    seldom, alone = (["--every", str(SELDOM)], ["--alone"]) if now else ([], [])
    return [
        Work("run of Table 3, bond_dim=10", [table3], ROUNDS, 0.70, prints=True),
        Work(f"the same, now measured every {SELDOM}th round", [[*table3, *seldom]], ROUNDS, prints=True),
        Work("the same, now the network alone", [[*table3, *alone]], ROUNDS, prints=True),
        Work("six runs of a second", [["snakemake", "--cores", "1", "classical", "--configfile", "short.yaml", *together]]),
        Work("demo", [*(whole if now else apart), ["lightweights", "show", "demo"]], target=0.35),
    ]


def lay_out(folder: Path, commit: str | None) -> Path:
    """An edition in a folder: that of a commit, or this tree as it is. Raises NoEditionError where git has no such commit."""
    folder.mkdir(parents=True)
    if commit is None:
        for name in TREE:
            place = ROOT / name
            if place.is_dir() and not place.is_symlink():
                shutil.copytree(place, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(place, folder / name, follow_symlinks=False)
    else:
        packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True)
        if packed.returncode:
            raise NoEditionError(
                f"{commit}: not in this clone ({packed.stderr.decode().strip()}); fetch it, or name another: --before COMMIT"
            )
        subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
        shutil.rmtree(folder / "results", ignore_errors=True)
    chapters = ", chapters: [quantum_train]" if (folder / "chapters").is_dir() else ""
    (folder / "short.yaml").write_text(SHORT.replace("{study}", f"{{name: short{chapters}}}"))
    return folder


def seconds(house: Path, work: Work) -> tuple[float, float]:
    """Processor and wall seconds of a piece of work in an edition, from nothing."""
    shutil.rmtree(house / "results", ignore_errors=True)
    environment = os.environ | {"PYTHONPATH": str(house / "src"), "OMP_NUM_THREADS": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as in the Makefile
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for program in work.programs:
        done = subprocess.run(program, cwd=house, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(program)} ended with status {done.returncode}:\n{done.stdout[-2000:]}")
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if work.prints:
        used, wall = map(float, done.stdout.split())
        return used, wall
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def measured(commit: str, rounds: int) -> pd.DataFrame:
    """One row a piece of work: core-seconds of both editions (medians), the median of the pairs' ratios, wall seconds of this one."""
    rows = []
    with tempfile.TemporaryDirectory() as place:
        houses = {True: lay_out(Path(place) / "now", None), False: lay_out(Path(place) / "before", commit)}
        for ours, theirs in zip(works(True), works(False), strict=True):
            print(ours.name, file=sys.stderr)
            found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
            for number in range(rounds):
                for now in (True, False) if number % 2 else (False, True):
                    found[now].append(seconds(houses[now], ours if now else theirs))
            ratios = [a[0] / b[0] for a, b in zip(found[True], found[False], strict=True)]
            row = {"work": ours.name, "repeats": rounds} | {
                name: ours.times * statistics.median(one[column] for one in found[now])
                for name, now, column in (("before_core_s", False, 0), ("now_core_s", True, 0), ("now_wall_s", True, 1))
            }
            rows.append(row | {"ratio": statistics.median(ratios), "target": ours.target})
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame, commit: str, facts: Sequence[str]) -> str:
    """The table for reading."""
    lines = [
        "# This edition beside an earlier one",
        "",
        f"Core-seconds of whole processes, both editions in turn; the earlier one is {commit[:7]}. Ratios are medians of pairs.",
        f"A run of Table 3 is {ROUNDS} times a round.",
        "",
        "| work | before, core-s | now, core-s | ratio | target | now, wall s | repeats |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table.itertuples():
        target = "" if pd.isna(row.target) else f"at most {row.target:.2f}: {'met' if row.ratio <= row.target else 'missed'}"
        cells = (
            row.work,
            f"{row.before_core_s:.0f}",
            f"{row.now_core_s:.0f}",
            f"{row.ratio:.2f}",
            target,
            f"{row.now_wall_s:.0f}",
            row.repeats,
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", *facts, ""])
