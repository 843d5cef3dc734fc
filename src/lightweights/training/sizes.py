"""What can be told of a training from its sizes, before it costs anything."""

import copy

import torch
from torch import nn

from lightweights.settings.base import SettingsError


def last_batch(count: int, size: int) -> int:
    """Images in the last minibatch of an epoch of ``count`` images in minibatches of ``size``."""
    return count % size or min(count, size)


def check_last_batch(network: nn.Module, input_shape: tuple[int, ...], count: int, size: int, where: str) -> None:
    """Raises SettingsError where the last minibatch has one image and the network cannot be trained on one: batch normalisation asks for
    more than one value a channel. The network stays as it is.
    """
    if last_batch(count, size) != 1:
        return
    tried = copy.deepcopy(network).train()
    parameter = next(tried.parameters(), torch.empty(0))
    try:
        with torch.no_grad():
            tried(torch.zeros(1, *input_shape, device=parameter.device, dtype=parameter.dtype))
    except ValueError as error:
        better = next((other for other in (*range(size - 1, 1, -1), size + 1, size + 2) if last_batch(count, other) > 1), None)
        remedy = f"take batches of {better}" if better else "take more images"
        raise SettingsError(
            f"{where}: {count} training images in batches of {size} leave one image alone, on which this network cannot be trained "
            f"({str(error).splitlines()[0]}); {remedy}"
        ) from error
