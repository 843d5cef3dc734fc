"""Cuts by way and size, and what the choice of processors does to shots."""

import numpy as np
from matplotlib.figure import Figure

from lightweights.report.figure import BLUE, GREEN, GREY, ORANGE, TWO_COLUMNS, VERMILLION, error_bars, styled, without_runs
from lightweights.report.results import Results
from lightweights.report.statistics import summarise

from .arms import ARMS

LOOKS = {15: (BLUE, "o"), 40: (ORANGE, "s"), 100: (VERMILLION, "D")}
OTHER = (GREEN, "^")
AREAS = ("area_best", "area_random", "area_worst", "area_printed")


@styled
def maxcut(results: Results) -> Figure:
    """Left: the cut of each way in percent of the largest. Right: the mean value of shots on areas of a device."""
    figure = Figure(figsize=(TWO_COLUMNS, 2.9), layout="constrained")
    own = results.of("maxcut_15", "maxcut_large")
    if own.empty:
        return without_runs(figure)
    cuts, shots = figure.subplots(1, 2, width_ratios=(2, 1))
    for axis, names, kind in ((cuts, list(ARMS), "cut"), (shots, ["distributed", *AREAS], "mean")):
        places = np.arange(len(names), dtype=float)
        groups = list(own.groupby("maxcut.nodes"))
        for number, (nodes, part) in enumerate(groups):
            found = [(place, summarise(part.get(f"{name}_{kind}_percent", []))) for place, name in zip(places, names, strict=True)]
            found = [(place, summary) for place, summary in found if summary.n]
            colour, marker = LOOKS.get(int(nodes), OTHER)
            x = np.array([place for place, _ in found]) + 0.15 * (number - (len(groups) - 1) / 2)
            summaries, look = [summary for _, summary in found], {"color": colour, "marker": marker, "linestyle": "none"}
            error_bars(axis, x, summaries, "95 % t interval", f"{kind}_percent", **look, label=f"{int(nodes)} nodes")
        axis.set_xticks(places, [ARMS[name] if name != "distributed" or kind == "cut" else "no errors" for name in names])
        axis.tick_params(axis="x", rotation=40)
        for label in axis.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor", fontsize=6.5)
    cuts.axhline(100, color=GREY, linewidth=0.8)
    cuts.set_ylabel("Cut (% of the largest)")
    figure.legend(*cuts.get_legend_handles_labels(), loc="outside upper center", ncol=3)
    shots.set_ylabel("Mean of shots (% of parts' largest)")
    return figure
