"""Entangled pairs by way to cut, and what splitting a photonic circuit costs."""

import pandas as pd

from lightweights.report.measures import NOTHING
from lightweights.report.results import Results
from lightweights.report.statistics import span, summarise
from lightweights.report.table import Table, short_cell, summary_cell

from .facts import EXPERIMENTS, WAYS, circuits_of, splits_of


def ebits(results: Results) -> Table | None:
    """Entangled pairs of each way, by circuit and number of processors; None without runs."""
    if results.of(*EXPERIMENTS).empty:
        return None
    rows, display = [], []
    for circuit in circuits_of(results):
        cell = {"Circuit": circuit.words, "Qubits": str(circuit.qubits), "Proc.": str(circuit.processors), "n": str(circuit.n)}
        cell["Published"] = NOTHING if circuit.published is None else f"{circuit.published:g}"
        for name, words in WAYS.items():
            found = circuit.pairs.get(name)
            row = {"circuit": circuit.words, "qubits": circuit.qubits, "processors": circuit.processors, "way": name}
            rows.append(row | summarise([] if found is None else found.values).columns() | {"published": circuit.published})
            cell[words] = NOTHING if found is None else short_cell(found.summary, "multilevel_pairs_2")
        display.append(cell)
    caption = (
        "Entangled pairs that a circuit takes on several processors, mean ± sd (ddof = 1) over n circuits. Published: means of five "
        "circuits. A processor has one seat more than its share. Only the order with spare seats used, which fills the last processors, "
        "the searches and the optimum use it; random, equal shares and Kernighan-Lin do not, and keep each qubit in its place. "
        "Multilevel: the best of four starts, of which two are the two orders; with random starts all four are random. Exact optimum: by "
        "enumeration, where that is possible."
    )
    return Table("ebits", caption, pd.DataFrame(rows), pd.DataFrame(display))


def splitting(results: Results) -> Table | None:
    """One photonic circuit against products of two and three; None without runs."""
    found = splits_of(results)
    if not found:
        return None
    rows, display = [], []
    for split in found:
        name = " x ".join(f"({modes}, {photons})" for modes, photons in split.circuits)
        row = {"circuits": name, "arm": split.arm, "outcomes": split.outcomes, "outcomes_used": split.used, "rank": split.rank}
        row |= {"phases_used": split.phases, "phases_effective_min": min(split.effective), "phases_effective_max": max(split.effective)}
        rows.append(row | split.accuracy.columns())
        cell = {"Circuits (modes, photons)": name, "Phases": split.arm.replace("photonic-frozen", "frozen").replace("photonic", "trained")}
        cell |= {"Outcomes": f"{split.outcomes:,}", "Used": f"{100 * split.used / split.outcomes:.0f} %"}
        cell |= {"Numbers in use": str(split.phases), "Effective": span(split.effective)}
        cell |= {"Rank of P": str(split.rank), "Accuracy (%)": summary_cell(split.accuracy, "accuracy_percent"), "n": str(split.accuracy.n)}
        display.append(cell)
    caption = (
        "Photonic Quantum-Train with its probabilities P from one circuit, and from products of two and three, at about as many phases. "
        "Used: outcomes that make a weight each, the first ones; the others enter nothing. Effective: lowest to highest over seeds. "
        "Accuracy on MNIST's test images, mean ± sd (ddof = 1) over n seeds, in brackets the 95 % t interval. Rank of P: of the "
        "probabilities at random phases as a matrix, outcomes of the first circuit against those of all others; of one circuit, which "
        "has no such cut, its outcomes in their order as a matrix as square as can be. The two ranks are of different matrices."
    )
    return Table("splitting", caption, pd.DataFrame(rows), pd.DataFrame(display))
