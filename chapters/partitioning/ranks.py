"""The rank of the probabilities of circuits as a matrix: 1 for a product of two, whatever the phases."""

import math
from functools import cache

import torch

from lightweights.photonics import Circuit


@cache
def rank_of(circuits: tuple[tuple[int, int], ...], seed: int = 0) -> int:
    """Of the outer product of the circuits' probabilities at random phases: the outcomes of the first circuit against those of all others;
    of a single circuit, its outcomes in their order as a matrix that is as square as can be.
    """
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for modes, photons in circuits:
        circuit = Circuit(modes, photons)
        parts.append(circuit(circuit.random_phases(generator, torch.float64)))
    joint = parts[0]
    for part in parts[1:]:
        joint = torch.outer(joint, part).flatten()
    rows = len(parts[0]) if len(parts) > 1 else math.isqrt(len(joint))
    matrix = joint[: rows * (len(joint) // rows)].reshape(rows, -1)
    return int(torch.linalg.matrix_rank(matrix, rtol=1e-10))
