"""Multilevel Fiduccia-Mattheyses on the circuit extended in time.

Layers are merged two by two until one is left; its places are found first, and each finer level starts from those of the coarser one. On a
level, single moves of a qubit in one block of layers are made in the order of their gain, each node once a pass, losses allowed; the best
point of the pass is kept (Fiduccia and Mattheyses, DAC 1982).
"""

import numpy as np

from .circuits import Circuit
from .cost import Group, Places, groups_of, pairs, seats_of
from .heuristics import block_order, filled_from_the_end, random_places

PASSES = 10
PATIENCE = 4
"""Moves without a new best after which a pass ends, in units of the number of qubits."""


def partition(circuit: Circuit, processors: int, rng: np.random.Generator, starts: int = 4, *, ordered: bool = True) -> Places:
    """Places of few pairs, (qubits, layers): the best of what is found from so many starts.

    Two are the qubits' own order, with and without its spare seats, and the others random; all are random unless ``ordered``. A start from
    the order never ends with more pairs than the order itself takes.
    """
    groups, layers = groups_of(circuit), max(len(circuit.layers), 1)
    seats = seats_of(circuit.qubits, processors)
    first = [filled_from_the_end(circuit, processors), block_order(circuit, processors)] if ordered else []
    best: Places | None = None
    for start in first + [random_places(circuit, processors, rng) for _ in range(starts - len(first))]:
        places = start[:, :1]
        for blocks in _levels(layers):
            places = places[:, np.arange(blocks) * places.shape[1] // blocks]
            places = _refined(groups, places, layers, processors, seats, rng)
        if best is None or pairs(groups, places) < pairs(groups, best):
            best = places
    assert best is not None
    return best


def _levels(layers: int) -> list[int]:
    """Numbers of blocks from one to the number of layers."""
    counts = [layers]
    while counts[-1] > 1:
        counts.append(-(-counts[-1] // 2))
    return counts[::-1]


def _refined(groups: list[Group], places: Places, layers: int, processors: int, seats: int, rng: np.random.Generator) -> Places:
    for _ in range(PASSES):
        search = Pass(groups, places, layers, processors, seats)
        gained, found = search.run(rng)
        if gained <= 0:
            break
        places = found
    return places


class Pass:
    """One pass over a level: counts of each group's roots and receivers by processor, and the gains of all moves.

    A node is a qubit in a block, number qubit * blocks + block.
    """

    def __init__(self, groups: list[Group], places: Places, layers: int, processors: int, seats: int) -> None:
        self.qubits, self.blocks = places.shape
        self.processors, self.seats = processors, seats
        self.place = places.ravel().tolist()
        self.held = [[int((places[:, block] == p).sum()) for p in range(processors)] for block in range(self.blocks)]
        self.roots = [[0] * processors for _ in groups]
        self.receivers = [[0] * processors for _ in groups]
        self.members: list[dict[int, list[int]]] = [{} for _ in groups]
        self.of: list[list[int]] = [[] for _ in self.place]
        for number, group in enumerate(groups):
            for kind, nodes in enumerate((group.roots, group.receivers)):
                for qubit, layer in nodes:
                    node = qubit * self.blocks + layer * self.blocks // layers
                    self.members[number].setdefault(node, [0, 0])[kind] += 1
                    (self.roots, self.receivers)[kind][number][self.place[node]] += 1
            for node in self.members[number]:
                self.of[node].append(number)

    def gain(self, node: int, to: int) -> int:
        """Pairs that a move saves."""
        here, total = self.place[node], 0
        block = node % self.blocks
        for other in ([node - 1] if block else []) + ([node + 1] if block < self.blocks - 1 else []):
            total += (self.place[other] != here) - (self.place[other] != to)
        for number in self.of[node]:
            roots, receivers = self.roots[number], self.receivers[number]
            as_root, as_receiver = self.members[number][node]
            total += (receivers[here] > 0 and not roots[here]) + (receivers[to] > 0 and not roots[to])
            total -= receivers[here] > as_receiver and roots[here] == as_root
            total -= receivers[to] + as_receiver > 0 and roots[to] + as_root == 0
        return total

    def move(self, node: int, to: int) -> None:
        """Make a move."""
        here, block = self.place[node], node % self.blocks
        for number in self.of[node]:
            as_root, as_receiver = self.members[number][node]
            self.roots[number][here] -= as_root
            self.roots[number][to] += as_root
            self.receivers[number][here] -= as_receiver
            self.receivers[number][to] += as_receiver
        self.held[block][here] -= 1
        self.held[block][to] += 1
        self.place[node] = to

    def neighbours(self, node: int) -> set[int]:
        """Nodes whose gains a move of this one changes."""
        block = node % self.blocks
        near = {node - 1} if block else set()
        if block < self.blocks - 1:
            near.add(node + 1)
        return near.union(*(self.members[number] for number in self.of[node]))

    def run(self, rng: np.random.Generator) -> tuple[int, Places]:
        """Move until nothing promises more; pairs saved at the best point, and the places there."""
        count = len(self.place)
        gains = np.full((count, self.processors), -np.inf)
        for node in range(count):
            gains[node] = self._gains(node)
        jitter = rng.random(gains.shape) / 2  # equal gains in random order
        locked = np.zeros(count, bool)
        total = best = idle = 0
        kept = list(self.place)
        blocks = np.arange(count) % self.blocks
        while idle < PATIENCE * self.qubits and not locked.all():
            full = np.array([[held >= self.seats for held in row] for row in self.held])
            node, to = np.unravel_index(int(np.where(full[blocks], -np.inf, gains + jitter).argmax()), gains.shape)
            if not np.isfinite(gains[node, to]) or full[blocks[node], to]:
                break
            total += int(gains[node, to])
            self.move(int(node), int(to))
            locked[node] = True
            gains[node] = -np.inf
            for near in self.neighbours(int(node)):
                if not locked[near]:
                    gains[near] = self._gains(near)
            idle += 1
            if total > best:
                best, idle, kept = total, 0, list(self.place)
        return best, np.array(kept).reshape(self.qubits, self.blocks)

    def _gains(self, node: int) -> list[float]:
        return [-np.inf if to == self.place[node] else self.gain(node, to) for to in range(self.processors)]
