"""The wireless network's QUBO (arXiv 2501.10242, as its slides print it): binary arcs x that minimise

    sum c x  +  l_f sum_i (outgoing - incoming - b_i)^2  +  l_e sum_i (sum_j c_ij x_ij - E_i)^2

over all nodes i. Weights and limits are not published; ours are below, in units of the costs, which are squared lengths.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .wireless import HEADS, NETWORKS, REACH, SENSORS, Network, Reals, direct_energy, least_energy, network

Bits = NDArray[np.int64]

MOST_ENUMERATED = 16
"""Arcs whose 2^n choices are enumerated."""
CONSERVATION = 1.0
"""l_f: twice the largest squared distance to the base, so that no violation pays."""
ENERGY, LIMIT = 10.0, 0.25
"""l_e and E_i, the same for all nodes: half of the largest squared distance to the base."""
HOT, COLD = 0.1, 0.001
"""First and last temperature of annealing: above and below what arcs cost on networks of the published size."""
SMALL = (3, 1, 1.0)
"""Sensors, heads and reach of the networks that are enumerated: at most 16 arcs."""
ANNEALED, SWEEPS = 5, 50
"""How many networks of the published size are annealed, and how often each arc is turned or not."""


@dataclass(frozen=True)
class Qubo:
    """x^T matrix x + offset: arcs (n), the symmetric matrix (n, n) with linear terms on its diagonal, costs (n) and incidence (nodes, n) of
    the arcs, 1 at their start and -1 at their end, and the balance (nodes) that outgoing minus incoming should have.
    """

    arcs: list[tuple[int, int]]
    matrix: Reals
    offset: float
    costs: Reals
    incidence: Reals
    balance: Reals

    def value(self, chosen: Bits) -> Reals:
        """Of choices (..., n)."""
        return np.einsum("...i,ij,...j->...", chosen, self.matrix, chosen) + self.offset

    def violation(self, chosen: Bits) -> float:
        """Sum over nodes of the squared violation of conservation."""
        return float(((self.incidence @ chosen - self.balance) ** 2).sum())


def qubo(found: Network, conservation: float = CONSERVATION, energy: float = 0.0, limit: float = LIMIT) -> Qubo:
    """The QUBO of a network; none of its arcs leaves the base."""
    base = len(found.places) - 1
    arcs = [(int(i), int(j)) for i, j in zip(*np.nonzero(np.isfinite(found.costs)), strict=True) if i != base]
    costs, each = np.array([found.costs[arc] for arc in arcs]), np.arange(len(arcs))
    starts, ends = (np.zeros((base + 1, len(arcs))) for _ in range(2))
    starts[[i for i, _ in arcs], each] = 1
    ends[[j for _, j in arcs], each] = 1
    incidence, spent = starts - ends, starts * costs
    balance = np.concatenate([np.ones(found.sensors), np.zeros(base - found.sensors), [-found.sensors]])
    limits = np.full(base + 1, limit)
    matrix, offset = np.diag(costs), 0.0
    for weight, rows, wanted in ((conservation, incidence, balance), (energy, spent, limits)):
        if weight:
            matrix = matrix + weight * (rows.T @ rows - 2 * np.diag(wanted @ rows))  # (rows x - wanted)^2, with x^2 = x
            offset += weight * float(wanted @ wanted)
    return Qubo(arcs, matrix, offset, costs, incidence, balance)


def enumerated(problem: Qubo) -> Bits:
    """The exact minimum. Raises ValueError where there are too many arcs."""
    n = len(problem.arcs)
    if n > MOST_ENUMERATED:
        raise ValueError(f"{n} arcs: at most {MOST_ENUMERATED} can be enumerated")
    chosen = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return chosen[problem.value(chosen).argmin()]


def annealed(problem: Qubo, sweeps: int, rng: np.random.Generator, hot: float = HOT, cold: float = COLD) -> Bits:
    """The best of single bits turned by Metropolis' rule from none chosen, so many for each arc, while the temperature falls
    geometrically.
    """
    n = len(problem.arcs)
    linear, chosen, steps = problem.matrix.diagonal().copy(), np.zeros(n, int), sweeps * n
    fields, doubled = linear.copy(), 2 * (problem.matrix - np.diag(linear))
    value = least = 0.0
    best = chosen.copy()
    temperatures = hot * (cold / hot) ** (np.arange(steps) / max(steps - 1, 1))
    for i, limit in zip(rng.integers(n, size=steps), -temperatures * np.log(1 - rng.random(steps)), strict=True):
        turned = 1 - 2 * chosen[i]
        change = turned * fields[i]
        if change <= limit:
            chosen[i] += turned
            fields += turned * doubled[i]
            value += change
            if value < least - 1e-12:
                least, best = value, chosen.copy()
    return best


def violation_bound(problem: Qubo) -> int:
    """No choice of arcs violates conservation less. With k arcs into the base its own violation is (sensors - k)^2, and the other nodes
    send k units in all where one a sensor is asked, so that at least sensors - k of them are one short.
    """
    base, sensors = len(problem.balance) - 1, int(-problem.balance[-1])
    short = max(sensors - sum(end == base for _, end in problem.arcs), 0)
    return short**2 + short


@cache
def measure_small() -> pd.DataFrame:
    """Networks that are enumerated, one a row: energy of the QUBO's minimum in percent above that of the flow of least cost, without the
    energy term and with it (``limited``), and the violation of conservation in each.
    """
    rows = []
    for seed in range(NETWORKS):
        found = network(*SMALL, np.random.default_rng(seed))
        row: dict[str, float] = {"network": seed, "nodes": len(found.places)}
        for name, energy in (("qubo", 0.0), ("limited", ENERGY)):
            problem = qubo(found, energy=energy)
            chosen = enumerated(problem)
            row |= {f"{name}_violation": problem.violation(chosen)}
            row |= {f"{name}_excess_percent": 100 * (float(problem.costs @ chosen) / least_energy(found) - 1)}
        rows.append(row)
    return pd.DataFrame(rows)


@cache
def measure_large() -> pd.DataFrame:
    """Networks of as many nodes as published, one a row: energy of the arcs that annealing of the QUBO ends with in percent of sending
    straight to the base, the violation of conservation, its bound, and the units that reach the base.
    """
    rows = []
    for seed in range(ANNEALED):
        found = network(SENSORS, HEADS, REACH, np.random.default_rng(seed))
        problem = qubo(found)
        chosen = annealed(problem, SWEEPS, np.random.default_rng(seed))
        row = {"network": seed, "nodes": len(found.places), "arcs": len(problem.arcs)}
        row |= {"change_percent": 100 * (float(problem.costs @ chosen) / direct_energy(found) - 1)}
        row |= {
            "violation": problem.violation(chosen),
            "bound": violation_bound(problem),
            "arriving": -float((problem.incidence @ chosen)[-1]),
        }
        rows.append(row)
    return pd.DataFrame(rows)
