"""The photonic feature: click patterns of a time-bin interferometer as a vector of standardised frequencies (arXiv 2603.14898).

A shot's N clicks are two halves of N/2 bits, each a number; the halves' histograms over S shots, each divided by S, stand one after the
other: 2 2^(N/2) numbers, 512 for 16 modes.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from lightweights.photonics.time_bin import click_probabilities


def feature_size(modes: int) -> int:
    """Length of the feature. Raises ValueError where the modes do not make two halves of at most 12 bits."""
    if modes % 2 or not 2 <= modes <= 24:
        raise ValueError(f"{modes} modes do not split into two halves of 1 to 12 click bits; use an even number from 2 to 24")
    return 2 * 2 ** (modes // 2)


def histograms(clicked: Bool[Tensor, "shots modes"]) -> Float[Tensor, " feature"]:
    """Both halves' normalised histograms; a half's first mode is the highest bit of its number. float64."""
    shots, modes = clicked.shape
    bins = feature_size(modes) // 2
    places = 2 ** torch.arange(modes // 2 - 1, -1, -1)
    numbers = (clicked.view(shots, 2, -1) * places).sum(-1)
    return torch.cat([half.bincount(minlength=bins) for half in numbers.unbind(1)]).double() / shots


def expected_histograms(columns: Float[Tensor, "*batch modes photons"], distinguishable: bool = False) -> Float[Tensor, "*batch feature"]:
    """What the histograms tend to with more and more shots: exact, from permanents. ``columns`` as of ``TimeBin.columns``."""
    modes = columns.shape[-2]
    feature_size(modes)
    halves = (list(range(modes // 2)), list(range(modes // 2, modes)))
    return torch.cat([click_probabilities(columns, half, distinguishable) for half in halves], -1)


def independent_histograms(clicking: Float[Tensor, "*batch modes"]) -> Float[Tensor, "*batch feature"]:
    """What the histograms tend to where every mode clicks on its own, with the given probability."""
    halves = []
    for half in clicking.chunk(2, -1):
        patterns = torch.ones(*half.shape[:-1], 1, dtype=half.dtype)
        for p in half.unbind(-1):
            patterns = torch.stack([patterns * (1 - p[..., None]), patterns * p[..., None]], -1).flatten(-2)
        halves.append(patterns)
    return torch.cat(halves, -1)


@dataclass(frozen=True)
class Standardisation:
    """Fixed mean and deviation, one of each a bin: z = (h - mean) / deviation."""

    mean: Float[Tensor, " feature"]
    deviation: Float[Tensor, " feature"]

    def __call__(self, frequencies: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch feature"]:
        """Standardised frequencies."""
        return (frequencies - self.mean) / self.deviation


def fit_standardisation(frequencies: Float[Tensor, "draws feature"], shots: int | None) -> Standardisation:
    """Mean and standard deviation of each bin over draws.

    No deviation is below that of a bin which one shot of all draws has hit, sqrt(draws - 1) / (draws shots): a bin that the fit has never
    seen counts as if it had been seen once. With exact frequencies (``shots`` None) the smallest is 1e-6.
    """
    draws = len(frequencies)
    smallest = (draws - 1) ** 0.5 / (draws * shots) if shots else 1e-6
    return Standardisation(frequencies.mean(0), frequencies.std(0, correction=0).clamp(min=smallest))


def smooth(smoothed: Float[Tensor, " feature"], feature: Float[Tensor, " feature"], beta: float, updates: int) -> Float[Tensor, " feature"]:
    """The exponential moving average after one more feature, beta of the old and 1 - beta of the new; the first is taken as it is."""
    return beta * smoothed + (1 - beta) * feature if updates else feature.clone()
