"""One attempt of the benchmark: random angles, an optimiser that sees energies from shots, and how often the ground state is found then."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .cobyla import Objective, powell_cobyla, scipy_cobyla
from .qaoa import Circuit

Reals = NDArray[np.float64]


def stay(objective: Objective, start: Reals) -> Reals:
    """The control that optimises nothing."""
    return start


OPTIMISERS: dict[str, Callable[[Objective, Reals], Reals]] = {"powell": powell_cobyla, "scipy": scipy_cobyla, "none": stay}


def attempt(circuit: Circuit, layers: int, optimiser: str, shots: int, rng: np.random.Generator) -> tuple[float, int]:
    """Relative frequency of the ground state at the angles where the optimiser stops, and the number of energies it asked for.

    The angles start uniform in [0, 2 pi] (mixer) and [-2 pi, 2 pi] (energies), as in Qiskit's QAOA ansatz.
    """
    asked = 0

    def energy(angles: Reals) -> float:
        nonlocal asked
        asked += 1
        return float(circuit.sample(angles.reshape(2, layers), shots, rng) @ circuit.energies)

    start = np.concatenate([rng.uniform(0, 2 * np.pi, layers), rng.uniform(-2 * np.pi, 2 * np.pi, layers)])
    last = OPTIMISERS[optimiser](energy, start)
    found = circuit.sample(last.reshape(2, layers), shots, rng)
    return float(found[circuit.energies.argmin()]), asked
