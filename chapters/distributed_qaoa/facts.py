"""What the chapter found, as numbers."""

from dataclasses import dataclass

import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .arms import ARMS
from .graphs import MOST_ENUMERATED
from .qubo import measure_large, measure_small
from .wireless import least_violation, measure, relay

EXPERIMENTS = ("maxcut_15", "maxcut_large")


AREAS = (("area_best", "area_worst"), ("area_best", "area_random"), ("area_random", "area_worst"), ("area_best", "area_printed"))


@dataclass(frozen=True)
class Areas:
    """One choice of qubits minus another, paired by graph: in the mean of shots, in points of the parts' largest cuts, and in the cut that
    is kept, in points of the graph's largest cut.
    """

    words: str
    mean: Summary
    cut: Summary


@dataclass(frozen=True)
class AtSize:
    """Graphs of one size: looks; cuts by way in percent of the largest; QAOA on parts minus uniform shots on the same parts, in the cut
    that is kept and in the mean of shots, and minus annealing and random cuts, paired; choices of qubits; and, where the largest cut is
    only the largest known, a bound that no cut exceeds, in percent of it.
    """

    nodes: int
    graphs: int
    looks: int
    cut: dict[str, Summary]
    over_uniform: Summary
    over_uniform_mean: Summary
    over_annealing: Summary
    over_random: Summary
    areas: list[Areas]
    bound: Summary


@dataclass(frozen=True)
class Facts:
    """By size; words of the ways; the wireless network, all in percent against sending straight but for what small QUBOs cost, in percent
    above the flow of least cost; violations of a relay; published energies.
    """

    sizes: list[AtSize]
    words: dict[str, str]
    greedy: Summary
    least: Summary
    annealed: Summary
    arriving: Summary
    unmet: Summary
    at_bound: tuple[int, int]
    small: Summary
    limited: Summary
    violations: dict[int, int]
    published: list[float]

    def differing(self, kind: str) -> dict[str, list[tuple[int, Summary]]]:
        """Choices of qubits whose difference has an interval without 0, in the ``mean`` of shots or in the ``cut`` that is kept, by words:
        nodes and difference.
        """
        found = [(areas.words, size.nodes, getattr(areas, kind)) for size in self.sizes for areas in size.areas]
        apart = [(words, nodes, one) for words, nodes, one in found if one.low > 0 or one.high < 0]
        names = dict.fromkeys(areas.words for size in self.sizes for areas in size.areas)
        told = {name: [(nodes, one) for words, nodes, one in apart if words == name] for name in names}
        return {name: rows for name, rows in told.items() if rows}

    @property
    def compared(self) -> int:
        """How many differences of choices of qubits there are of each kind."""
        return sum(len(size.areas) for size in self.sizes)


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    own = results.of(*EXPERIMENTS)
    sizes = [] if own.empty else [_at(int(nodes), part) for nodes, part in own.groupby("maxcut.nodes")]
    networks, large, small = (measure(), measure_large(), measure_small()) if sizes else (pd.DataFrame(),) * 3
    greedy, least = (summarise(networks.get(f"{name}_change_percent", [])) for name in ("greedy", "least"))
    return Facts(
        sizes,
        ARMS,
        greedy,
        least,
        *(summarise(large.get(name, [])) for name in ("change_percent", "arriving", "violation")),
        (int((large["violation"] == large["bound"]).sum()), len(large)) if sizes else (0, 0),
        *(summarise(small.get(f"{name}_excess_percent", [])) for name in ("qubo", "limited")),
        {sensors: least_violation(*relay(sensors)) for sensors in (1, 2, 3)},
        [claim.reported_mean for claim in results.claims if claim.quantity == "energy_change_percent" and claim.reported_mean is not None],
    )


def _at(nodes: int, part: pd.DataFrame) -> AtSize:
    cuts = {name: summarise(part.get(f"{name}_cut_percent", [])) for name in ARMS}
    areas = [
        Areas(f"{ARMS[one]} minus {ARMS[other]}", _minus(part, one, other, "mean"), _minus(part, one, other, "cut")) for one, other in AREAS
    ]
    return AtSize(
        nodes,
        len(part),
        int(part["looks"].median()),
        {name: found for name, found in cuts.items() if found.n},
        _minus(part, "distributed", "uniform", "cut"),
        _minus(part, "distributed", "uniform", "mean"),
        _minus(part, "distributed", "annealing", "cut"),
        _minus(part, "distributed", "random_cut", "cut"),
        [one for one in areas if one.mean.n],
        summarise(part["bound_percent"] if nodes > MOST_ENUMERATED and "bound_percent" in part else []),
    )


def _minus(part: pd.DataFrame, one: str, other: str, kind: str) -> Summary:
    columns = [f"{name}_{kind}_percent" for name in (one, other)]
    return summarise(part[columns[0]] - part[columns[1]] if set(columns) <= set(part) else [])
