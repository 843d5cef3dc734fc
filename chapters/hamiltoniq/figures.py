"""Distribution of what attempts reach, beside the published score curves."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightweights.report.figure import BLACK, BLUE, GREY, TWO_COLUMNS, VERMILLION, styled, without_runs
from lightweights.report.results import Results

from .facts import CURVES
from .score import published_curve

LOOKS = {"powell": ("Powell's COBYLA", BLUE, "-"), "scipy": ("SciPy's COBYLA", VERMILLION, "--")}


@styled
def hamiltoniq(results: Results) -> Figure:
    """One panel for each instance, at the largest number of layers that most were run with: share of attempts below an accuracy."""
    figure = Figure(figsize=(TWO_COLUMNS, 2.3), layout="constrained")
    own = results.of(CURVES)
    if own.empty:
        return without_runs(figure)
    cells = own.groupby(["benchmark.layers", "benchmark.qubits", "benchmark.optimiser"]).size().groupby("benchmark.layers").size()
    layers = int(cells[cells == cells.max()].index.max())
    own = own[own["benchmark.layers"] == layers]
    instances = sorted(int(qubits) for qubits in own["benchmark.qubits"].unique())
    axes = figure.subplots(1, len(instances), sharey=True, squeeze=False)[0]
    for axis, qubits in zip(axes, instances, strict=True):
        points, curve = published_curve(qubits, layers)
        axis.plot(points, curve, color=BLACK, linewidth=0.8, marker=".", markersize=3, label="published")
        for optimiser, (label, colour, line) in LOOKS.items():
            runs = own[(own["benchmark.qubits"] == qubits) & (own["benchmark.optimiser"] == optimiser)]
            if len(runs):
                history = results.history(runs)
                _steps(axis, history["attempt_found"].to_numpy(), color=colour, linestyle=line, label=label)
                if optimiser == "powell":
                    _steps(axis, history["attempt_at_start"].to_numpy(), color=GREY, linestyle=":", label="never optimised")
        reached = points[curve < 0.995].max()
        axis.set(title=f"{qubits} qubits, {layers} layers", xlabel="Share of the ground state", xlim=(0, reached * 1.1), ylim=(0, 1.02))
        axis.title.set_fontsize(7.5)
    axes[0].set_ylabel("Share of attempts below")
    named = {label: line for axis in axes for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(list(named.values()), list(named), loc="outside lower center", ncol=4)
    return figure


def _steps(axis: Axes, values: np.ndarray, **look: object) -> None:
    axis.plot(np.sort(values), np.arange(1, len(values) + 1) / len(values), **look)
