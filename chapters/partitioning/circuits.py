"""The four families of circuits that are partitioned, as layers of controlled-phase gates with other gates between them.

Controlled phases are diagonal and commute; any other gate on a qubit, u, is where a copy of that qubit's value in another processor ends.
"""

from dataclasses import dataclass

import numpy as np

Gate = tuple[int, ...]
"""One qubit: u. Two: a controlled phase, the control first."""


@dataclass(frozen=True)
class Circuit:
    """Layers of controlled phases (control, target), each qubit at most once in a layer; ``turned`` has (qubit, layer) where a u stands
    before the layer's gates.
    """

    qubits: int
    layers: tuple[tuple[tuple[int, int], ...], ...]
    turned: frozenset[tuple[int, int]]


def scheduled(qubits: int, gates: list[Gate]) -> Circuit:
    """Every gate as early as its qubits allow."""
    free = [0] * qubits
    layers: list[list[tuple[int, int]]] = []
    turned = set()
    for gate in gates:
        if len(gate) == 1:
            turned.add((gate[0], free[gate[0]]))
            continue
        control, target = gate
        layer = max(free[control], free[target])
        free[control] = free[target] = layer + 1
        while len(layers) <= layer:
            layers.append([])
        layers[layer].append((control, target))
    return Circuit(qubits, tuple(tuple(layer) for layer in layers), frozenset(turned))


def qft(qubits: int, rng: np.random.Generator) -> Circuit:
    """The quantum Fourier transform without its swaps."""
    gates: list[Gate] = []
    for qubit in range(qubits):
        gates += [(qubit,), *((qubit, other) for other in range(qubit + 1, qubits))]
    return scheduled(qubits, gates)


def qaoa(qubits: int, rng: np.random.Generator) -> Circuit:
    """One layer of QAOA on a random graph that has each edge with probability one half."""
    edges = [(i, j) for i in range(qubits) for j in range(i + 1, qubits) if rng.random() < 0.5]
    return scheduled(qubits, [*((q,) for q in range(qubits)), *edges, *((q,) for q in range(qubits))])


def quantum_volume(qubits: int, rng: np.random.Generator) -> Circuit:
    """As many layers as qubits; each pairs all qubits at random by a general gate, which takes three controlled phases."""
    gates: list[Gate] = []
    for _ in range(qubits):
        order = [int(q) for q in rng.permutation(qubits)]
        for a, b in zip(order[::2], order[1::2], strict=False):
            gates += [(a,), (b,), (a, b), (a,), (b,), (a, b), (a,), (b,), (a, b), (a,), (b,)]
    return scheduled(qubits, gates)


def cp_fraction(qubits: int, rng: np.random.Generator, fraction: float = 0.5) -> Circuit:
    """As many layers as qubits; a qubit has a controlled phase with probability ``fraction``, paired at random, else a u."""
    gates: list[Gate] = []
    for _ in range(qubits):
        paired = rng.random(qubits) < fraction
        gates += [(int(q),) for q in np.flatnonzero(~paired)]
        order = [int(q) for q in rng.permutation(np.flatnonzero(paired))]
        gates += list(zip(order[::2], order[1::2], strict=False))
    return scheduled(qubits, gates)


FAMILIES = {"qft": qft, "qaoa": qaoa, "quantum_volume": quantum_volume, "cp_fraction": cp_fraction}
