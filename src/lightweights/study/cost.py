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

from lightweights.params import (
    TUNED_SOURCES,
    ClassicalSchedule,
    CobylaSchedule,
    DatasetSection,
    GradientSchedule,
    Run,
    RunSettings,
    StudentSchedule,
    TeacherSchedule,
)
from lightweights.study.files import read_json
from lightweights.study.layout import RESULTS, metrics_file

IMAGES = {
    "digits": (1347, 450, 784),
    "mnist-partial": (6000, 10_600, 784),
    "mnist": (60_000, 10_000, 784),
    "fashion-mnist": (60_000, 10_000, 784),
    "cifar-10": (50_000, 10_000, 3072),
}
"""Images to train on, images to test on (all test sets together), numbers in an image."""


def images_of(dataset: DatasetSection) -> tuple[int, int, int]:
    """Those of a data set; one's own is taken to be as large as MNIST."""
    return IMAGES.get(dataset.name, IMAGES["mnist"])


SECONDS_PER_MILLION = {"classical": 20.0, "gradient": 23.0, "cobyla": 27.0, "spsa": 27.0, "gate_qt": 56.0}
SECONDS_PER_MILLION |= {"distillation": 350.0, "distillation_bfloat16": 160.0}
"""Seconds of one core for a million images of 28 x 28 pixels through the publication's network, by family. Measured as processor time of
one round (two epochs) on partial MNIST; bond dimension, circuits up to [16, 6] and noise change it by less than a tenth. In bfloat16 a
processor without instructions for it takes longer than in float32."""

IMAGES_PER_SHOT = 0.5
"""A shot of 8 photons in 16 modes takes about as long as half an image through a teacher."""

LEAST_BATCH = 128
"""Images that a step on the phases costs at least: what the photons take does not shrink with the batch."""

START_SECONDS = 6.0
"""Starting Python and torch and reading the data."""

BASE_MEMORY_MB = 600
"""Memory of a run without its data. With them, runs on partial MNIST have held up to 637 MiB."""

LARGEST_MATRIX_MB = 1024
"""Of a dictionary convolution's fixed matrix; a larger one is not kept (networks/dictionary.py)."""

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


def work_of(settings: RunSettings) -> float:
    """Millions of images through the target network, each counted with its number of pixels relative to 28 x 28."""
    train, test, numbers = images_of(settings.dataset)
    schedule, measured = settings.schedule, train + test
    if isinstance(schedule, TeacherSchedule | StudentSchedule):
        return distillation_work(settings, schedule)
    if isinstance(schedule, ClassicalSchedule):
        images = schedule.epochs * (3 * train + measured)
    else:
        mapping = 3 * schedule.mapping_epochs * train
        if isinstance(schedule, GradientSchedule):
            passes = 3 * schedule.phase_steps
        else:
            passes = schedule.evaluations if isinstance(schedule, CobylaSchedule) else 2 * schedule.phase_steps
        phases = max(schedule.phase_batch_size, LEAST_BATCH) * passes
        images = schedule.rounds * (mapping + phases + measured)
    return images * numbers / 784 / 1e6


