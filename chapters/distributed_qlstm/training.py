"""Training a forecaster epoch by epoch, and measuring it: RMSprop on the mean squared error, as in the code of this line of work.

All train the same number of epochs. The published protocol sets nothing aside, and the last forecaster is the one that is kept; the fair
one keeps that of the epoch with the least validation loss. Forecasts by least squares, or without numbers, are there at once.
"""

import copy
from collections.abc import Iterator

import torch
from torch import nn

from lightweights.training.data import minibatches
from lightweights.training.randomness import stream
from lightweights.training.state import Training, require_finite

from .classical import Linear
from .windows import Parts, Windows, r2


class Kept(nn.Module):
    """A forecaster in training, and the one that is kept: a copy of it at its best epoch so far, or at the last where nothing judges."""

    def __init__(self, forecaster: nn.Module) -> None:
        super().__init__()
        self.forecaster = forecaster
        self.kept = copy.deepcopy(forecaster).requires_grad_(False)
        self.register_buffer("here", torch.zeros(()), persistent=False)  # tells the device of a forecaster without numbers

    def keep(self) -> None:
        """From now on, the present one."""
        self.kept.load_state_dict(self.forecaster.state_dict())


def begin_forecaster(forecaster: nn.Module, lr: float, seed: int) -> Training:
    """A training that has not started."""
    trained = [p for p in forecaster.parameters() if p.requires_grad]
    stepped = bool(trained) and not isinstance(forecaster, Linear)
    optimisers: dict[str, torch.optim.Optimizer] = {}
    if stepped:
        optimisers["forecaster"] = torch.optim.RMSprop(trained, lr=lr, alpha=0.99, eps=1e-8)
    return Training(Kept(forecaster), optimisers, {"batches": stream(seed, "batches")})


def epochs(training: Training, parts: Parts, *, count: int, batch_size: int, lr: float) -> Iterator[dict[str, float]]:
    """Train from where the training stands; yields the history row of each epoch.

    ``best_test_r2`` is the largest R2 on the test part so far, which no honest choice of an epoch could have known.
    """
    module = training.module
    assert isinstance(module, Kept)
    for epoch in range(len(training.rows) + 1, count + 1):
        loss = _step_through(training, module.forecaster, parts.train, batch_size)
        values = {"training_loss": loss} | measures(module.forecaster, parts)
        values["best_test_r2"] = max([values["test_r2"], *(row["best_test_r2"] for row in training.rows[-1:])])
        require_finite(values, f"epoch {epoch}", f"schedule.lr (it is {lr:g})")
        row = {"epoch": epoch} | values
        if best_row([*training.rows, row]) is row:
            module.keep()
        yield training.finish_row(row)


def best_row(rows: list[dict[str, float]]) -> dict[str, float]:
    """The epoch whose forecaster is kept: the first with the least validation loss, or the last where there is no validation."""
    return min(rows, key=lambda row: row["validation_mse"]) if "validation_mse" in rows[-1] else rows[-1]


@torch.no_grad()
def measures(forecaster: nn.Module, parts: Parts) -> dict[str, float]:
    """Mean squared errors in scaled units and R2 on every part that has windows."""
    found = {}
    for name, windows in (("train", parts.train), ("validation", parts.validation), ("test", parts.test)):
        if len(windows):
            predicted = forecaster(windows.inputs)
            found[f"{name}_mse"] = float((predicted - windows.targets).square().mean())
            found[f"{name}_r2"] = r2(predicted, windows)
    return found


def _step_through(training: Training, forecaster: nn.Module, train: Windows, batch_size: int) -> float:
    """One epoch of minibatches; the mean loss."""
    if isinstance(forecaster, Linear):
        forecaster.fit(train)
    if not training.optimisers:
        return measures(forecaster, Parts(train, train[:0], train))["train_mse"]
    optimiser, total = training.optimisers["forecaster"], 0.0
    for batch in minibatches(len(train), batch_size, training.streams["batches"]):
        windows = train[batch]
        loss = (forecaster(windows.inputs) - windows.targets).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += float(loss.detach()) * len(windows)
    return total / len(train)
