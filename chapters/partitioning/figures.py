"""Entangled pairs of every way to cut."""

import numpy as np
from matplotlib.figure import Figure

from lightweights.report.figure import BLACK, BLUE, GREEN, GREY, ORANGE, TWO_COLUMNS, VERMILLION, error_bars, styled, without_runs
from lightweights.report.results import Results

from .arms import ARMS
from .facts import circuits_of

LOOKS = {
    "random": (GREY, "x"),
    "block": (ORANGE, "s"),
    "filled": (GREEN, "^"),
    "kernighan_lin": (VERMILLION, "v"),
    "multilevel": (BLUE, "o"),
}


@styled
def ebits(results: Results) -> Figure:
    """Entangled pairs of each way on a logarithmic axis, one place a circuit; the published means as black bars."""
    figure = Figure(figsize=(TWO_COLUMNS, 3.0), layout="constrained")
    found = [circuit for circuit in circuits_of(results) if circuit.qubits > 4]
    if not found:
        return without_runs(figure)
    axis = figure.subplots()
    places = np.arange(len(found), dtype=float)
    for number, (name, (colour, marker)) in enumerate(LOOKS.items()):
        summaries = [circuit.pairs[name].summary for circuit in found]
        x = places + 0.13 * (number - 2)
        error_bars(axis, x, summaries, "95 % t interval", color=colour, marker=marker, linestyle="none", label=ARMS[name])
    for place, circuit in zip(places, found, strict=True):
        if circuit.published is not None:
            label = "published" if circuit is next(c for c in found if c.published is not None) else None
            axis.plot([place - 0.38, place + 0.38], [circuit.published] * 2, color=BLACK, linewidth=1.2, zorder=0.5, label=label)
    axis.set_yscale("log")
    axis.set_ylabel("Entangled pairs")
    axis.set_xticks(places, [f"{circuit.words}\n{circuit.qubits} qubits, {circuit.processors} proc." for circuit in found])
    axis.tick_params(axis="x", rotation=40)
    for label in axis.get_xticklabels():
        label.set(ha="right", rotation_mode="anchor", fontsize=5.5)
    figure.legend(loc="outside upper center", ncol=3)
    return figure
