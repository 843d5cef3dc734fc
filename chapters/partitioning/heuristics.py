"""Places that take no search, and the exact optimum of small circuits."""

from itertools import product

import numpy as np

from .circuits import Circuit
from .cost import Places, groups_of, pairs, seats_of


def static(circuit: Circuit, row: list[int]) -> Places:
    """One processor a qubit, in all layers."""
    return np.repeat(np.array(row)[:, None], max(len(circuit.layers), 1), 1)


def block_order(circuit: Circuit, processors: int) -> Places:
    """Qubits in their order, equal shares."""
    share = -(-circuit.qubits // processors)
    return static(circuit, [q // share for q in range(circuit.qubits)])


def filled_from_the_end(circuit: Circuit, processors: int) -> Places:
    """Qubits in their order, the last processors full, spare seats used, so that the first has the fewest."""
    seats = seats_of(circuit.qubits, processors)
    return static(circuit, [max(processors - 1 - (circuit.qubits - 1 - q) // seats, 0) for q in range(circuit.qubits)])


def random_places(circuit: Circuit, processors: int, rng: np.random.Generator) -> Places:
    """Equal shares at random, the same in all layers."""
    share = -(-circuit.qubits // processors)
    row = np.empty(circuit.qubits, int)
    row[rng.permutation(circuit.qubits)] = np.arange(circuit.qubits) // share
    return static(circuit, row.tolist())


def optimum(circuit: Circuit, processors: int, most: int = 2_000_000) -> int:
    """Fewest pairs of any places, by enumeration. Raises ValueError where there are more than ``most``."""
    seats, groups = seats_of(circuit.qubits, processors), groups_of(circuit)
    layers = len(circuit.layers)
    if processors**circuit.qubits > most:
        raise ValueError(f"{circuit.qubits} qubits have too many places on {processors} processors to enumerate; at most {most}")
    rows = [row for row in product(range(processors), repeat=circuit.qubits) if max(row.count(p) for p in range(processors)) <= seats]
    if len(rows) ** layers > most:
        raise ValueError(f"{len(rows)} ** {layers} places are too many to enumerate; at most {most}")
    return min(pairs(groups, np.array(choice).T) for choice in product(rows, repeat=layers))
