"""Where a student's features come from: the photons, and what controls put in their place.

Every source draws a feature for given angles from a generator. ``photonic``: interfering photons. ``photonic-frozen``: the same, with the
angles never tuned. ``distinguishable``: photons that do not interfere. ``distinguishable-frozen``: the same, angles never tuned.
``coherent``: every mode clicks on its own, as with coherent light of the photons' mean numbers. ``one-photon``: every mode clicks on its
own with the probability that the first photon alone is found there, as in the article's teaching code. ``zero``, ``uniform`` (flat
histograms), ``gaussian-fixed`` (one N(0, 1) vector), ``gaussian-matched`` (the same vector, scaled to the size of the photonic feature at
the angles where a training starts): never change. ``gaussian-resampled``: drawn anew each time, with the photonic feature's own mean and
covariance over random angles and shots.
"""

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.distillation.feature import (
    Standardisation,
    expected_histograms,
    feature_size,
    fit_standardisation,
    histograms,
    independent_histograms,
)
from lightweights.photonics.time_bin import TimeBin, clicks
from lightweights.settings.distillation import TUNED_SOURCES, SourceName

Light = Literal["interfering", "distinguishable", "coherent", "one-photon"]

_LIGHTS: dict[str, Light] = {
    "photonic": "interfering",
    "photonic-frozen": "interfering",
    "distinguishable": "distinguishable",
    "distinguishable-frozen": "distinguishable",
    "coherent": "coherent",
    "one-photon": "one-photon",
}


class FeatureSource(nn.Module):
    """Draws features. Its fixed numbers are buffers, so that they are stored with a training."""

    tuned = False
    """Whether the feature depends on the angles, and they are tuned."""

    def draw(self, theta: Float[Tensor, " angles"], generator: torch.Generator, times: int = 1) -> Float[Tensor, " feature"]:
        """A feature from ``times`` as many shots as usual, float32, standardised."""
        raise NotImplementedError