def distillation_work(settings: RunSettings, schedule: TeacherSchedule | StudentSchedule) -> float:
    """Millions of images through a teacher of the published widths, each counted with its multiplications relative to that."""
    train, test, numbers = images_of(settings.dataset)
    section = settings.distillation_data
    assert section is not None and settings.teacher is not None
    held = min(section.validation_images, train // 10)
    kept = min(train - held, section.train_images or train)
    each = 3 * kept + min(kept, schedule.measured_train_images or kept) + held + test
    widths, once, shots = settings.teacher.widths, 0, 0
    if isinstance(schedule, StudentSchedule):
        assert settings.student is not None
        widths, once = settings.student.widths or widths, kept + held
        if settings.feature is not None:
            features = 2 * schedule.spsa_steps * (settings.feature.source in TUNED_SOURCES)
            each += features * schedule.spsa_batches * schedule.batch_size
            own = 0 if settings.feature.shots == "exact" else settings.feature.shots
            shots = (settings.feature.fit_shots or own) * settings.feature.fit_draws + own * schedule.epochs * (features + 1)
    channels = 3 if settings.dataset.name == "cifar-10" else 1
    scale = multiplications(widths, numbers // channels, channels) / multiplications((64, 128, 128), 784, 1)
    return ((schedule.epochs * each + once) * scale + IMAGES_PER_SHOT * shots) / 1e6


def multiplications(widths: tuple[int, int, int], pixels: int, channels: int) -> int:
    """Of a teacher's convolutions on one image."""
    first, second, third = widths
    return pixels * (25 * channels * first + 9 * first * second // 4 + 9 * second * third // 16)


def family_of(settings: RunSettings) -> str:
    """Runs whose seconds are proportional to their work: the baseline's kind, or the protocol; teachers and students by precision."""
    if isinstance(settings.schedule, TeacherSchedule | StudentSchedule):
        return "distillation_bfloat16" if settings.schedule.precision == "bfloat16" else "distillation"
    return settings.baseline.kind if settings.baseline is not None else settings.schedule.protocol


def estimate(settings: RunSettings) -> Cost:
    """By the table alone: what a job asks of a cluster must not depend on which runs have landed."""
    family = family_of(settings)
    rate = SECONDS_PER_MILLION.get(family, SECONDS_PER_MILLION["classical"])
    return Cost(START_SECONDS + rate * work_of(settings), memory_of(settings), RUN_DISK_BYTES, "table")


def memory_of(settings: RunSettings) -> int:
    """MiB that a run holds at most: torch, and the data as bytes and as floats; to cut a distillation's data there are up to three times
    the floats. A student holds the fixed matrices of its dictionaries, too.
    """
    train, test, numbers = images_of(settings.dataset)
    bytes_each = 5 if settings.distillation_data is None else 13
    return BASE_MEMORY_MB + math.ceil(bytes_each * (train + test) * numbers / 2**20) + matrices_of(settings)


def matrices_of(settings: RunSettings) -> int:
    """MiB of the matrices that turn a student's feature into the mixing tensors of its convolutions; 0 for any other run."""
    student, teacher = settings.student, settings.teacher
    if student is None or teacher is None or student.mixing == "trained":
        return 0
    widths = student.widths or teacher.widths
    inputs = (3 if settings.dataset.name == "cifar-10" else 1, *widths)
    layers = {"none": 0, "conv1": 1, "partial": 2, "extreme": 3}[student.compressed]
    length = student.latent or 512 if settings.time_bin is None else 2 * 2 ** (settings.time_bin.modes // 2)
    sizes = [4 * taken * given * student.rank * length / 2**20 for taken, given in zip(inputs[:layers], widths[:layers], strict=True)]
    return math.ceil(sum(min(size, LARGEST_MATRIX_MB) for size in sizes))


def job_minutes(settings: RunSettings, attempt: int = 1) -> int:
    """Time limit of a run's job: thrice the estimate and five minutes, as much again at each attempt."""
    return attempt * (5 + math.ceil(3 * estimate(settings).seconds / 60))


def job_memory_mb(settings: RunSettings, attempt: int = 1) -> int:
    """Memory limit of a run's job: half more than the estimate and what Snakemake takes inside a job, as much again at each attempt."""
    return attempt * (200 + math.ceil(1.5 * estimate(settings).memory_mb))


def job_group(settings: RunSettings) -> str | None:
    """Which runs may share a job on a cluster; None for those that are long enough alone, and for teachers and students: one waits for
    the other, which the runs of a job must not.
    """
    if settings.method in ("teacher", "student"):
        return None
    seconds = estimate(settings).seconds
    return "short" if seconds < SHORT_SECONDS else "medium" if seconds < MEDIUM_SECONDS else None


class Costs:
    """Costs of runs, calibrated by those of them that have landed: the same variant first, then its experiment, then its family."""

    def __init__(self, runs: Iterable[Run], results: Path = RESULTS) -> None:
        self._rates: dict[tuple[str, ...], list[float]] = {}
        self._memory: list[int] = []
        for run in runs:
            try:
                provenance: dict[str, Any] = read_json(metrics_file(run, results))["provenance"]
                rate = float(provenance["wall_seconds"]) * provenance.get("threads", 1) / work_of(run.settings)
                memory = provenance.get("peak_memory_mb", 0)
                if not (0 < rate < math.inf and isinstance(memory, int) and 0 <= memory < MOST_MEMORY_MB):
                    continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
                continue
            for key in self._keys(run):
                self._rates.setdefault(key, []).append(rate)
            self._memory.append(memory)

    @staticmethod
    def _keys(run: Run) -> list[tuple[str, ...]]:
        return [("variant", run.experiment, run.variant), ("experiment", run.experiment), ("family", family_of(run.settings))]

    def of(self, run: Run) -> Cost:
        """What a run costs; seconds are the median of the landed runs that are nearest to it."""
        table = estimate(run.settings)
        for key in self._keys(run):
            if key in self._rates:
                seconds = START_SECONDS + median(self._rates[key]) * work_of(run.settings)
                return Cost(seconds, max([table.memory_mb, *self._memory]), table.disk_bytes, key[0])
        return table
