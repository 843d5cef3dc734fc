"""What a training trains on, as a loop needs it: batches, the loss of one, and what is measured after a round."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from lightweights.training.data import TrainingData, measure, minibatches, random_batch
from lightweights.training.state import EpochMeter

Call = Callable[..., Any]
"""The module with the weights of the moment, called as itself."""


class Meter(Protocol):
    """Gathers what an epoch shows."""

    def add(self, loss: Tensor, outputs: Any, labels: Any) -> None:
        """One more batch; ``loss`` is its mean."""
        ...

    def row(self) -> dict[str, float]:
        """Columns of the history, ``training_loss`` among them."""
        ...


@dataclass(frozen=True)
class Task:
    """``epoch()`` gives one epoch's batches, ``batch()`` one for the phases, ``loss(call, batch)`` its mean loss with the outputs and
    labels that the meter takes, ``measured(call)`` the columns that a round ends with, in evaluation mode and without gradients.
    ``steady``: a batch is a tuple of tensors, the loss gives tensors and does the same with each batch, so that a GPU may record it.
    """

    epoch: Callable[[], Iterable[Any]]
    batch: Callable[[], Any]
    loss: Callable[[Call, Any], tuple[Tensor, Any, Any]]
    measured: Callable[[Call], dict[str, float]]
    meter: Callable[[], Meter]
    steady: bool = False


def classification(data: TrainingData, batch_size: int, phase_batch_size: int, streams: dict[str, torch.Generator]) -> Task:
    """Images and their classes, by cross-entropy: epochs of random minibatches, and for the phases random batches."""

    def loss(call: Call, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        images, labels = batch
        logits = call(images)
        return F.cross_entropy(logits, labels), logits, labels

    count = len(data.train)
    return Task(
        epoch=lambda: (data.train.at(batch) for batch in minibatches(count, batch_size, streams["batches"])),
        batch=lambda: data.train.at(random_batch(count, phase_batch_size, streams["phase-batches"])),
        loss=loss,
        measured=lambda call: measure(call, data),
        meter=EpochMeter,
        steady=True,
    )
