"""MaxCut larger than a processor: cut into parts, solve each, merge (QAOA in QAOA: Zhou et al., Phys. Rev. Applied 19, 024027, 2023)."""

from collections.abc import Callable

import numpy as np

from .graphs import Reals
from .partition import balanced_parts, random_parts, sizes_of
from .sampler import Sampler, Taken

Parting = Callable[[Reals, list[int], np.random.Generator], list[list[int]]]


def balanced(weights: Reals, sizes: list[int], rng: np.random.Generator) -> list[list[int]]:
    """Parts with little weight between them."""
    return balanced_parts(weights, sizes, rng)


def at_random(weights: Reals, sizes: list[int], rng: np.random.Generator) -> list[list[int]]:
    """The control: parts drawn without regard to edges."""
    return random_parts(sizes, rng)


def merged(weights: Reals, parts: list[list[int]], taken: list[Taken]) -> Reals:
    """The graph of the parts: turning a against b cuts sum w_ij s_i s_j more of the weight between them."""
    signed = np.zeros((len(weights), len(parts)))
    for number, (part, cut) in enumerate(zip(parts, taken, strict=True)):
        signed[part, number] = cut.spins
    between = signed.T @ weights @ signed
    np.fill_diagonal(between, 0.0)
    return between


def solve(weights: Reals, capacity: int | list[int], samplers: list[Sampler], parting: Parting, rng: np.random.Generator) -> Taken:
    """A cut of the whole graph; mean and largest value are those of the parts together.

    ``capacity``: most nodes of a part, or the sizes of the parts. Part k is solved by sampler k modulo their number; so is the graph of the
    parts, itself cut where it does not fit.
    """
    most = capacity if isinstance(capacity, int) else max(capacity)
    if len(weights) <= most and isinstance(capacity, int):
        return samplers[0](weights, rng)
    parts = parting(weights, sizes_of(len(weights), most) if isinstance(capacity, int) else capacity, rng)
    taken = [samplers[k % len(samplers)](weights[np.ix_(part, part)], rng) for k, part in enumerate(parts)]
    above = solve(merged(weights, parts, taken), most, samplers, parting, rng)
    spins = np.empty(len(weights), int)
    for part, cut, turn in zip(parts, taken, above.spins, strict=True):
        spins[part] = turn * cut.spins
    shots = above.shots + sum(cut.shots for cut in taken)
    return Taken(spins, shots, sum(cut.mean for cut in taken), sum(cut.largest for cut in taken))
