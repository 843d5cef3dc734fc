"""The target network of a run: can it be built, and does it fit the data?"""

import torch
from torch import nn

from lightweights.datasets import Dataset, shape_of
from lightweights.networks import build_network, parameter_count
from lightweights.settings.base import SettingsError
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.kinds import BaselineRun, ClassicalRun, QuantumTrainRun
from lightweights.settings.network import NetworkSection
from lightweights.settings.own_code import own_code
from lightweights.training.sizes import check_last_batch, last_batch


def check_network(section: NetworkSection, dataset: DatasetSection, where: str) -> int:
    """Weights of the network. Raises SettingsError naming the run where it cannot be built or does not fit the data."""
    shape, classes = shape_of(dataset)
    try:
        weights = parameter_count(section, shape, classes)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error
    if weights == 0:
        raise SettingsError(f"{where}: network.name = {section.name!r} has no weight that requires a gradient")
    network = build_network(section, shape, classes).eval()
    with own_code(f"{where}: network.name = {section.name!r} fails on images of shape {shape}"), torch.no_grad():
        found = tuple(network(torch.zeros(2, *shape)).shape)
    if found != (2, classes):
        raise SettingsError(f"{where}: network.name = {section.name!r} gives {found} for two images; expected {(2, classes)}")
    return weights


def new_network(section: NetworkSection, data: Dataset, seed: int) -> nn.Module:
    """The network at its initial values."""
    return build_network(section, data.input_shape, data.classes, seed)


def check_batches(settings: ClassicalRun | BaselineRun | QuantumTrainRun, data: Dataset, seed: int) -> None:
    """Raises SettingsError where a minibatch, or a batch of the phases' optimiser, would be one image on which the network cannot be
    trained.
    """
    count, schedule = len(data.train), settings.schedule
    sizes = [schedule.batch_size]
    if isinstance(settings, QuantumTrainRun) and settings.trains_phases:
        sizes.append(1 if min(schedule.phase_batch_size, count) == 1 else count)  # type: ignore[union-attr]
    for size in sizes:
        if last_batch(count, size) == 1:
            where = f"network.name = {settings.network.name!r}"
            check_last_batch(new_network(settings.network, data, seed), data.input_shape, count, size, where)


def device_of(module: nn.Module) -> torch.device:
    """Where a module in training lies."""
    return next(module.parameters()).device
