"""A photonic device as a generator of numbers meets it: its imperfections, what counts as a shot, and how long it may run.

Beside the noise of :mod:`lightweights.photonics.noise` there are two things that Perceval's ``NoiseModel`` does not have: a coherent error
of all beam splitters, and a budget of clock cycles, after which counts stand in place of probabilities.
"""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.photonics.circuit import Circuit
from lightweights.photonics.noise import Detectors, Noise, NoiseError, NoisyCircuit, PostSelection
from lightweights.photonics.shots import Counts, count_shots

LEAST_SHOTS = 30
"""Heralded cycles that a budget must promise: with fewer, some evaluation would see none at all."""


@dataclass(frozen=True)
class Hardware:
    """A device. ``splitter_bias`` (radians) is added to the angle theta of every beam splitter BS(theta); ``cycles`` is the number of clock
    cycles that each circuit runs for each evaluation, None for exact probabilities.

    Raises NoiseError if the bias or the number of cycles cannot be.
    """

    noise: Noise = field(default_factory=Noise)
    detectors: Detectors = "threshold"
    post_selection: PostSelection = "exactly"
    splitter_bias: float = 0.0
    cycles: int | None = None

    def __post_init__(self) -> None:
        if not abs(self.splitter_bias) <= math.pi:
            raise NoiseError(f"splitter_bias is {self.splitter_bias}; it must be between -{math.pi:.4g} and {math.pi:.4g}")
        if self.cycles is not None and self.cycles < 1:
            raise NoiseError(f"a budget of {self.cycles} clock cycles; use at least 1")

    @property
    def random(self) -> bool:
        """Whether the same phases give other numbers when the device is asked again."""
        return self.cycles is not None or self.noise.phase_error > 0


class MeasuredCircuit(nn.Module):
    """What a device tells of a circuit's outcomes, differentiable in the phases.

    Called with phases (phase_count,) it gives (C(M, N),) of their dtype, in the order of the circuit's outcomes, given the herald: the
    probabilities, or with a budget of cycles the frequencies that the cycles show. The gradient of frequencies is that of the
    probabilities that they estimate (straight through): what an experimenter would find by infinitely long parameter-shift measurements,
    with the loss taken at the frequencies. Raises NoiseError or ShotsError where no cycle is heralded.
    """

    def __init__(self, circuit: Circuit, hardware: Hardware) -> None:
        super().__init__()
        if hardware.splitter_bias and circuit.mesh.phases_per_crossing != 3:
            raise NoiseError(f"splitter_bias: mesh {circuit.mesh.kind} has no beam splitter whose angle is set; use notebook or clements")
        self.hardware = hardware
        self.noisy = NoisyCircuit(circuit, hardware.noise, hardware.detectors, hardware.post_selection)

    def forward(self, phases: Float[Tensor, " phases"], draws: torch.Generator | None = None) -> Float[Tensor, " outcomes"]:
        """What the device tells; ``draws`` is needed where it is random."""
        if self.hardware.cycles is None:
            return self.noisy(self.biased(phases), draws)
        joint, herald = self.noisy.per_cycle(self.biased(phases.double()), draws)
        seen = self._counts(joint, herald, draws).frequencies(torch.float64).to(phases.device)
        probabilities = joint / herald
        return (seen + (probabilities - probabilities.detach())).to(phases.dtype)

    def count(self, phases: Float[Tensor, " phases"], draws: torch.Generator | None = None) -> Counts:
        """The counts themselves; for hardware with a budget of cycles."""
        joint, herald = self.noisy.per_cycle(self.biased(phases.double()), draws)
        return self._counts(joint, herald, draws)

    def herald(self, phases: Float[Tensor, " phases"], draws: torch.Generator | None = None) -> float:
        """Probability that a clock cycle is heralded."""
        return float(self.noisy.per_cycle(self.biased(phases.double()), draws)[1])

    def biased(self, phases: Float[Tensor, " phases"]) -> Float[Tensor, " phases"]:
        """The phases with the beam splitters' error."""
        if not self.hardware.splitter_bias:
            return phases
        shift = torch.zeros_like(phases)
        shift[0::3] = self.hardware.splitter_bias
        return phases + shift

    def _counts(self, joint: Tensor, herald: Tensor, draws: torch.Generator | None) -> Counts:
        if self.hardware.cycles is None or draws is None:
            raise NoiseError("counts are random, of a number of clock cycles: give both, cycles and a generator")
        return count_shots(joint, herald, self.hardware.cycles, draws)
