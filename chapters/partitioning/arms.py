"""All ways to cut a circuit that are compared."""

import networkx as nx
import numpy as np

from .circuits import FAMILIES, Circuit, cp_fraction
from .cost import groups_of, pairs
from .heuristics import block_order, filled_from_the_end, optimum, random_places, static
from .multilevel import partition
from .settings import CuttingSection

MOST_PLACES = 50_000
"""Places that are enumerated for the exact optimum."""

ARMS = {
    "random": "random",
    "block": "order of qubits, equal shares",
    "filled": "order of qubits, spare seats used",
    "kernighan_lin": "static, Kernighan-Lin (networkx)",
    "multilevel": "multilevel, in time",
    "optimum": "exact optimum",
}
"""Names and words, in their order."""
STARTS = "random_starts"
"""The multilevel search as often, and from random places alone: what it is without the order of qubits."""


def circuit_of(section: CuttingSection, rng: np.random.Generator) -> Circuit:
    """The circuit of a run."""
    if section.family == "cp_fraction":
        return cp_fraction(section.qubits, rng, section.fraction)
    return FAMILIES[section.family](section.qubits, rng)


def cut(name: str, circuit: Circuit, processors: int, rng: np.random.Generator) -> int | None:
    """Entangled pairs of one way; None for the optimum of a circuit that is too large to enumerate."""
    if name == "optimum":
        try:
            return optimum(circuit, processors, MOST_PLACES)
        except ValueError:
            return None
    if name == "random":
        places = random_places(circuit, processors, rng)
    elif name == "kernighan_lin":
        places = static(circuit, bisected(circuit, processors, rng))
    elif name == "multilevel":
        places = partition(circuit, processors, rng)
    elif name == STARTS:
        places = partition(circuit, processors, rng, ordered=False)
    else:
        places = {"block": block_order, "filled": filled_from_the_end}[name](circuit, processors)
    return pairs(groups_of(circuit), places)


def bisected(circuit: Circuit, processors: int, rng: np.random.Generator) -> list[int]:
    """A processor for each qubit by repeated bisection of the graph of gates (networkx's Kernighan-Lin)."""
    graph = nx.Graph()
    graph.add_nodes_from(range(circuit.qubits))
    for layer in circuit.layers:
        for a, b in layer:
            graph.add_edge(a, b, weight=graph.get_edge_data(a, b, {"weight": 0})["weight"] + 1)
    parts = [set(graph)]
    while len(parts) < processors:
        parts = [
            half
            for part in parts
            for half in nx.community.kernighan_lin_bisection(graph.subgraph(part), seed=int(rng.integers(2**31)), weight="weight")
        ]
    return [next(number for number, part in enumerate(parts) if qubit in part) for qubit in range(circuit.qubits)]
