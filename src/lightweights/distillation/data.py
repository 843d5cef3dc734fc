"""Data of a distillation: a validation set cut from the training images, and the teacher's logits, computed once."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.distillation.calibration import scores
from lightweights.settings.schedules import Precision
from lightweights.training.data import Examples, TrainingData

CPU_BATCH, GPU_BATCH = 125, 2000
"""Images evaluated at once. On a CPU 125 is about twice as fast as 1000: the pictures between layers stay in its caches."""

CHANNELS = {"cifar-10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))}
"""Mean and standard deviation of the channels by which a data set's images are normalised; those of all others stay in [0, 1]."""


@dataclass(frozen=True)
class DistillationData:
    """What a teacher or student trains on, what the angles are tuned on, and what both are measured on."""

    train: Examples
    validation: Examples
    tests: dict[str, Examples]


def prepare(
    data: TrainingData, name: str, generator: torch.Generator, validation_images: int = 5000, train_images: int | None = None
) -> DistillationData:
    """Cut the validation set, at most a tenth, from the training images at random, keep ``train_images`` of the rest (None: all), and
    normalise.
    """
    order = torch.randperm(len(data.train), generator=generator)
    held = min(validation_images, len(order) // 10)
    if held < 1:
        raise ValueError(f"{len(order)} training images: at least 10 are needed to hold some out for validation")
    kept = order[held:] if train_images is None else order[held:][:train_images]
    train, validation = (normalised(Examples(*data.train.at(part)), name) for part in (kept, order[:held]))
    return DistillationData(train, validation, {test: normalised(examples, name) for test, examples in data.tests.items()})


def normalised(examples: Examples, name: str) -> Examples:
    """By the data set's channel means and deviations, if it has any."""
    if name not in CHANNELS:
        return examples
    mean, deviation = (torch.tensor(values, device=examples.images.device).view(-1, 1, 1) for values in CHANNELS[name])
    return Examples((examples.images - mean).div_(deviation), examples.labels)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager:
    """Mixed precision, or none: ``auto`` is bfloat16 on a GPU and float32 on a CPU. bfloat16 has float32's range: no loss scaling."""
    if precision == "float32" or (precision == "auto" and device.type == "cpu"):
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


@torch.no_grad()
def logits_of(network: nn.Module, images: Float[Tensor, "n channels height width"], precision: Precision) -> Float[Tensor, "n classes"]:
    """The logits of all images, float32, from the network in evaluation mode; its mode is put back."""
    training = network.training
    network.eval()
    size = CPU_BATCH if images.device.type == "cpu" else GPU_BATCH
    with autocast(images.device, precision):
        logits = torch.cat([network(batch).float() for batch in images.split(size)])
    network.train(training)
    return logits


def measure(network: nn.Module, data: DistillationData, precision: Precision, train_images: int | None = None) -> dict[str, float]:
    """Accuracy, cross-entropy and calibration error on the validation set, the test sets, and the first ``train_images`` training images
    (None: all; their order is random).
    """
    train = Examples(data.train.images[:train_images], data.train.labels[:train_images])
    values: dict[str, float] = {}
    for name, examples in {"train": train, "validation": data.validation, **data.tests}.items():
        values |= scores(logits_of(network, examples.images, precision), examples.labels, name)
    return values
