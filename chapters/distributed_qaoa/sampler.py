"""A small processor: it is given a graph that fits, and returns the best cut among its shots.

QAOA for MaxCut (Farhi, Goldstone and Gutmann, arXiv 1411.4028) with optimised or fixed angles, or uniform shots in its place. Noise mixes
the outcomes with uniform ones, by the fidelity of all gates together, and flips bits when they are read.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from .graphs import Reals, Spins, cut_values, strings


@dataclass(frozen=True)
class Quality:
    """Of a processor's qubits: errors of a gate on one qubit and on two, and of reading a bit."""

    one: float = 0.0
    two: float = 0.0
    readout: float = 0.0


@dataclass(frozen=True)
class Taken:
    """A cut, the shots that were spent on it, and how good the last of them were: their mean value, and the largest that there is."""

    spins: Spins
    shots: int
    mean: float = 0.0
    largest: float = 0.0


Sampler = Callable[[Reals, np.random.Generator], Taken]

FIXED_ANGLES = (0.6156, 0.3927)
"""g and b of one layer, the best on cubic graphs without triangles: arctan(1 / sqrt(2)) and pi / 8 (Wang et al., Phys. Rev. A 97, 022304,
2018). For other graphs g is divided by the root of a node's mean squared weight, in units of a cubic graph's.
"""


def uniform(shots: int) -> Sampler:
    """The control: shots that know nothing of the graph."""

    def sample(weights: Reals, rng: np.random.Generator) -> Taken:
        cuts = rng.choice((-1, 1), (shots, len(weights)))
        values = cut_values(weights, cuts)
        return Taken(
            cuts[values.argmax()],
            shots,
            float(values.mean()),
            float(cut_values(weights, strings(len(weights), 0, 2 ** len(weights))).max()),
        )

    return sample


def qaoa(layers: int, shots: int, evaluations: int, quality: Quality = Quality(), *, optimised: bool = True) -> Sampler:
    """QAOA: at most ``evaluations`` mean values of ``shots`` shots each for the angles, then ``shots`` at the last angles. Without
    optimisation as many shots in all, at the fixed angles.
    """

    def sample(weights: Reals, rng: np.random.Generator) -> Taken:
        cuts = strings(len(weights), 0, 2 ** len(weights))
        values = cut_values(weights, cuts)
        spent = 0

        def draw(angles: Reals, count: int) -> Reals:
            nonlocal spent
            spent += count
            return rng.multinomial(count, probabilities(values, angles.reshape(2, layers), quality, int((weights != 0).sum()) // 2))

        start = np.concatenate([np.full(layers, FIXED_ANGLES[0] / _scale(weights)), np.full(layers, FIXED_ANGLES[1])])
        seen = np.zeros(len(values), int)
        angles = start
        if optimised:

            def loss(angles: Reals) -> float:
                counts = draw(angles, shots)
                seen[:] += counts
                return -float(counts @ values) / shots

            angles = minimize(loss, start, method="COBYLA", options={"rhobeg": 0.3, "maxiter": evaluations, "tol": 1e-2}).x
        last = draw(np.asarray(angles), max(shots, (evaluations + 1) * shots - spent))
        found = np.flatnonzero(seen + last)
        return Taken(cuts[found[values[found].argmax()]], spent, float(last @ values / last.sum()), float(values.max()))

    return sample


def _scale(weights: Reals) -> float:
    """Root of the mean over nodes of the sum of squared weights, in units of degree three's."""
    return float(np.sqrt((weights**2).sum(1).mean() / 3)) or 1.0


def probabilities(values: Reals, angles: Reals, quality: Quality = Quality(), edges: int = 0) -> Reals:
    """Of all 2^n cuts, from their values C (2^n,) and the angles (2, layers), g first: prod_l exp(-i b_l sum X) exp(-i g_l C) |+>. Two
    gates on two qubits an edge and layer, one on one qubit a node and layer.
    """
    nodes = len(values).bit_length() - 1
    state = np.full([2] * nodes, 2 ** (-nodes / 2), complex)
    for phase, mixing in angles.T:
        state = state * np.exp(-1j * phase * values).reshape(state.shape)
        turn = np.array([[np.cos(mixing), -1j * np.sin(mixing)], [-1j * np.sin(mixing), np.cos(mixing)]])
        for node in range(nodes):
            state = np.moveaxis(np.tensordot(turn, state, (1, node)), 0, node)
    found = (state.real**2 + state.imag**2).ravel()
    layers = angles.shape[1]
    kept = (1 - quality.one) ** (nodes * layers) * (1 - quality.two) ** (2 * edges * layers)
    found = kept * found + (1 - kept) / len(found)
    if quality.readout:
        flip = np.array([[1 - quality.readout, quality.readout], [quality.readout, 1 - quality.readout]])
        read = found.reshape([2] * nodes)
        for node in range(nodes):
            read = np.moveaxis(np.tensordot(flip, read, (1, node)), 0, node)
        found = read.ravel()
    return found / found.sum()
