"""A forecaster of a series, as the engine trains it (:mod:`lightweights.methods.method`)."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from lightweights.datasets import DataError, Series, load
from lightweights.methods.baseline import generator_tensors
from lightweights.methods.method import Told
from lightweights.quantum_train import QuantumTrain
from lightweights.settings.base import SettingsError
from lightweights.training.state import Training

from .data import values_of
from .forecasters import build, counts
from .settings import ForecastRun
from .training import Kept, begin_forecaster, best_row, epochs, measures
from .windows import Parts, cut


def check(settings: ForecastRun, where: str) -> None:
    """Raises SettingsError where the forecaster cannot be built, or the data set is no series that can be cut."""
    try:
        build(settings.forecaster, seed=0)
    except ValueError as error:
        raise SettingsError(f"{where}: forecaster: {error}") from error
    data = load(settings.dataset)
    if not isinstance(data, Series):
        raise SettingsError(f"{where}: dataset.name = {settings.dataset.name!r} is no series, which a forecaster needs")
    try:
        cut(values_of(data), settings.windows.protocol)
    except (ValueError, DataError) as error:
        raise SettingsError(f"{where}: dataset.name = {settings.dataset.name!r}: {error}") from error


def begin(
    settings: ForecastRun,
    data: Series,
    seed: int,
    device: torch.device,
    *,
    teacher: nn.Module | None = None,
    jobs: Path | None = None,
) -> Training:
    """The forecaster at its initial values."""
    return begin_forecaster(build(settings.forecaster, seed).to(device), settings.schedule.lr, seed)


def advance(
    training: Training, settings: ForecastRun, data: Series, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """Epochs of RMSprop."""
    schedule = settings.schedule
    parts = cut(values_of(data), settings.windows.protocol).to(next(training.module.buffers()).device)
    return epochs(training, parts, count=schedule.epochs, batch_size=schedule.batch_size, lr=schedule.lr)


def tell(training: Training, settings: ForecastRun, data: Series, seed: int) -> Told:
    """The forecaster that is kept, and what it foretells of the test part, in scaled units."""
    module = training.module
    assert isinstance(module, Kept)
    kept = module.kept
    parts = cut(values_of(data), settings.windows.protocol)
    generated = isinstance(kept, QuantumTrain)
    network, beside = (kept.bake(), generator_tensors(kept)) if generated else (kept, {})  # type: ignore[operator]
    return Told(
        counts_as_stated(module.forecaster),
        network,
        beside,
        kept=int(best_row(training.rows)["epoch"]),
        reported=tuple(name for name in training.rows[-1] if name.endswith("_r2")),
        details={"forecast": {"test": foretold(kept, parts)}},
    )


def aside(module: nn.Module) -> tuple[str, ...]:
    """The forecaster as it went on to be trained is no part of the model; the one that is kept is."""
    return ("forecaster.",)


def plain(module: nn.Module) -> nn.Module:
    """The forecaster that is kept."""
    assert isinstance(module, Kept)
    return module.kept.bake() if isinstance(module.kept, QuantumTrain) else module.kept


@torch.no_grad()
def measured(network: nn.Module, settings: ForecastRun, data: Series, device: torch.device) -> dict[str, float]:
    """R2 on the test part."""
    found = measures(network, cut(values_of(data), settings.windows.protocol).to(device))
    return {name: value for name, value in found.items() if name.startswith("test_")}


def example(settings: ForecastRun, data: Series) -> torch.Tensor:
    """Two windows of the test part."""
    return cut(values_of(data), settings.windows.protocol).test.inputs[:2]


@torch.no_grad()
def foretold(forecaster: nn.Module, parts: Parts) -> list[float]:
    """What follows each window of the test part, to six decimals."""
    return [round(float(value), 6) for value in forecaster.cpu()(parts.test.inputs)]


def counts_as_stated(forecaster: nn.Module) -> dict[str, int]:
    """Counts under the names that all runs have."""
    if isinstance(forecaster, QuantumTrain):
        return forecaster.parameter_counts()
    found = counts(forecaster)
    zero = dict.fromkeys(("mapping", "phases_published", "phases_used", "phases_effective"), 0)
    trained = {"trained_published": found["trained"], "trained_used": found["trained"], "trained_effective": found["effective"]}
    return {"target": found["target"], **zero, **trained}
