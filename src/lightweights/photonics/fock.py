"""Fock states: outcomes of N photons in M modes, and the amplitudes to reach them.

An outcome is the sorted tuple of the modes where photons are found. Outcomes are in lexicographic order, which is that of
``itertools.combinations`` (one photon at most in a mode) and ``combinations_with_replacement`` (bunching allowed).
"""

import math
from functools import lru_cache
from itertools import combinations, combinations_with_replacement

import torch
from jaxtyping import Num
from torch import Tensor

LARGEST_BASIS = 4_000_000
"""Most outcomes of one circuit that are computed exactly, of fewer photons on the way, too."""

MOST_PHOTONS = 20
"""Most photons: their permanents take 2^N numbers, and 20! is the largest factorial that 64 bits hold."""


def refuse_many_photons(photons: int) -> None:
    """Raises ValueError where there are more photons than can be computed."""
    if photons > MOST_PHOTONS:
        raise ValueError(f"{photons} photons: at most {MOST_PHOTONS} are possible, since permanents of N photons take 2^N numbers")


def outcome_count(modes: int, photons: int, bunching: bool) -> int:
    """Number of outcomes: C(M, N), or C(M+N-1, N) with bunching."""
    return math.comb(modes + photons - 1 if bunching else modes, photons)


def largest_basis(modes: int, photons: int, bunching: bool) -> int:
    """Most outcomes that up to N photons have: those of fewer photons are computed on the way (:func:`growth`)."""
    return max(outcome_count(modes, count, bunching) for count in range(1, photons + 1))


def outcomes(modes: int, photons: int, bunching: bool) -> list[tuple[int, ...]]:
    """All outcomes in order, each the sorted modes of its photons."""
    return list((combinations_with_replacement if bunching else combinations)(range(modes), photons))


@lru_cache(maxsize=64)
def growth(modes: int, photons: int, bunching: bool) -> list[tuple[Tensor, Tensor]]:
    """How outcomes of k photons arise from those of k-1, for k = 2..N.

    Each step is a pair of (outcomes of k photons, k) tables: the mode of the photon that came last (``modes`` where the same
    mode is listed already, so that a bunched outcome is counted once a mode), and the outcome without it.
    """
    steps = []
    position = {outcome: k for k, outcome in enumerate(outcomes(modes, 1, bunching))}
    for count in range(2, photons + 1):
        grown = outcomes(modes, count, bunching)
        last = [[modes if k and s[k] == s[k - 1] else s[k] for k in range(count)] for s in grown]
        before = [[position[s[:k] + s[k + 1 :]] for k in range(count)] for s in grown]
        steps.append((torch.tensor(last), torch.tensor(before)))
        position = {outcome: k for k, outcome in enumerate(grown)}
    return steps


def coefficients(columns: Num[Tensor, "*batch modes photons"], steps: list[tuple[Tensor, Tensor]]) -> Num[Tensor, "*batch outcomes"]:
    """Coefficients of the outcomes in the product over photons n of (sum over modes i of columns[i, n] x_i).

    For a collision-free outcome S this is the permanent of the rows S of ``columns``. The product is multiplied out photon by
    photon, restricted to the outcomes of the tables: 2^N N operations in place of N! each, shared among outcomes (Heurtel et al.,
    "Strong simulation of linear optical processes", 2023, keeps all outcomes).
    """
    grown = columns[..., 0]
    for photon, (last, before) in enumerate(steps, start=1):
        column = torch.nn.functional.pad(columns[..., photon], (0, 1))
        arriving = column.index_select(-1, last.flatten()).unflatten(-1, tuple(last.shape))
        present = grown.index_select(-1, before.flatten()).unflatten(-1, tuple(before.shape))
        grown = (arriving * present).sum(-1)
    return grown


def bunching_factors(modes: int, photons: int) -> Tensor:
    """Product of n! over the modes of each outcome with bunching, float64 (outcomes,)."""
    return torch.tensor(
        [math.prod(math.factorial(s.count(mode)) for mode in set(s)) for s in outcomes(modes, photons, True)], dtype=torch.float64
    )
