"""What runs cost before they are started: seconds of one core, memory, disk. From landed runs where there are any, else from a table.

A run's work is counted in images: one that passes forward through the target network counts once, one that the network is trained on three
times. Seconds are proportional to work within a family of runs; what the photons cost besides is part of the rate.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from lightweights.files import read_json
from lightweights.settings.data_sets import taken_for
from lightweights.settings.runs import Run, RunSettings
from lightweights.study.layout import RESULTS, metrics_file

SECONDS_PER_MILLION = {"classical": 20.0, "gradient": 23.0, "cobyla": 27.0, "spsa": 27.0, "gate_qt": 56.0}
SECONDS_PER_MILLION |= {"distillation": 350.0, "distillation_bfloat16": 160.0}
"""Seconds of one core for a million images of 28 x 28 pixels through the publication's network, by family. Measured as processor time of
one round (two epochs) on partial MNIST; bond dimension, circuits up to [16, 6] and noise change it by less than a tenth. In bfloat16 a
processor without instructions for it takes longer than in float32."""

START_SECONDS = 6.0
"""Starting Python and torch and reading the data."""

BASE_MEMORY_MB = 600
"""Memory of a run without its data. With them, runs on partial MNIST have held up to 637 MiB."""

MOST_MEMORY_MB = 2**30
"""A run that says to have held more than this was written by nothing of ours."""

RUN_DISK_BYTES = 60_000
"""metrics.json, history.csv, log and weights of a run with a network of 7,000 weights."""

SHORT_SECONDS, MEDIUM_SECONDS = 120.0, 900.0
"""Runs below these are grouped on a cluster: profiles say how many of a group make one job."""


@dataclass(frozen=True)
class Cost:
    """Of one run: seconds of one core, memory in MiB, bytes on disk, and what the seconds come from."""

    seconds: float
    memory_mb: int
    disk_bytes: int
    source: str


def estimate(settings: RunSettings) -> Cost:
    """By the table alone: what a job asks of a cluster must not depend on which runs have landed."""
    work = settings.work()
    rate = SECONDS_PER_MILLION.get(work.family, SECONDS_PER_MILLION["classical"])
    return Cost(START_SECONDS + rate * work.millions, memory_of(settings), RUN_DISK_BYTES, "table")


def memory_of(settings: RunSettings) -> int:
    """MiB that a run holds at most: torch, the data as its kind of run holds it, and what else that says."""
    known, work = taken_for(settings.dataset.name), settings.work()
    return BASE_MEMORY_MB + math.ceil(work.bytes_each * (known.train + known.test) * known.numbers / 2**20) + work.memory_mb


def job_minutes(settings: RunSettings, attempt: int = 1) -> int:
    """Time limit of a run's job: thrice the estimate and five minutes, as much again at each attempt."""
    return attempt * (5 + math.ceil(3 * estimate(settings).seconds / 60))


def job_memory_mb(settings: RunSettings, attempt: int = 1) -> int:
    """Memory limit of a run's job: half more than the estimate and what Snakemake takes inside a job, as much again at each attempt."""
    return attempt * (200 + math.ceil(1.5 * estimate(settings).memory_mb))


def job_group(settings: RunSettings) -> str | None:
    """Which runs may share a job on a cluster; None for those that are long enough alone, and where one waits for the other, which the
    runs of a job must not.
    """
    if settings.work().alone:
        return None
    seconds = estimate(settings).seconds
    return "short" if seconds < SHORT_SECONDS else "medium" if seconds < MEDIUM_SECONDS else None


class Costs:
    """Costs of runs, calibrated by those of them that have landed: the same variant first, then its experiment, then its family. Runs that
    a GPU trained, or that shared their steps with others, tell nothing of the seconds of a core.
    """

    def __init__(self, runs: Iterable[Run], results: Path = RESULTS) -> None:
        self._rates: dict[tuple[str, ...], list[float]] = {}
        self._memory: list[int] = []
        for run in runs:
            try:
                provenance: dict[str, Any] = read_json(metrics_file(run, results))["provenance"]
                rate = float(provenance["wall_seconds"]) * provenance.get("threads", 1) / run.settings.work().millions
                memory = provenance.get("peak_memory_mb", 0)
                if provenance.get("batch") or provenance.get("begun") or not provenance.get("device", "cpu").startswith("cpu"):
                    continue
                if not (0 < rate < math.inf and isinstance(memory, int) and 0 <= memory < MOST_MEMORY_MB):
                    continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
                continue
            for key in self._keys(run):
                self._rates.setdefault(key, []).append(rate)
            self._memory.append(memory)

    @staticmethod
    def _keys(run: Run) -> list[tuple[str, ...]]:
        return [("variant", run.experiment, run.variant), ("experiment", run.experiment), ("family", run.settings.work().family)]

    def of(self, run: Run) -> Cost:
        """What a run costs; seconds are the median of the landed runs that are nearest to it."""
        table = estimate(run.settings)
        for key in self._keys(run):
            if key in self._rates:
                seconds = START_SECONDS + median(self._rates[key]) * run.settings.work().millions
                return Cost(seconds, max([table.memory_mb, *self._memory]), table.disk_bytes, key[0])
        return table
