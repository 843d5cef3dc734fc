"""The laws of shot noise that arXiv 2603.14898 states, measured and predicted.

A feature from S shots has a variance in proportion to 1/S, and a kernel, a linear function of it, an error that goes with 1/sqrt(S); the
feature's exponential moving average over epochs has (1 - beta) / (1 + beta) of its variance, once many epochs have passed; and the gain
in accuracy approaches its limit as delta(S) = delta_inf - c / sqrt(S).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from lightweights.distillation.feature import smooth
from lightweights.distillation.sources import Clicks
from lightweights.networks.dictionary import DictionaryConv2d


def predicted_variance(source: Clicks, theta: Float[Tensor, " angles"], shots: int) -> Float[Tensor, " feature"]:
    """Exact variance of each standardised bin over draws of so many shots at fixed angles: p (1 - p) / shots over deviation^2."""
    p = source.expected(theta)
    return p * (1 - p) / shots / source.get_buffer("deviation").cpu().square()


def drawn_features(
    source: Clicks, theta: Float[Tensor, " angles"], shots: int, repeats: int, generator: torch.Generator
) -> Float[Tensor, "repeats feature"]:
    """Independent standardised features at fixed angles, float64."""
    return source.standardised(torch.stack([source.frequencies(theta, shots, generator) for _ in range(repeats)]))


def total_variance(features: Float[Tensor, "repeats feature"], expected: Float[Tensor, " feature"]) -> tuple[float, float]:
    """Mean squared distance to the expectation, summed over bins, and its standard error."""
    distances = (features - expected).square().sum(-1)
    return float(distances.mean()), float(distances.std()) / len(distances) ** 0.5


def ema_factor(beta: float, updates: int | None = None) -> float:
    """Variance of the moving average in units of one feature's, after so many independent features; None is the limit.

    The average starts as the first feature, so after n features it is beta^(2n-2) + (1 - beta) (1 - beta^(2n-2)) / (1 + beta).
    """
    left = beta ** (2 * updates - 2) if updates else 0.0
    return left + (1 - beta) / (1 + beta) * (1 - left)


def ema_of(features: Float[Tensor, "repeats feature"], beta: float) -> Float[Tensor, "repeats feature"]:
    """The moving averages after each of a sequence of features, as a training makes them."""
    averages = [features[0]]
    for number, feature in enumerate(features[1:], start=1):
        averages.append(smooth(averages[-1], feature, beta, number))
    return torch.stack(averages)


@dataclass(frozen=True)
class Fit:
    """A fitted number with its standard error."""

    value: float
    error: float


@torch.no_grad()
def kernel_error(layer: DictionaryConv2d, features: Float[Tensor, "repeats feature"], expected: Float[Tensor, " feature"]) -> float:
    """Frobenius distance of a kernel from the one of the expected feature: root of the mean square over kernels and features."""
    layer.set_feature(expected)
    exact, squares = layer.weight(), []
    for feature in features:
        layer.set_feature(feature)
        squares.append(float((layer.weight() - exact).square().sum((-2, -1)).mean()))
    return (sum(squares) / len(squares)) ** 0.5


def predicted_kernel_error(layer: DictionaryConv2d, variance: float) -> float:
    """The same, over all fixed matrices A: the basis' Frobenius norm times sqrt(variance / d), with the feature's total variance."""
    return float(layer.basis.detach().norm()) * (variance / layer.feature_size) ** 0.5


def exponent(shots: Sequence[int], variances: Sequence[float]) -> Fit:
    """The power of S with which a variance goes, -1 for shot noise: by least squares of the logarithms, its error from the residuals."""
    line = stats.linregress(np.log(shots), np.log(variances))
    return Fit(float(line.slope), float(line.stderr))


def asymptote(shots: Sequence[float], gains: Sequence[float]) -> tuple[float, float]:
    """delta_inf and c of delta(S) = delta_inf - c / sqrt(S), by least squares."""
    line = stats.linregress(np.asarray(shots, dtype=float) ** -0.5, gains)
    return float(line.intercept), -float(line.slope)
