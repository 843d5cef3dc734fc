"""What a device shows in finite time: counted clicks, heralding rates, and single samples where there are too many outcomes to list.

A device runs for a number of clock cycles. Of these a random share is heralded, and only heralded cycles show outcomes, so that loss and
brightness act through how many shots a budget of cycles yields, about (brightness * transmittance)^N of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from lightweights.errors import LightweightsError
from lightweights.photonics import boson_sampling


class ShotsError(LightweightsError, ValueError):
    """A budget of cycles that shows nothing, or shots that cannot be drawn."""


@dataclass(frozen=True)
class Counts:
    """What ``cycles`` clock cycles have shown.

    ``outcomes`` (..., outcomes): heralded cycles that ended in each outcome; ``heralded`` (...): all heralded cycles, those that ended in
    an outcome that is not listed included. int64.
    """

    cycles: int
    heralded: Int[Tensor, "*batch"]
    outcomes: Int[Tensor, "*batch outcomes"]

    def frequencies(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "*batch outcomes"]:
        """Share of the heralded cycles that ended in each outcome: an unbiased estimate of the probabilities given the herald.

        Raises ShotsError if no cycle was heralded, here or anywhere in the batch.
        """
        if not bool((self.heralded > 0).all()):
            raise ShotsError(
                f"none of {self.cycles:,} clock cycles was heralded, so there is nothing to estimate: use more cycles or a brighter device"
            )
        return self.outcomes.to(dtype) / self.heralded.to(dtype)[..., None]


def count_shots(
    joint: Float[Tensor, "*batch outcomes"], herald: Float[Tensor, "*batch"], cycles: int, generator: torch.Generator
) -> Counts:
    """Counts after ``cycles`` clock cycles, drawn from the outcomes' and the herald's probabilities in one cycle.

    The number of heralded cycles is binomial, the outcomes given it multinomial, by one binomial draw an outcome, so that the work does
    not grow with the cycles. Raises ShotsError if there is no cycle or probabilities are impossible. Drawn on the generator's device.
    """
    if cycles < 1:
        raise ShotsError(f"a budget of {cycles} clock cycles; use at least 1")
    joint, herald = (p.detach().to(generator.device, torch.float64) for p in (joint, herald))
    if not bool(((herald <= 1 + 1e-6) & (joint >= 0).all(-1) & (joint.sum(-1) <= herald * (1 + 1e-5) + 1e-12)).all()):
        raise ShotsError("probabilities of outcomes must not be negative, and sum to at most the herald's, which is at most 1")
    heralded = torch.binomial(torch.full_like(herald, cycles), herald.clamp(max=1), generator)
    left, weight, counts = heralded, herald, []
    for probability in joint.unbind(-1):
        share = torch.where(weight > 0, probability / weight, 0.0).clamp(0, 1)
        counts.append(torch.binomial(left, share, generator))
        left, weight = left - counts[-1], weight - probability
    return Counts(cycles, heralded.long(), torch.stack(counts, -1).long())


def heralding_table(heralds: Mapping[str, float], clock_hz: float, shots: int) -> pd.DataFrame:
    """How long devices take: one row each, with probability of a herald per cycle, heralded cycles a second, cycles and s for ``shots``.

    Means: cycles = shots / probability. Raises ShotsError for a clock, a number of shots or a probability that is not positive.
    """
    if not clock_hz > 0 or shots < 1:
        raise ShotsError(f"a clock of {clock_hz} Hz and {shots} shots: both must be positive")
    for device, herald in heralds.items():
        if not 0 < herald <= 1:
            raise ShotsError(f"{device}: cycles are heralded with probability {herald}; it must be above 0 and at most 1")
    rows = [
        {"device": device, "herald": herald, "rate_hz": herald * clock_hz, "cycles": shots / herald, "seconds": shots / herald / clock_hz}
        for device, herald in heralds.items()
    ]
    return pd.DataFrame(rows, columns=["device", "herald", "rate_hz", "cycles", "seconds"])


def boson_samples(
    unitary: Complex[Tensor, "modes modes"], inputs: list[int], shots: int, generator: torch.Generator
) -> Int[Tensor, "shots photons"]:
    """Where interfering photons are found in each shot: sorted modes, int64. Exact, without listing the outcomes.

    ``inputs`` are the modes where the photons enter, in any number each. Drawn from a CPU generator; see
    :mod:`lightweights.photonics.boson_sampling`.
    """
    return boson_sampling.sample(_entered(unitary, inputs, shots), shots, generator).sort(-1).values


def distinguishable_samples(
    unitary: Complex[Tensor, "modes modes"], inputs: list[int], shots: int, generator: torch.Generator
) -> Int[Tensor, "shots photons"]:
    """Where photons that do not interfere are found in each shot: sorted modes, int64. Each goes to mode i with |U[i, j]|^2."""
    columns = _entered(unitary, inputs, shots)
    chances = columns.real.square() + columns.imag.square()
    return torch.multinomial(chances.T, shots, replacement=True, generator=generator).T.sort(-1).values


def photon_numbers(samples: Int[Tensor, "shots photons"], modes: int) -> Int[Tensor, "shots modes"]:
    """Photons in each mode, from their sorted modes."""
    return torch.zeros(len(samples), modes, dtype=torch.int64, device=samples.device).scatter_add(1, samples, torch.ones_like(samples))


def _entered(unitary: Tensor, inputs: list[int], shots: int) -> Tensor:
    modes = len(unitary)
    if shots < 1:
        raise ShotsError(f"{shots} shots; draw at least 1")
    if not inputs or min(inputs) < 0 or max(inputs) >= modes:
        raise ShotsError(f"photons enter modes {inputs}; expected at least one of the modes 0 to {modes - 1}")
    return unitary.detach()[:, inputs]
