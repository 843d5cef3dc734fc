"""Exact samples of where photons leave an interferometer.

Clifford and Clifford, "The classical complexity of boson sampling" (SODA 2018), algorithm B: the photons are taken in random order,
and each leaves through a mode drawn from |permanent|^2 of the photons so far. Here all shots advance together, and a shot's
permanents grow photon by photon over the subsets of its photons: 2^N N operations a shot in all, without cancellation.
"""

import torch
from jaxtyping import Int, Num
from torch import Tensor

from lightweights.photonics import fock

LARGEST_TABLE = 4_000_000
"""Most numbers of one intermediate array; shots beyond it are sampled in pieces."""


def sample(columns: Num[Tensor, "modes photons"], shots: int, generator: torch.Generator) -> Int[Tensor, "shots photons"]:
    """The modes where the photons of each shot are found, in random order.

    ``columns`` are the unitary's columns at the photons' input modes, real or complex; a mode that several photons enter has its column as
    often. The generator is a CPU generator, drawn from 2 ``shots`` ``photons`` times whatever the outcome.

    Raises ValueError for columns that are no matrix of at least one photon, for fewer than one shot, and for more than 20 photons.
    """
    if columns.dim() != 2 or not columns.numel() or shots < 1:
        raise ValueError(f"columns of shape {tuple(columns.shape)} and {shots} shots: expected (modes, photons), and at least 1 of each")
    photons = columns.shape[1]
    fock.refuse_many_photons(photons)
    order = torch.rand(shots, photons, generator=generator, dtype=torch.float64).argsort(1)
    draws = torch.rand(photons, shots, 1, generator=generator, dtype=torch.float64)
    steps = fock.growth(photons, photons, False)
    # Repeated columns need no correction: with t photons of one input mode, both the weight of taking any of them last and the norm of
    # the next photon's amplitudes carry the same factor t, so that the shot's probability is |perm|^2 / (N! t!) at every stage.
    piece = max(1, LARGEST_TABLE // max((last.numel() for last, _ in steps), default=1))
    columns = columns.to(torch.complex128 if columns.is_complex() else torch.float64)
    found = [_advance(columns, *part, steps) for part in zip(order.split(piece), draws.split(piece, 1), strict=True)]
    return torch.cat(found)


def _advance(
    columns: Num[Tensor, "modes photons"],
    order: Int[Tensor, "shots photons"],
    draws: Num[Tensor, "photons shots 1"],
    steps: list[tuple[Tensor, Tensor]],
) -> Int[Tensor, "shots photons"]:
    """The shots whose photons are taken in the given orders and fall by the given uniform draws."""
    rows = columns[:, order].permute(1, 0, 2).contiguous()  # (shots, modes, photons)
    every = torch.arange(len(order))
    mode = _choose(rows[:, :, 0], draws[0])
    found, permanents = [mode], rows[every, mode]
    for photon, (last, before) in enumerate(steps, start=1):
        # The first subset of photon + 1 photons is {0..photon}; its row of the table leaves out each of them in turn.
        amplitudes = rows[:, :, last[0]] @ permanents[:, before[0], None]
        mode = _choose(amplitudes.squeeze(-1), draws[photon])
        found.append(mode)
        arriving = rows[every, mode].index_select(1, last.flatten()).unflatten(1, tuple(last.shape))
        present = permanents.index_select(1, before.flatten()).unflatten(1, tuple(before.shape))
        permanents = (arriving * present).sum(-1)
    return torch.stack(found, 1)


def _choose(amplitudes: Num[Tensor, "shots modes"], draws: Num[Tensor, "shots 1"]) -> Int[Tensor, " shots"]:
    """A mode a shot, with probability in proportion to |amplitude|^2."""
    cumulative = (amplitudes.abs().square() if amplitudes.is_complex() else amplitudes.square()).cumsum(1)
    return torch.searchsorted(cumulative, draws * cumulative[:, -1:], right=True).squeeze(1).clamp(max=cumulative.shape[1] - 1)
