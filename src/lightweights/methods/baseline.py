"""A competitor of photonic Quantum-Train."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from lightweights.baselines import Baseline, baseline_epochs, begin_baseline, build_baseline
from lightweights.datasets import Dataset, shape_of
from lightweights.methods.method import Told
from lightweights.methods.target import check_batches, check_network, device_of
from lightweights.settings.base import SettingsError
from lightweights.settings.kinds import BaselineRun
from lightweights.training.data import on_device
from lightweights.training.state import Training


def check(settings: BaselineRun, where: str) -> None:
    """Raises SettingsError where the network cannot be built, or the baseline does not fit it."""
    check_network(settings.network, settings.dataset, where)
    try:
        build_baseline(settings, *shape_of(settings.dataset), seed=0)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error


def begin(
    settings: BaselineRun, data: Dataset, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """The baseline at its initial values."""
    check_batches(settings, data, seed)
    return begin_baseline(build_baseline(settings, data.input_shape, data.classes, seed).to(device), settings.schedule, seed)


def advance(
    training: Training, settings: BaselineRun, data: Dataset, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """Epochs of Adam on what is free."""
    return baseline_epochs(training, on_device(data, device_of(training.module)), settings.schedule)


def tell(training: Training, settings: BaselineRun, data: Dataset, seed: int) -> Told:
    """The plain network, and the numbers that it is made from."""
    baseline = training.module
    assert isinstance(baseline, Baseline)
    return Told(baseline.parameter_counts(), baseline.bake(), generator_tensors(baseline))


def rebuild(settings: BaselineRun, data: Dataset, seed: int) -> Baseline:
    """The baseline at its initial values."""
    return build_baseline(settings, data.input_shape, data.classes, seed)


def aside(module: nn.Module) -> tuple[str, ...]:
    """The teacher of a small network is no part of it."""
    return ("teacher.",)


def generator_tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    """What a generator of weights is made of, without the networks that it generates or learns."""
    return {f"generator.{name}": p for name, p in module.state_dict().items() if not name.startswith(("target.", "student."))}
