"""Time-bin interferometers: photons in a train of pulses that meet in fibre loops, as in ORCA Computing's PT series.

A loop of one pulse's length is a sequence of beam splitters between neighbouring time bins, (0, 1), (1, 2), ..., (N-2, N-1), each with its
own angle. One such loop is a tile; tiles follow one another. A beam splitter is the real rotation [[cos, sin], [-sin, cos]] of its
angle, as in ORCA's software, or of half its angle. The whole is a real orthogonal matrix.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lightweights.photonics import boson_sampling, fock


@dataclass(frozen=True)
class TimeBin:
    """A time-bin interferometer. ``input_state`` lists photon numbers, one a bin; None is one photon in every other bin, 1, 0, 1, 0, ..."""

    modes: int = 16
    tiles: int = 2
    input_state: tuple[int, ...] | None = None
    half_angle: bool = False

    def __post_init__(self) -> None:
        if self.modes < 2 or self.tiles < 1:
            raise ValueError(f"a time-bin interferometer needs at least 2 modes and 1 tile, got {self.modes} and {self.tiles}")
        state = self.input_state
        if state is not None and (len(state) != self.modes or min(state) < 0 or sum(state) < 1):
            raise ValueError(f"input_state {list(state)}: expected {self.modes} photon numbers, none negative, at least one photon")

    @cached_property
    def inputs(self) -> list[int]:
        """The bin of each photon that enters."""
        if self.input_state is None:
            return list(range(0, self.modes, 2))
        return [mode for mode, count in enumerate(self.input_state) for _ in range(count)]

    @property
    def photons(self) -> int:
        """Number of photons."""
        return len(self.inputs)

    @property
    def angle_count(self) -> int:
        """Number of angles: N - 1 a tile."""
        return self.tiles * (self.modes - 1)

    def columns(self, theta: Float[Tensor, "*batch angles"]) -> Float[Tensor, "*batch modes photons"]:
        """Columns of the orthogonal matrix at the photons' bins, float64."""
        return self._rotated(theta, self.inputs)

    def matrix(self, theta: Float[Tensor, "*batch angles"]) -> Float[Tensor, "*batch modes modes"]:
        """The whole orthogonal matrix, float64; column j is where a photon that enters bin j goes."""
        return self._rotated(theta, list(range(self.modes)))

    def _rotated(self, theta: Float[Tensor, "*batch angles"], inputs: list[int]) -> Float[Tensor, "*batch modes inputs"]:
        if theta.shape[-1] != self.angle_count:
            raise ValueError(f"{theta.shape[-1]} angles: {self.tiles} tiles of {self.modes} modes have {self.angle_count}")
        angles = theta.double() / 2 if self.half_angle else theta.double()
        cosines, sines = angles.cos().unsqueeze(-1).unbind(-2), angles.sin().unsqueeze(-1).unbind(-2)
        identity = torch.eye(self.modes, dtype=torch.float64, device=theta.device)[:, inputs]
        rows = list(identity.expand(*theta.shape[:-1], *identity.shape).unbind(-2))
        for number, (c, s) in enumerate(zip(cosines, sines, strict=True)):
            i = number % (self.modes - 1)
            rows[i], rows[i + 1] = c * rows[i] + s * rows[i + 1], c * rows[i + 1] - s * rows[i]
        return torch.stack(rows, -2)

    def sample(
        self, theta: Float[Tensor, " angles"], shots: int, generator: torch.Generator, distinguishable: bool = False
    ) -> Int[Tensor, "shots photons"]:
        """Exact samples: the bins where each shot's photons are found. ``distinguishable`` photons each walk on their own."""
        columns = self.columns(theta).cpu()
        if distinguishable:
            return torch.multinomial(columns.square().T, shots, replacement=True, generator=generator).T
        return boson_sampling.sample(columns, shots, generator)

    def random_angles(self, generator: torch.Generator, *batch: int) -> Float[Tensor, "*batch angles"]:
        """Angles uniform in [-pi, pi), float64."""
        return math.pi * (2 * torch.rand(*batch, self.angle_count, generator=generator, dtype=torch.float64) - 1)


def clicks(found: Int[Tensor, "shots photons"], modes: int) -> Bool[Tensor, "shots modes"]:
    """Which threshold detectors click: those that see at least one photon."""
    return torch.zeros(len(found), modes, dtype=torch.bool).scatter_(1, found, True)


def click_probabilities(
    columns: Float[Tensor, "*batch modes photons"], watched: list[int], distinguishable: bool = False
) -> Float[Tensor, "*batch patterns"]:
    """Exact probabilities of the 2^k click patterns of the k watched modes, whatever the others do.

    A pattern's number has the first watched mode as its highest bit. The photons all avoid the modes E with probability
    perm(1 - A_E^T A_E) for columns A that are orthonormal (in general perm(A_C^T A_C) over the factorials of the photons that enter one
    mode, with C the modes outside E); patterns follow by inclusion and exclusion.
    """
    modes, photons = columns.shape[-2:]
    if len(set(watched)) != len(watched) or not all(0 <= mode < modes for mode in watched):
        raise ValueError(f"watched modes {watched}: expected different ones of 0 to {modes - 1}")
    if len(watched) > 16:
        raise ValueError(f"{len(watched)} watched modes have {2 ** len(watched):,} click patterns; at most 16 modes are possible")
    numbers = torch.arange(2 ** len(watched), device=columns.device)
    allowed = torch.ones(len(numbers), modes, dtype=columns.dtype, device=columns.device)
    for place, mode in enumerate(watched):
        allowed[:, mode] = (numbers >> (len(watched) - 1 - place) & 1).to(columns.dtype)
    if distinguishable:
        within = (allowed @ columns.square()).prod(-1)
    else:
        fock.refuse_many_photons(photons)
        steps = fock.growth(photons, photons, False)
        grams = ((columns.mT.unsqueeze(-3) * piece[:, None, :]) @ columns.unsqueeze(-3) for piece in allowed.split(4096))
        same = columns.mT @ columns
        within = torch.cat([fock.coefficients(gram, steps)[..., 0] for gram in grams], -1) / fock.coefficients(same, steps)
    # within[F]: only watched modes of F may click. Subtract, mode by mode, the patterns in which that mode stays silent.
    shape = (*columns.shape[:-2], *[2] * len(watched))
    patterns = within.reshape(shape)
    for axis in range(len(shape) - len(watched), len(shape)):
        silent, either = patterns.unbind(axis)
        patterns = torch.stack([silent, either - silent], axis)
    return patterns.reshape(within.shape).clamp(min=0)
