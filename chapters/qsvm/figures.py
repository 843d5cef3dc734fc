"""Time, accuracy and concentration against the number of qubits."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightweights.report.figure import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, TWO_COLUMNS, VERMILLION, error_bars, styled, without_runs
from lightweights.report.results import Results
from lightweights.report.statistics import summarise

from .judges import accuracy

LOOKS = {
    "chain": ("quantum", VERMILLION, "o", "-"),
    "chain_leaking": ("quantum, as published", ORANGE, "s", "--"),
    "chain_tuned": ("quantum, tuned", BLUE, "D", "-"),
    "product_tuned": ("no CX, tuned", SKY, "^", ":"),
    "rbf_leaking": ("Gaussian, scaled as published", BLACK, "x", "--"),
    "rbf_tuned": ("Gaussian, tuned", GREEN, "v", "-"),
    "linear_tuned": ("linear, tuned", GREY, "P", "--"),
}
"""Words, colour, marker and line of the arms that are drawn."""
EXPERIMENTS = ("qsvm_mnist", "qsvm_digits")


@styled
def qsvm(results: Results) -> Figure:
    """Left: seconds of a kernel. Middle: accuracy of each kernel. Right: the mean entry off the diagonal."""
    figure = Figure(figsize=(TWO_COLUMNS, 2.9), layout="constrained")
    own = next((part for name in EXPERIMENTS if len(part := results.of(name))), None)
    if own is None:
        return without_runs(figure)
    time, accuracies, entries = figure.subplots(1, 3)
    qubits = np.array(sorted(own["pair.qubits"].unique()), dtype=float)
    parts = [own[own["pair.qubits"] == n] for n in qubits]
    error_bars(time, qubits, [summarise(part["chain_kernel_seconds"]) for part in parts], "range", color=VERMILLION, marker="o", capsize=0)
    reference = summarise(parts[-1]["chain_kernel_seconds"]).mean * qubits / qubits[-1]
    time.plot(qubits, reference, color=BLACK, linestyle=":", linewidth=0.8, label="proportional to n")
    time.set(yscale="log", ylabel="Processor seconds of one kernel")
    time.legend(loc="upper left")
    for name, (label, colour, marker, line) in LOOKS.items():
        means = [summarise(part[accuracy(name)]) for part in parts]
        error_bars(accuracies, qubits, means, "95 % t interval", color=colour, marker=marker, linestyle=line, label=label)
        if name.startswith("chain"):
            middle = [part[f"{name}_off_diagonal_mean"].mean() for part in parts]
            entries.plot(qubits, middle, color=colour, marker=marker, linestyle=line)
    accuracies.set(ylabel="Accuracy on the test images (%)", ylim=(45, 101))
    figure.legend(*accuracies.get_legend_handles_labels(), loc="outside lower center", ncol=4)
    entries.set(yscale="log", ylabel="Mean entry off the diagonal")
    for axis in (time, accuracies, entries):
        _qubits(axis)
    return figure


def _qubits(axis: Axes) -> None:
    axis.set_xscale("log", base=2)
    axis.set_xlabel("Qubits")
    axis.xaxis.set_major_formatter("{x:g}")
