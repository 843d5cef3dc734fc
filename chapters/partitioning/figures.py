"""Entangled pairs of every way to cut."""

import itertools

import numpy as np
from matplotlib.figure import Figure

from lightweights.report.figure import BLACK, BLUE, GREEN, GREY, ORANGE, TWO_COLUMNS, VERMILLION, ends_of, styled, without_runs
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
    """Entangled pairs of each way on a logarithmic axis, one line a size below its kind of circuits; the published means as black bars.
    Sizes without one are left to the table.
    """
    found = [circuit for circuit in circuits_of(results) if circuit.published is not None]
    lines = [line for words, sizes in itertools.groupby(found, key=lambda circuit: circuit.words) for line in (words, *sizes)]
    figure = Figure(figsize=(TWO_COLUMNS, 0.9 + 0.17 * max(len(lines), 4)), layout="constrained")
    if not found:
        return without_runs(figure)
    axis = figure.subplots()
    places = np.array([place for place, line in enumerate(lines) if not isinstance(line, str)], dtype=float)
    for number, (name, (colour, marker)) in enumerate(LOOKS.items()):
        summaries = [circuit.pairs[name].summary for circuit in found]
        means, ends = np.array([s.mean for s in summaries]), np.array([ends_of(s, "95 % t interval") for s in summaries])
        look = {"color": colour, "marker": marker, "linestyle": "none", "elinewidth": 0.8, "capthick": 0.8}
        axis.errorbar(means, places + 0.13 * (number - 2), xerr=np.abs(ends.T - means), label=ARMS[name], **look)
    for place, circuit in zip(places, found, strict=True):
        label = "published" if circuit is found[0] else None
        axis.plot([circuit.published] * 2, [place - 0.38, place + 0.38], color=BLACK, linewidth=1.2, zorder=1.5, label=label)
    axis.set_xscale("log")
    axis.set_xlabel("Entangled pairs (95 % t interval)")
    words = [line if isinstance(line, str) else f"{line.qubits} qubits, {line.processors} processors" for line in lines]
    axis.set_yticks(range(len(lines)), words)
    for label, line in zip(axis.get_yticklabels(), lines, strict=True):
        label.set_fontweight("bold" if isinstance(line, str) else "normal")
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(lines) - 0.4, -0.6)
    figure.legend(loc="outside upper center", ncol=3)
    return figure
