"""All ways to cut a graph, and the wireless network."""

import pandas as pd

from lightweights.report.measures import format_number
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, short_cell

from .arms import ARMS
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
    found = measure()
    rows, display = [], []
    for name, words in (("greedy", "greedy, hop by hop"), ("least", "least cost (shortest paths)")):
        change = summarise(found[f"{name}_change_percent"])
        rows.append({"what": name, "sensors": int(found.nodes.iloc[0]) - 9} | change.columns())
        interval = f"[{format_number(change.low, 'percent')}, {format_number(change.high, 'percent')}]"
        display.append(
            {"What": f"energy, {words} (%)", "Value": short_cell(change, "percent"), "95 % interval": interval, "n": str(change.n)}
        )
    for sensors in RELAYS:
        violation = least_violation(*relay(sensors))
        rows.append({"what": "relay", "sensors": sensors, "n": 1, "mean": float(violation)})
        words = f"least violation, {sensors} sensor{'s' * (sensors > 1)} in a row"
        display.append({"What": words, "Value": str(violation), "95 % interval": "exact", "n": "-"})
    caption = (
        "A wireless network of our own: 100 sensors, 8 heads and a base at random places, energy in percent above that of sending straight "
        "to the base. Below: the least sum of squared violations of the printed conservation of flow with binary arcs, by enumeration."
    )
    return Table("wireless", caption, pd.DataFrame(rows), pd.DataFrame(display))
