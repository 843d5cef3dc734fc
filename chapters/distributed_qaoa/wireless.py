"""The wireless network of arXiv 2501.10242 on an instance of our own: sensors send to a base station over cluster heads.

An arc joins nodes at most ``reach`` apart and costs the squared distance, as free-space loss does. The publication asks for binary arcs x
with (outgoing - incoming) = b at every node, b = 1 at a sensor, 0 at a head, minus the number of sensors at the base.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

Reals = NDArray[np.float64]

MOST_ARCS = 20
NETWORKS, SENSORS, HEADS, REACH = 10, 100, 8, 0.25
"""How many networks are measured, of 109 nodes each as published, and how far a node reaches in the unit square."""


@dataclass(frozen=True)
class Network:
    """Places (n, 2), the base last and the heads before it; costs (n, n), infinite where there is no arc."""

    places: Reals
    sensors: int
    costs: Reals


def network(sensors: int, heads: int, reach: float, rng: np.random.Generator) -> Network:
    """Places drawn in the unit square, the base at its middle; drawn again until every sensor reaches the base."""
    while True:
        places = np.concatenate([rng.random((sensors + heads, 2)), [[0.5, 0.5]]])
        squares = ((places[:, None] - places[None]) ** 2).sum(-1)
        costs = np.where((squares <= reach**2) & (squares > 0), squares, np.inf)
        found = Network(places, sensors, costs)
        if np.isfinite(least_energy(found)):
            return found


def least_energy(found: Network) -> float:
    """Of sending one unit from each sensor to the base. Arcs have no capacity, so this flow of least cost is every sensor's shortest path,
    and polynomial.
    """
    graph = np.where(np.isfinite(found.costs), found.costs, 0.0)
    return float(dijkstra(graph.T, indices=len(graph) - 1)[: found.sensors].sum())


def greedy_energy(found: Network) -> float:
    """Each node passes on to the cheapest neighbour that is nearer to the base; infinite where a sensor finds none."""
    left = ((found.places - found.places[-1]) ** 2).sum(1)
    total = 0.0
    for sensor in range(found.sensors):
        node = sensor
        while node != len(left) - 1:
            costs = np.where(left < left[node], found.costs[node], np.inf)
            total += float(costs.min())
            if not np.isfinite(total):
                return total
            node = int(costs.argmin())
    return total


def direct_energy(found: Network) -> float:
    """Each sensor sends straight to the base, however far."""
    return float(((found.places[: found.sensors] - found.places[-1]) ** 2).sum())


def least_violation(arcs: list[tuple[int, int]], balance: list[int]) -> int:
    """Least sum over nodes of (outgoing - incoming - b)^2 that any choice of binary arcs leaves, by enumeration; 0 where the printed
    conservation can be met.
    """
    if len(arcs) > MOST_ARCS:
        raise ValueError(f"{len(arcs)} arcs: at most {MOST_ARCS} can be enumerated")
    chosen = (np.arange(2 ** len(arcs))[:, None] >> np.arange(len(arcs))) & 1
    incidence = np.zeros((len(arcs), len(balance)), int)
    for number, (start, end) in enumerate(arcs):
        incidence[number, start] += 1
        incidence[number, end] -= 1
    return int(((chosen @ incidence - np.array(balance)) ** 2).sum(1).min())


def relay(sensors: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Arcs and balances of sensors in a row that pass on to the next one, the last to a head, the head to the base."""
    nodes = list(range(sensors + 2))
    return list(pairwise(nodes)), [1] * sensors + [0, -sensors]


@cache
def measure() -> pd.DataFrame:
    """Energies on networks of our own, one a row; they need no run. Changes are in percent of sending straight to the base."""
    rows = []
    for seed in range(NETWORKS):
        found = network(SENSORS, HEADS, REACH, np.random.default_rng(seed))
        direct, greedy, least = direct_energy(found), greedy_energy(found), least_energy(found)
        row = {"network": seed, "nodes": len(found.places), "direct": direct, "greedy": greedy, "least": least}
        rows.append(row | {f"{name}_change_percent": 100 * (row[name] / direct - 1) for name in ("greedy", "least")})
    return pd.DataFrame(rows)
