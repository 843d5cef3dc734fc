"""What needs no quantum processor: random cuts, local search, simulated annealing, and Goemans and Williamson's algorithm.

Each is given as many looks as the quantum arms have shots: one look is the value of one cut.
"""

import numpy as np
from numpy.typing import NDArray

from .graphs import Reals, Spins, cut_values

HOT, COLD = 3.0, 0.1
"""First and last temperature of annealing, in units of the mean weight of an edge."""


def random_cut(weights: Reals, looks: int, rng: np.random.Generator) -> float:
    """The best of ``looks`` random cuts."""
    return max(
        float(cut_values(weights, rng.choice((-1, 1), (min(1024, looks - done), len(weights)))).max()) for done in range(0, looks, 1024)
    )


def local_search(weights: Reals, looks: int, rng: np.random.Generator) -> float:
    """Turn the spin that gains most until none gains, from random cuts, while looks are left: n a step."""
    best, left = -np.inf, looks
    while left > 0 or best == -np.inf:
        spins = rng.choice((-1, 1), len(weights))
        gains = spins * (weights @ spins)
        while left > 0 and gains.max() > 0:
            turned = int(gains.argmax())
            spins[turned] *= -1
            gains = spins * (weights @ spins)
            left -= len(weights)
        left -= 1
        best = max(best, float(cut_values(weights, spins)))
    return best


def annealing(weights: Reals, looks: int, rng: np.random.Generator) -> tuple[float, Spins]:
    """Single spins turned by Metropolis' rule, one look each, while the temperature falls geometrically; the best value and cut met."""
    spins = rng.choice((-1, 1), len(weights))
    fields = weights @ spins
    value = float(cut_values(weights, spins))
    best, kept = value, spins.copy()
    unit = float(weights[weights != 0].__abs__().mean()) if (weights != 0).any() else 1.0
    temperatures = unit * HOT * (COLD / HOT) ** (np.arange(looks) / max(looks - 1, 1))
    turned, drawn = rng.integers(len(weights), size=looks), rng.random(looks)
    for i, temperature, chance in zip(turned, temperatures, drawn, strict=True):
        gain = spins[i] * fields[i]
        if gain >= 0 or chance < np.exp(gain / temperature):
            spins[i] *= -1
            fields += 2 * spins[i] * weights[:, i]
            value += gain
            if value > best + 1e-9:
                best, kept = value, spins.copy()
    return best, kept


def relaxed(weights: Reals, rng: np.random.Generator, sweeps: int = 400) -> NDArray[np.float64]:
    """Unit vectors (n, r) that maximise sum w_ij (1 - v_i v_j) / 4, Goemans and Williamson's relaxation (J. ACM 42, 1115, 1995), by
    coordinate ascent; with r > sqrt(2 n) its only maxima are the relaxation's (Burer and Monteiro; Boumal et al., NeurIPS 2016).
    """
    nodes = len(weights)
    rank = int(np.ceil(np.sqrt(2 * nodes))) + 1
    vectors = rng.normal(size=(nodes, rank))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for _ in range(sweeps):
        for i in range(nodes):
            pull = weights[i] @ vectors
            length = np.linalg.norm(pull)
            if length > 0:
                vectors[i] = -pull / length
    return vectors


def relaxed_value(weights: Reals, vectors: Reals) -> float:
    """What the relaxation reaches."""
    return float((weights * (1 - vectors @ vectors.T)).sum() / 4)


def upper_bound(weights: Reals, vectors: Reals) -> float:
    """A bound that no cut exceeds, from the relaxation's dual: valid whatever the vectors are, tight where they are its maximum."""
    multipliers = -np.einsum("ij,ik,jk->i", weights, vectors, vectors)
    shift = max(0.0, -float(np.linalg.eigvalsh(np.diag(multipliers) + weights).min()))
    return float((weights.sum() + multipliers.sum() + len(weights) * shift) / 4)


def goemans_williamson(weights: Reals, looks: int, rng: np.random.Generator) -> tuple[float, float]:
    """The best of ``looks`` cuts by random hyperplanes, and the upper bound."""
    vectors = relaxed(weights, rng)
    best = -np.inf
    for done in range(0, looks, 1024):
        sides = vectors @ rng.normal(size=(vectors.shape[1], min(1024, looks - done)))
        best = max(best, float(cut_values(weights, np.where(sides.T >= 0, 1, -1)).max()))
    return best, upper_bound(weights, vectors)
