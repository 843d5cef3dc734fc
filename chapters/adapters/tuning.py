"""Training what stands beside a frozen network: every learning rate from the same start, the best by validation kept."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from lightweights.training.state import DivergenceError, Training, adam

from .settings import AdaptSchedule


class Task(Protocol):
    """What is adapted to."""

    count: int
    """Examples to train on."""

    def loss(self, module: nn.Module, rows: Tensor) -> Tensor:
        """Mean loss of some of the examples."""

    def validated(self, module: nn.Module) -> dict[str, float]:
        """Measures on the validation examples; the first decides, and less is better."""

    def tested(self, module: nn.Module) -> dict[str, float]:
        """Measures on the test set."""


@dataclass(frozen=True)
class Reached:
    """What one learning rate has led to: the epoch that is kept, its validation, and the mean loss of the last epoch."""

    epoch: int
    validation: dict[str, float]
    training: float


class Kept(nn.Module):
    """The network as the best learning rate so far has left it."""

    def __init__(self, kept: nn.Module) -> None:
        super().__init__()
        self.kept = kept

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the kept network gives."""
        return self.kept(*inputs)


def rounds(
    training: Training, new: Callable[[], nn.Module], task: Task, schedule: AdaptSchedule, draws: Callable[[], torch.Generator]
) -> Iterator[dict[str, float]]:
    """A row a learning rate. ``new`` gives the network at its initial values, ``draws`` the stream of the order of batches: both the same
    each time. The start counts as an epoch of its own, so that no arm ends worse by validation than the frozen network.
    """
    wrapped = training.module
    assert isinstance(wrapped, Kept)
    for number, lr in enumerate(schedule.learning_rates[len(training.rows) :], len(training.rows) + 1):
        module = new()
        reached = tune(module, task, schedule, lr, draws())
        measure = next(iter(reached.validation))
        if not training.rows or reached.validation[measure] < min(row[measure] for row in training.rows):
            wrapped.kept.load_state_dict(module.state_dict())
        row = {"round": number, "learning_rate": lr, "epoch": reached.epoch, "training_loss": reached.training, **reached.validation}
        yield training.finish_row(row | task.tested(module))


def tune(module: nn.Module, task: Task, schedule: AdaptSchedule, lr: float, draws: torch.Generator) -> Reached:
    """Train with one learning rate, falling linearly to nothing, and leave the module as it was in the epoch that validates best."""
    trained = [p for p in module.parameters() if p.requires_grad]
    found = Reached(0, task.validated(module), float("nan"))
    measure = next(iter(found.validation))
    if not trained:
        return Reached(0, found.validation, found.validation[measure])
    best = copy.deepcopy([p.data for p in trained])
    optimiser = adam(trained, lr)
    batches = -(-task.count // schedule.batch_size)
    losses: list[float] = []
    for epoch in range(1, schedule.epochs + 1):
        module.train()
        losses = []
        for number, rows in enumerate(torch.randperm(task.count, generator=draws).split(schedule.batch_size)):
            optimiser.param_groups[0]["lr"] = lr * (1 - ((epoch - 1) * batches + number) / (schedule.epochs * batches))
            optimiser.zero_grad()
            loss = task.loss(module, rows)
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
            if not all(bool(parameter.isfinite().all()) for parameter in trained):
                losses.append(float("nan"))  # photons refuse phases that are no numbers
                break
        if not all(map(_finite, losses)):
            break  # this learning rate is too large for the arm, and its best epoch stands
        validation = task.validated(module)
        if validation[measure] < found.validation[measure]:
            found, best = Reached(epoch, validation, 0.0), copy.deepcopy([p.data for p in trained])
    for parameter, values in zip(trained, best, strict=True):
        parameter.data.copy_(values)
    mean = sum(losses) / len(losses)
    if not _finite(mean) and found.epoch == 0 and not _finite(found.validation[measure]):
        raise DivergenceError(f"the loss is {mean} before the first step; the frozen network is broken")
    return Reached(found.epoch, found.validation, mean if _finite(mean) else found.validation[measure])


def _finite(value: float) -> bool:
    return abs(value) < float("inf")
