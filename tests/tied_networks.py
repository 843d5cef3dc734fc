"""A network with tied weights, for tests."""

from torch import nn


def tied(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Two layers that share their weights."""
    channels, height, width = shape
    first, second = nn.Linear(classes, classes), nn.Linear(classes, classes)
    second.weight = first.weight
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes), nn.Tanh(), first, second)
