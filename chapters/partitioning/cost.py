"""How many entangled pairs a circuit takes whose qubits move between processors (the model of arXiv 2503.19082).

A node is a qubit in a layer. A qubit in another processor in the next layer has been teleported: one pair. A controlled phase
across processors takes one pair too; but a copy of the control's value serves all gates of a group, those that follow on the same control
until a u on it: a group takes one pair for each processor that holds its targets and not its control.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .circuits import Circuit

Places = NDArray[np.int64]
"""Processor of each qubit in each layer, (qubits, layers)."""


@dataclass(frozen=True)
class Group:
    """Gates that share a root qubit: (root, layer) and (other qubit, layer) of each."""

    roots: tuple[tuple[int, int], ...]
    receivers: tuple[tuple[int, int], ...]


def groups_of(circuit: Circuit) -> list[Group]:
    """Every gate joins the group that is open on its control, else the one on its target, else opens one on its control."""
    open_on: dict[int, int] = {}
    roots: list[list[tuple[int, int]]] = []
    receivers: list[list[tuple[int, int]]] = []
    for layer, gates in enumerate(circuit.layers):
        for qubit in [q for q in open_on if (q, layer) in circuit.turned]:
            del open_on[qubit]
        for control, target in gates:
            root, other = (target, control) if control not in open_on and target in open_on else (control, target)
            if root not in open_on:
                open_on[root] = len(roots)
                roots.append([])
                receivers.append([])
            roots[open_on[root]].append((root, layer))
            receivers[open_on[root]].append((other, layer))
    return [Group(tuple(r), tuple(o)) for r, o in zip(roots, receivers, strict=True)]


def pairs(groups: list[Group], places: Places) -> int:
    """Entangled pairs: teleported qubits, and processors that hold a group's targets and not its root."""
    moved = int((places[:, 1:] != places[:, :-1]).sum())
    remote = sum(len({int(places[node]) for node in group.receivers} - {int(places[node]) for node in group.roots}) for group in groups)
    return moved + remote


def seats_of(qubits: int, processors: int) -> int:
    """Qubits that a processor holds at most: its share and one more."""
    return -(-qubits // processors) + 1
