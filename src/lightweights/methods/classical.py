"""The target network trained directly."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from lightweights.datasets import Dataset
from lightweights.methods.method import Told
from lightweights.methods.target import check_batches, check_network, device_of, new_network
from lightweights.settings.kinds import ClassicalRun
from lightweights.training.classical import begin_classical, classical_epochs
from lightweights.training.data import on_device
from lightweights.training.state import Training


def check(settings: ClassicalRun, where: str) -> None:
    """Raises SettingsError where the network cannot be built or does not fit the data."""
    check_network(settings.network, settings.dataset, where)


def begin(
    settings: ClassicalRun, data: Dataset, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """The network at its initial values."""
    network = new_network(settings.network, data, seed)
    check_batches(settings, data, seed)
    return begin_classical(network.to(device), settings.schedule, seed)


def advance(
    training: Training, settings: ClassicalRun, data: Dataset, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """Epochs of Adam."""
    return classical_epochs(training, on_device(data, device_of(training.module)), settings.schedule)


def rebuild(settings: ClassicalRun, data: Dataset, seed: int) -> nn.Module:
    """The network at its initial values."""
    return new_network(settings.network, data, seed)


def tell(training: Training, settings: ClassicalRun, data: Dataset, seed: int) -> Told:
    """All of the network is trained."""
    total = sum(p.numel() for p in training.module.parameters())
    zero = dict.fromkeys(("mapping", "phases_published", "phases_used", "phases_effective"), 0)
    trained = dict.fromkeys(("trained_published", "trained_used", "trained_effective"), total)
    return Told({"target": total, **zero, **trained}, training.module)
