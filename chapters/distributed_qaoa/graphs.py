"""Graphs as symmetric matrices of weights (n, n) with a zero diagonal, and cuts as spins (n,) of -1 and 1."""

import numpy as np
from numpy.typing import NDArray

from lightweights.errors import LightweightsError

Reals = NDArray[np.float64]
Spins = NDArray[np.int64]

MOST_ENUMERATED = 22


def random_graph(nodes: int, degree: float, rng: np.random.Generator) -> Reals:
    """An Erdos-Renyi graph of unit weights whose nodes have ``degree`` neighbours on average."""
    chosen = np.triu(rng.random((nodes, nodes)) < degree / (nodes - 1), 1).astype(float)
    return chosen + chosen.T


def cut_values(weights: Reals, spins: Spins) -> Reals:
    """Weight of the edges that each cut of (..., n) cuts."""
    together = np.einsum("...i,ij,...j->...", spins, weights, spins)
    return (weights.sum() - together) / 4


def strings(nodes: int, first: int, last: int) -> Spins:
    """Cuts number ``first`` to ``last - 1`` of all 2^nodes, (last - first, nodes); bit 0 of a number, the least one, is the last node."""
    return 1 - 2 * ((np.arange(first, last)[:, None] >> np.arange(nodes - 1, -1, -1)) & 1)


def largest_cut(weights: Reals) -> tuple[float, Spins]:
    """The exact optimum by enumeration: its value and a cut that has it."""
    nodes = len(weights)
    if nodes > MOST_ENUMERATED:
        raise LightweightsError(f"{nodes} nodes have too many cuts to enumerate; at most {MOST_ENUMERATED} nodes")
    best, chosen = -np.inf, np.ones(nodes, int)
    for first in range(0, 2 ** (nodes - 1), 2**12):  # the other half has the same cuts with all spins turned
        cuts = strings(nodes, first, min(first + 2**12, 2 ** (nodes - 1)))
        values = cut_values(weights, cuts)
        if values.max() > best:
            best, chosen = float(values.max()), cuts[values.argmax()]
    return best, chosen
