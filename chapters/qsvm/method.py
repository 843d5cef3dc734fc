"""What the engine asks of a run of this chapter. Nothing is trained by steps: a round compares one more kernel."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lightweights.datasets import Dataset
from lightweights.methods.method import Told
from lightweights.settings.base import SettingsError
from lightweights.training.randomness import stream
from lightweights.training.state import Training

from .arms import ARMS, QUANTUM, measure
from .features import split_pair
from .settings import QsvmRun


def check(settings: QsvmRun, where: str) -> None:
    """Raises SettingsError where the pair is none, or the images have too few components."""
    section = settings.pair
    if section.classes[0] == section.classes[1]:
        raise SettingsError(f"{where}: pair.classes = {list(section.classes)}: one class twice; name two")
    if section.qubits > 0.8 * section.images:
        raise SettingsError(f"{where}: pair.qubits = {section.qubits}: {section.images} images, of which 4/5 train, have fewer components")


def begin(
    settings: QsvmRun, data: Dataset, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """Nothing compared yet."""
    return Training(nn.Module(), {}, {})


def advance(
    training: Training, settings: QsvmRun, data: Dataset, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """One kernel a round; a row holds what all kernels so far have reached."""
    section = settings.pair
    rng = np.random.default_rng(stream(seed, "split").initial_seed())
    pair = split_pair(data.train.images.numpy(), data.train.labels.numpy(), section.classes, section.images, rng)
    names = list(ARMS)
    for number in range(len(training.rows) + 1, settings.schedule.rounds + 1):
        name = names[number - 1]
        outcome = asdict(measure(ARMS[name], pair, section.qubits, seed))
        before = training.rows[-1] if training.rows else {}
        yield training.finish_row(before | {"round": number} | {f"{name}_{quantity}": value for quantity, value in outcome.items()})


def tell(training: Training, settings: QsvmRun, data: Dataset, seed: int) -> Told:
    """Accuracies of all kernels and how the quantum ones concentrate; history.csv has the rest. A support vector machine trains as many
    numbers as there are training images, whatever the kernel.
    """
    count = settings.pair.images - round(0.2 * settings.pair.images)
    zero = dict.fromkeys(("target", "mapping", "phases_published", "phases_used", "phases_effective"), 0)
    trained = dict.fromkeys(("trained_published", "trained_used", "trained_effective"), count)
    reported = [f"{name}_tested_percent" for name in ARMS] + [f"{name}_off_diagonal_mean" for name in QUANTUM]
    there = (*reported, "chain_kernel_seconds", "chain_tuned_bandwidth")
    return Told(zero | trained, training.module, reported=tuple(name for name in there if name in training.rows[-1]))
