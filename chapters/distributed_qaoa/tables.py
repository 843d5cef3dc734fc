"""All ways to cut a graph, and the wireless network."""

import pandas as pd

from lightweights.report.measures import format_number
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, short_cell

from .arms import ARMS
from .qubo import measure_large, measure_small
from .wireless import least_violation, measure, relay

EXPERIMENTS = ("maxcut_15", "maxcut_large")
RELAYS = range(1, 5)


def maxcut(results: Results) -> Table | None:
    """Cut of each way in percent of the largest, by number of nodes; None without runs."""
    own = results.of(*EXPERIMENTS)
    if own.empty:
        return None
    sizes = [(int(nodes), part) for nodes, part in own.groupby("maxcut.nodes")]
    rows, display = [], []
    for name, words in ARMS.items():
        cell = {"Way": words}
        for nodes, part in sizes:
            for kind, head in (("cut", ""), ("mean", ", mean of shots")):
                found = summarise(part.get(f"{name}_{kind}_percent", []))
                rows.append({"way": name, "nodes": nodes, "quantity": kind} | found.columns())
                if kind == "cut" or nodes == sizes[0][0]:
                    cell[f"{nodes} nodes{head}\n(n = {len(part)})"] = short_cell(found, "percent")
        display.append(cell)
    looks = ", ".join(f"{int(part['looks'].median()):,} for {nodes} nodes" for nodes, part in sizes)
    caption = (
        "Cuts of random graphs of mean degree 4 in percent of the largest cut (from 23 nodes on: of a long annealing), "
        f"mean ± sd (ddof = 1) over n graphs. Every way looks at so many cuts: {looks}. Mean of shots: of the last shots on all "
        "parts, in percent of the parts' largest cuts. Areas: connected qubits of a device with random errors, those of two-qubit gates "
        "1 % in the median."
    )
    return Table("maxcut", caption, pd.DataFrame(rows), pd.DataFrame(display))


def wireless(results: Results) -> Table | None:
    """Energy of the wireless network by algorithm, and what the printed conservation leaves unmet; None without runs."""
    if results.of(*EXPERIMENTS).empty:
        return None
    found, small, large = measure(), measure_small(), measure_large()
    rows, display = [], []
    for name, words, values in (
        ("greedy", "energy, greedy, hop by hop (%)", found.greedy_change_percent),
        ("least", "energy, least cost (shortest paths) (%)", found.least_change_percent),
        ("annealed", "energy, QUBO annealed, conservation unmet (%)", large.change_percent),
        ("arriving", "units of 100 that reach the base then", large.arriving),
        ("violation", "violation of conservation then", large.violation),
        ("bound", "least violation that any arcs leave", large.bound),
        ("small", "3 sensors: QUBO's minimum above least cost (%)", small.qubo_excess_percent),
        ("limited", "3 sensors: the same with energy penalty (%)", small.limited_excess_percent),
    ):
        value = summarise(values)
        rows.append({"what": name} | value.columns())
        interval = f"[{format_number(value.low, 'percent')}, {format_number(value.high, 'percent')}]"
        display.append({"What": words, "Value": short_cell(value, "percent"), "95 % interval": interval, "n": str(value.n)})
    for claim in results.claims:
        if claim.quantity == "energy_change_percent":
            rows.append({"what": claim.id, "n": 0, "mean": claim.reported_mean})
            words = f"published, {claim.provenance}: {claim.setting} (%)"
            display.append({"What": words, "Value": claim.reported, "95 % interval": "cannot be judged", "n": "-"})
    for sensors in RELAYS:
        violation = least_violation(*relay(sensors))
        rows.append({"what": "relay", "sensors": sensors, "n": 1, "mean": float(violation)})
        words = f"least violation, {sensors} sensor{'s' * (sensors > 1)} in a row"
        display.append({"What": words, "Value": str(violation), "95 % interval": "exact", "n": "-"})
    caption = (
        "Wireless networks of our own: 100 sensors, 8 heads and a base at random places, energy in percent above that of sending straight "
        "to the base. QUBO: cost of binary arcs + squared violation of conservation (weight 1), annealed on the large networks, enumerated "
        "on those of 3 sensors and a head, there also with the energy penalty (weight 10, limit 0.25 a node). The published numbers name "
        "neither network nor reference. Last: the least sum of squared violations of conservation along a row of sensors, by enumeration."
    )
    return Table("wireless", caption, pd.DataFrame(rows), pd.DataFrame(display))
