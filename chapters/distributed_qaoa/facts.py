"""What the chapter found, as numbers."""

from dataclasses import dataclass

import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .arms import ARMS
from .wireless import least_violation, measure, relay

EXPERIMENTS = ("maxcut_15", "maxcut_large")


@dataclass(frozen=True)
class AtSize:
    """Graphs of one size: cuts by way in percent of the largest; QAOA on parts minus uniform shots on the same parts, paired; looks."""

    nodes: int
    graphs: int
    looks: int
    cut: dict[str, Summary]
    mean: dict[str, Summary]
    over_uniform: Summary
    over_annealing: Summary
    areas: dict[str, tuple[Summary, Summary]]
    """One choice of qubits minus another, in the mean of shots and in the best of them, paired by graph."""


@dataclass(frozen=True)
class Facts:
    """By size; words of the ways; energies of the wireless network in percent above sending straight; violations of a relay."""

    sizes: list[AtSize]
    words: dict[str, str]
    greedy: Summary
    least: Summary
    violations: dict[int, int]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    own = results.of(*EXPERIMENTS)
    sizes = [] if own.empty else [_at(int(nodes), part) for nodes, part in own.groupby("maxcut.nodes")]
    networks = measure() if sizes else pd.DataFrame()
    greedy, least = (summarise(networks.get(f"{name}_change_percent", [])) for name in ("greedy", "least"))
    return Facts(sizes, ARMS, greedy, least, {sensors: least_violation(*relay(sensors)) for sensors in (1, 2, 3)})


def _at(nodes: int, part: pd.DataFrame) -> AtSize:
    cuts, means = ({name: summarise(part.get(f"{name}_{kind}_percent", [])) for name in ARMS} for kind in ("cut", "mean"))
    return AtSize(
        nodes,
        len(part),
        int(part["looks"].median()),
        {name: found for name, found in cuts.items() if found.n},
        {name: found for name, found in means.items() if found.n},
        summarise(part["distributed_cut_percent"] - part["uniform_cut_percent"]),
        summarise(part["distributed_cut_percent"] - part["annealing_cut_percent"]),
        {
            f"{ARMS[one]} minus {ARMS[other]}": (_minus(part, one, other, "mean"), _minus(part, one, other, "cut"))
            for one, other in (("area_best", "area_random"), ("area_random", "area_worst"))
        },
    )


def _minus(part: pd.DataFrame, one: str, other: str, kind: str) -> Summary:
    columns = [f"{name}_{kind}_percent" for name in (one, other)]
    return summarise(part[columns[0]] - part[columns[1]] if set(columns) <= set(part) else [])
