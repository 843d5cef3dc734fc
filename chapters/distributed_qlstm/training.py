"""Training a forecaster epoch by epoch, and measuring it: RMSprop on the mean squared error, as in the code of this line of work.

The published protocol trains all epochs and sets nothing aside. The fair one keeps the forecaster of the epoch with the least validation
loss, and ends once that lies ``patience`` epochs back. Forecasts by least squares, or without numbers, are there at once.
"""

import copy
import math
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


def epochs(training: Training, parts: Parts, *, count: int, batch_size: int, lr: float, patience: int) -> Iterator[dict[str, float]]:
    """Train from where the training stands; yields the history row of each epoch."""
    module = training.module
    assert isinstance(module, Kept)
    if not training.optimisers:
        count = 1
    while len(training.rows) < count and not over(training.rows, patience):
        epoch = len(training.rows) + 1
        loss = _step_through(training, module.forecaster, parts.train, batch_size)
        values = {"training_loss": loss} | measures(module.forecaster, parts)
        require_finite(values, f"epoch {epoch}", f"schedule.lr (it is {lr:g})")
        row = {"epoch": epoch} | values
        if best_row([*training.rows, row]) is row:
            module.keep()
        yield training.finish_row(row)


def over(rows: list[dict[str, float]], patience: int) -> bool:
    """Whether the least validation loss lies ``patience`` epochs back; never where nothing is set aside for validation."""
    return bool(rows) and "validation_mse" in rows[-1] and rows[-1]["epoch"] - best_row(rows)["epoch"] >= patience


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


def error_to_linear(forecaster: nn.Module, parts: Parts) -> float:
    """Test error, root mean square, in units of that of the least-squares forecast from the same four values."""
    linear = Linear()
    linear.fit(parts.train)
    return math.sqrt(measures(forecaster, parts)["test_mse"] / measures(linear, parts)["test_mse"])


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
