"""One attempt of the benchmark: random angles, an optimiser that sees energies from shots, and how often the ground state is found then."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lightweights.training.cobyla import Objective, powell_cobyla, scipy_cobyla

from .qaoa import Circuit

Reals = NDArray[np.float64]


OPTIMISERS: dict[str, Callable[[Objective, Reals], Reals]] = {"powell": powell_cobyla, "scipy": scipy_cobyla}


class Attempt(NamedTuple):
    """Relative frequency of the ground state where the optimiser stops; at the angles that it started from, which is the control without
    any optimisation; and the number of energies it asked for.
    """

    found: float
    at_start: float
    asked: int


def attempt(circuit: Circuit, layers: int, optimiser: str, shots: int, rng: np.random.Generator) -> Attempt:
    """Angles start uniform in [0, 2 pi] (mixer) and [-2 pi, 2 pi] (energies), as in Qiskit's QAOA ansatz."""
    asked = 0

    def energy(angles: Reals) -> float:
        nonlocal asked
        asked += 1
        return float(circuit.sample(angles.reshape(2, layers), shots, rng) @ circuit.energies)

    start = np.concatenate([rng.uniform(0, 2 * np.pi, layers), rng.uniform(-2 * np.pi, 2 * np.pi, layers)])
    ground = circuit.energies.argmin()
    at_start = circuit.sample(start.reshape(2, layers), shots, rng)[ground]
    last = OPTIMISERS[optimiser](energy, start)
    return Attempt(float(circuit.sample(last.reshape(2, layers), shots, rng)[ground]), float(at_start), asked)
