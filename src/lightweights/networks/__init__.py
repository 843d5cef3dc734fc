"""Target networks by name, or any importable module."""

import torch
from torch import nn

from lightweights.imported import imported
from lightweights.networks.cnn import MerlinCNN, TargetCNN
from lightweights.settings.base import SettingsError
from lightweights.settings.network import NetworkSection

__all__ = ["MerlinCNN", "TargetCNN", "build_network", "parameter_count"]

_BUILT_IN = {
    "cnn": lambda shape, classes: TargetCNN(shape, classes),
    "cnn-relu": lambda shape, classes: TargetCNN(shape, classes, relu=True),
    "cnn-merlin": lambda shape, classes: MerlinCNN(shape, classes),
}


def build_network(settings: NetworkSection, input_shape: tuple[int, ...], classes: int, seed: int = 0) -> nn.Module:
    """The network that the settings name, its initial weights decided by ``seed``. Raises SettingsError if there is none."""
    factory = _BUILT_IN.get(settings.name) or _imported(settings.name)
    if settings.name in _BUILT_IN and settings.arguments:
        own = "a network of your own, network.name = package.module:factory, takes what its factory does"
        raise SettingsError(f"network.arguments = {settings.arguments}: network.name = {settings.name!r} takes none; {own}")
    with torch.random.fork_rng(devices=[]):  # torch's layers draw their initial weights from the global generator
        torch.manual_seed(seed)
        try:
            network = factory(input_shape, classes, **settings.arguments)
        except SettingsError:
            raise
        except Exception as error:  # whatever a user's factory makes of these arguments
            raise SettingsError(f"network.name = {settings.name!r} with arguments {settings.arguments}: {error}") from error
    if not isinstance(network, nn.Module):
        raise SettingsError(f"network.name {settings.name!r} gave {type(network).__name__}; expected a torch module")
    return network


def parameter_count(settings: NetworkSection, input_shape: tuple[int, ...], classes: int) -> int:
    """Number of weights m that the network needs."""
    return sum(p.numel() for p in build_network(settings, input_shape, classes).parameters() if p.requires_grad)


def _imported(name: str):
    if ":" not in name:
        raise SettingsError(f"network.name = {name!r}: there are {', '.join(_BUILT_IN)}, and package.module:factory")
    return imported("network.name", name)
