"""Data in tensors on the device, and measures on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from lightweights.datasets import Dataset, Split

EVALUATION_BATCH = 1000


@dataclass(frozen=True)
class Examples:
    """Images (n, channels, height, width) in [0, 1], float32, and labels (n,)."""

    images: Float[Tensor, "n channels height width"]
    labels: Int[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, positions: Int[Tensor, " k"]) -> tuple[Tensor, Tensor]:
        """Images and labels at the positions."""
        positions = positions.to(self.labels.device)
        return self.images[positions], self.labels[positions]


@dataclass(frozen=True)
class TrainingData:
    """What a run trains and is measured on."""

    train: Examples
    tests: dict[str, Examples]


def on_device(dataset: Dataset, device: torch.device) -> TrainingData:
    """The data set as float tensors on a device."""

    def convert(split: Split) -> Examples:
        return Examples(split.images.to(device).float().div_(255), split.labels.to(device))

    return TrainingData(convert(dataset.train), {name: convert(split) for name, split in dataset.tests.items()})


def minibatches(count: int, size: int, generator: torch.Generator) -> Iterator[Int[Tensor, " k"]]:
    """Positions of one epoch's minibatches: a random permutation cut into pieces, the last one possibly smaller."""
    yield from torch.randperm(count, generator=generator).split(size)


def random_batch(count: int, size: int, generator: torch.Generator) -> Int[Tensor, " k"]:
    """Positions of one random batch without repetition; all of them if fewer than ``size``."""
    return torch.randperm(count, generator=generator)[:size]


@torch.no_grad()
def measure(predict: Callable[[Tensor], Tensor], data: TrainingData) -> dict[str, float]:
    """Accuracies in percent, cross-entropies in nats (means over images) and generalisation errors (test minus train cross-entropy)."""
    values: dict[str, float] = {}
    for name, examples in {"train": data.train, **data.tests}.items():
        correct, loss = 0, 0.0
        for images, labels in zip(examples.images.split(EVALUATION_BATCH), examples.labels.split(EVALUATION_BATCH), strict=True):
            logits = predict(images)
            correct += int((logits.argmax(-1) == labels).sum())
            loss += float(F.cross_entropy(logits, labels, reduction="sum"))
        values[f"{name}_accuracy_percent"] = 100 * correct / len(examples)
        values[f"{name}_cross_entropy"] = loss / len(examples)
        if name != "train":
            values[f"{name}_generalisation_error"] = values[f"{name}_cross_entropy"] - values["train_cross_entropy"]
    return values
