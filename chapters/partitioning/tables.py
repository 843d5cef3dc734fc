"""Entangled pairs by way to cut, and what splitting a photonic circuit costs."""

import pandas as pd

from lightweights.report.measures import NOTHING
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, short_cell, summary_cell

from .arms import ARMS
from .facts import EXPERIMENTS, circuits_of, splits_of


def ebits(results: Results) -> Table | None:
    """Entangled pairs of each way, by circuit and number of processors; None without runs."""
    if results.of(*EXPERIMENTS).empty:
        return None
    rows, display = [], []
    for circuit in circuits_of(results):
        cell = {"Circuit": circuit.words, "Qubits": str(circuit.qubits), "Proc.": str(circuit.processors), "n": str(circuit.n)}
        cell["Published"] = NOTHING if circuit.published is None else f"{circuit.published:g}"
        for name, words in ARMS.items():
            found = circuit.pairs.get(name)
            row = {"circuit": circuit.words, "qubits": circuit.qubits, "processors": circuit.processors, "way": name}
            rows.append(row | summarise([] if found is None else found.values).columns() | {"published": circuit.published})
            cell[words] = NOTHING if found is None else short_cell(found.summary, "multilevel_pairs_2")
        display.append(cell)
    caption = (
        "Entangled pairs that a circuit takes on several processors, mean ± sd (ddof = 1) over n circuits. Published: means of five "
        "circuits. A processor has one seat more than its share; order of qubits with spare seats used fills the last processors. Static "
        "ways keep each qubit in its place. Exact optimum: by enumeration, where that is possible."
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
        row = {"circuits": name, "arm": split.arm, "outcomes": split.outcomes, "rank": split.rank}
        row |= {"phases_used": split.phases, "phases_effective": split.effective}
        rows.append(row | split.accuracy.columns())
        cell = {"Circuits (modes, photons)": name, "Phases": split.arm.replace("photonic-frozen", "frozen").replace("photonic", "trained")}
        cell |= {"Outcomes": f"{split.outcomes:,}", "Numbers in use": str(split.phases), "Effective": str(split.effective)}
        cell |= {"Rank of P": str(split.rank), "Accuracy (%)": summary_cell(split.accuracy, "accuracy_percent"), "n": str(split.accuracy.n)}
        display.append(cell)
    caption = (
        "Photonic Quantum-Train with its probabilities P from one circuit, and from products of two and three, at about as many phases. "
        "Accuracy on MNIST's test images, mean ± sd (ddof = 1) over n seeds, in brackets the 95 % t interval. Rank of P: of the "
        "probabilities at random phases as a matrix, outcomes of the first circuit against those of all others; of one circuit, a square "
        "matrix of them."
    )
    return Table("splitting", caption, pd.DataFrame(rows), pd.DataFrame(display))