class Clicks(FeatureSource):
    """Standardised click frequencies of light in a time-bin interferometer; with ``shots`` None, their exact expectation."""

    def __init__(self, circuit: TimeBin, shots: int | None, light: Light = "interfering", tuned: bool = True) -> None:
        super().__init__()
        if shots is not None and shots < 1:
            raise ValueError(f"shots {shots}: expected at least 1")
        self.circuit, self.shots, self.light, self.tuned = circuit, shots, light, tuned
        size = feature_size(circuit.modes)
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(size, dtype=torch.float64))

    def standardise(self, standardisation: Standardisation) -> None:
        """Fix the mean and deviation of all features to come."""
        self.get_buffer("mean").copy_(standardisation.mean)
        self.get_buffer("deviation").copy_(standardisation.deviation)

    def standardised(self, frequencies: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch feature"]:
        """By the fixed mean and deviation."""
        return Standardisation(self.get_buffer("mean").cpu(), self.get_buffer("deviation").cpu())(frequencies)

    def clicking(self, theta: Float[Tensor, "*batch angles"]) -> Float[Tensor, "*batch modes"]:
        """Each mode's own probability to click, for light without correlations between modes."""
        found = self.circuit.columns(theta.cpu()).square()
        return 1 - (-found.sum(-1)).exp() if self.light == "coherent" else found[..., 0]

    def frequencies(self, theta: Float[Tensor, " angles"], shots: int, generator: torch.Generator) -> Float[Tensor, " feature"]:
        """Raw histograms of so many shots."""
        if self.light in ("coherent", "one-photon"):
            draws = torch.rand(shots, self.circuit.modes, generator=generator, dtype=torch.float64)
            return histograms(draws < self.clicking(theta))
        found = self.circuit.sample(theta.cpu(), shots, generator, distinguishable=self.light == "distinguishable")
        return histograms(clicks(found, self.circuit.modes))

    def expected(self, theta: Float[Tensor, "*batch angles"]) -> Float[Tensor, "*batch feature"]:
        """The exact expectation of the raw histograms."""
        if self.light in ("coherent", "one-photon"):
            return independent_histograms(self.clicking(theta))
        return expected_histograms(self.circuit.columns(theta.cpu()), distinguishable=self.light == "distinguishable")

    def at_random_angles(self, draws: int, shots: int | None, generator: torch.Generator) -> Float[Tensor, "draws feature"]:
        """Raw histograms at angles drawn anew for each; with ``shots`` None, their expectation."""
        angles = self.circuit.random_angles(generator, draws)
        if shots is None:
            return self.expected(angles)
        return torch.stack([self.frequencies(theta, shots, generator) for theta in angles])

    def draw(self, theta: Float[Tensor, " angles"], generator: torch.Generator, times: int = 1) -> Float[Tensor, " feature"]:
        """Fresh shots at these angles."""
        raw = self.expected(theta) if self.shots is None else self.frequencies(theta, times * self.shots, generator)
        return self.standardised(raw).float()


class Fixed(FeatureSource):
    """One vector for ever."""

    def __init__(self, values: Float[Tensor, " feature"]) -> None:
        super().__init__()
        self.register_buffer("values", values.float())

    def draw(self, theta: Float[Tensor, " angles"], generator: torch.Generator, times: int = 1) -> Float[Tensor, " feature"]:
        """The vector."""
        return self.get_buffer("values").cpu()


class ResampledGaussian(FeatureSource):
    """A new vector each time, Gaussian with the mean and covariance of the rows of ``sample``."""

    def __init__(self, sample: Float[Tensor, "draws feature"]) -> None:
        super().__init__()
        mean = sample.mean(0)
        self.register_buffer("mean", mean)
        self.register_buffer("spread", (sample - mean) / len(sample) ** 0.5)

    def draw(self, theta: Float[Tensor, " angles"], generator: torch.Generator, times: int = 1) -> Float[Tensor, " feature"]:
        """A fresh vector: a random combination of the sample's deviations has the sample's covariance, without a factorisation."""
        spread = self.get_buffer("spread").cpu()
        drawn = torch.randn(len(spread), generator=generator, dtype=spread.dtype)
        return (self.get_buffer("mean").cpu() + drawn @ spread).float()


def build_source(
    name: SourceName,
    circuit: TimeBin,
    shots: int | None,
    *,
    standardised: bool = True,
    fit_draws: int = 256,
    fit_shots: int | None = None,
    theta: Float[Tensor, " angles"] | None = None,
    generator: torch.Generator,
) -> FeatureSource:
    """The source of that name. ``standardised``: mean and deviation are fitted once at ``fit_draws`` angles uniform in [-pi, pi), with the
    source's own light and ``fit_shots`` (``shots`` unless given) each (not at the angles where a training starts: at zero every shot is the
    same and no bin deviates); else they are 0 and 1. ``theta``: the angles where a training starts, zero unless given, whose feature
    ``gaussian-matched`` is as large as. Raises ValueError for an unknown name.
    """
    size = feature_size(circuit.modes)
    if name == "zero":
        return Fixed(torch.zeros(size))
    if name == "gaussian-fixed":
        return Fixed(torch.randn(size, generator=generator))
    light = _LIGHTS.get(name, "interfering")
    source = Clicks(circuit, shots, light, tuned=name in TUNED_SOURCES)
    fit_shots, drawn, begun = fit_shots or shots, None, generator.clone_state()
    if standardised or name == "gaussian-resampled":
        if fit_draws < 2:
            raise ValueError(f"fit_draws {fit_draws}: a deviation needs at least 2 draws")
        drawn = source.at_random_angles(fit_draws, fit_shots, generator)
    if standardised and drawn is not None:
        source.standardise(fit_standardisation(drawn, fit_shots))
    if name in _LIGHTS:
        return source
    if name == "uniform":
        return Fixed(source.standardised(torch.full((size,), 2 / size, dtype=torch.float64)))
    if name == "gaussian-matched":
        theta = torch.zeros(circuit.angle_count, dtype=torch.float64) if theta is None else theta
        size_of_photonic = source.standardised(source.expected(theta)).square().mean().sqrt()
        return Fixed(torch.randn(size, generator=begun) * size_of_photonic)
    if name == "gaussian-resampled" and drawn is not None:
        if fit_shots != shots:
            drawn = source.at_random_angles(fit_draws, shots, generator)
        return ResampledGaussian(source.standardised(drawn))
    raise ValueError(f"feature source {name!r}: expected one of {', '.join(get_args(SourceName))}")
