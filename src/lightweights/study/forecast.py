"""`lightweights plan`: what the runs that are still to do cost, here and on a cluster."""

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lightweights.settings.data_sets import taken_for
from lightweights.settings.runs import Run
from lightweights.settings.study import Study
from lightweights.study.cost import Cost, Costs, job_group
from lightweights.study.layout import RESULTS, metrics_file

RUNS_A_JOB = {"short": 20, "medium": 4, None: 1}
"""As the profiles for clusters group runs."""

JOB_SECONDS = 15.0
"""What each job on a cluster costs besides its runs: waiting for its start, and Snakemake twice inside it."""


@dataclass(frozen=True)
class Line:
    """Runs of one experiment: asked for, to do, seconds of one core of all that are to do, of the longest, and where the estimate comes
    from.
    """

    experiment: str
    asked: int
    to_do: int
    seconds: float
    longest: float
    source: str


def forecast(study: Study, results: Path = RESULTS) -> tuple[list[Line], list[tuple[Run, Cost]]]:
    """A line an experiment, and every run that is still to do with its cost."""
    runs = study.runs()
    costs = Costs(runs, results)
    left = [(run, costs.of(run)) for run in runs if not metrics_file(run, results).is_file()]
    lines = []
    for experiment in study.experiments:
        asked = sum(run.experiment == experiment for run in runs)
        mine = [cost for run, cost in left if run.experiment == experiment]
        sources = sorted({cost.source for cost in mine})
        if asked:
            seconds = [cost.seconds for cost in mine]
            lines.append(Line(experiment, asked, len(mine), sum(seconds), max(seconds, default=0.0), ", ".join(sources)))
    return lines, left


def makespan(jobs: list[float], places: int) -> float:
    """Seconds until all jobs are done when each free place takes the longest job that is left."""
    ends = [0.0] * max(1, min(places, len(jobs)))
    for job in sorted(jobs, reverse=True):
        heapq.heappush(ends, heapq.heappop(ends) + job)
    return max(ends)


def jobs_of(runs: list[tuple[str | None, float]]) -> list[float]:
    """Seconds of the jobs that a cluster gets from runs, each with its group and seconds: those of a group share jobs, as profiles say."""
    kinds: dict[str | None, list[float]] = {kind: [] for kind in RUNS_A_JOB}
    for kind, value in runs:
        kinds[kind].append(value)
    return [
        JOB_SECONDS + sum(values[start : start + size])
        for kind, size in RUNS_A_JOB.items()
        for values in [sorted(kinds[kind])]
        for start in range(0, len(values), size)
    ]


def remote_lines(left: Iterable[Run], price: float | None) -> list[str]:
    """What runs on platforms far away ask of them: jobs, shots and, with the credits for a million shots, credits; a line a platform."""
    asked: dict[str, list[int]] = {}
    for run in left:
        photonics = run.settings.photonics
        if photonics is None or photonics.backend != "perceval-remote":
            continue
        from lightweights.methods.devices import jobs_asked  # torch, which other forecasts do without
        from lightweights.methods.quantum_train import circuits_of_run

        jobs = sum(jobs_asked(run.settings, circuits_of_run(run.settings)))
        runs = asked.setdefault(photonics.platform, [0, 0, 0])
        for place, number in enumerate((1, jobs, jobs * photonics.shots)):
            runs[place] += number
    credits = "" if price is None else ", {:,.0f} credits"
    lines = [
        f"Platform {name}: {runs} runs send at most {jobs:,} jobs of {shots:,} shots in all{credits.format(shots / 1e6 * (price or 0))}."
        for name, (runs, jobs, shots) in asked.items()
    ]
    return [*lines, *(["Credits: --price N, what the platform asks for a million shots."] if lines and price is None else [])]


def plan_text(study: Study, cores: int, nodes: int | None, cores_per_node: int, results: Path = RESULTS, price: float | None = None) -> str:
    """The forecast as text: a table by experiment, then time, memory and disk here, and on a cluster where one is given. With several
    threads a run is taken to be as many times as fast.
    """
    lines, left = forecast(study, results)
    threads = study.execution.threads
    rows = [("experiment", "runs", "to do", "core-hours", "longest run", "estimated from")]
    rows += [
        (line.experiment, str(line.asked), str(line.to_do), f"{line.seconds / 3600:.1f}", duration(line.longest / threads), line.source)
        for line in lines
    ]
    seconds = [cost.seconds / threads for _, cost in left]
    rows.append(
        ("all", str(len(study.runs())), str(len(left)), f"{sum(seconds) * threads / 3600:.1f}", duration(max(seconds, default=0.0)), "")
    )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if not left:
        return "\n".join([*text, "", "All runs are there."])
    memory = max(cost.memory_mb for _, cost in left)
    at_once = max(1, cores // threads)
    disk = sum(cost.disk_bytes for _, cost in left) + sum(
        (known.train + known.test) * (known.numbers + 8)
        for known in (taken_for(dataset.name) for dataset in study.datasets([run for run, _ in left]))
    )
    text += [
        "",
        f"Here, {cores} cores: {duration(makespan(seconds, at_once))} with {at_once} runs at once, "
        f"{memory * at_once / 1024:.1f} GiB of memory.",
        f"Disk: {disk / 2**20:.0f} MiB for runs, weights and prepared data.",
    ]
    if nodes is not None:
        jobs = jobs_of([(job_group(run.settings), value) for (run, _), value in zip(left, seconds, strict=True)])
        slots = max(1, cores_per_node // threads)
        text.append(
            f"Cluster, {nodes} nodes with {cores_per_node} cores: {duration(makespan(jobs, nodes * slots))} in {len(jobs)} jobs, without "
            f"waiting in its queue; {memory * slots / 1024:.1f} GiB of memory on a full node."
        )
    text += remote_lines([run for run, _ in left], price)
    if any("table" in line.source for line in lines):
        text.append("Where no run of its kind has landed the estimate is from a table, and may be off by a factor of two.")
    return "\n".join(text)


def duration(seconds: float) -> str:
    """Rounded, in the unit that a reader wants: 40 s, 12 min, 3.5 h, 2.1 days."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
