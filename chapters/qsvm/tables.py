"""Accuracy of each kernel, and how its entries concentrate."""

import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, short_cell

from .arms import ARMS, QUANTUM
from .judges import accuracy

EXPERIMENTS = {"qsvm_mnist": "MNIST", "qsvm_digits": "digits"}
HEADS = {
    "chain": "quantum",
    "chain_leaking": "quantum,\nas published",
    "chain_tuned": "quantum,\ntuned",
    "product": "no CX",
    "product_tuned": "no CX,\ntuned",
    "rbf": "Gaussian",
    "rbf_leaking": "Gaussian, scaled\nas published",
    "rbf_tuned": "Gaussian,\ntuned",
    "linear_tuned": "linear,\ntuned",
}
"""Headings of the arms."""


def qsvm_accuracy(results: Results) -> Table | None:
    """Accuracy on the test images against the number of qubits, all kernels; None without runs."""
    own = results.of(*EXPERIMENTS)
    if own.empty:
        return None
    rows, cells = [], []
    for (experiment, qubits), part in own.groupby(["experiment", "pair.qubits"], sort=False):
        cell = {"Data": EXPERIMENTS[experiment], "Qubits": str(int(qubits)), "n": str(len(part))}
        for name in ARMS:
            found = summarise(part.get(accuracy(name), []))
            rows.append({"experiment": experiment, "qubits": int(qubits), "kernel": name} | found.columns())
            cell[HEADS[name]] = short_cell(found, accuracy(name))
        cells.append(cell)
    caption = (
        "Accuracy (%) on the test images of 7 against 9, mean ± sd (ddof = 1) over n splits. Quantum: the kernel of cuTN-QSVM at cost 1, "
        "scaled by the range of the training images; as published: scaled by that of training and test images. No CX: the same without "
        "its entangling gates. Tuned: bandwidth and cost by cross-validation on the training images, twelve candidates for every kernel. "
        "Splits are drawn from the same images and overlap, so that they differ less than new images would."
    )
    return Table("qsvm_accuracy", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def qsvm_concentration(results: Results) -> Table | None:
    """Time of a kernel and the entries off its diagonal; None without runs."""
    own = results.of(*EXPERIMENTS)
    if own.empty:
        return None
    rows, cells = [], []
    for (experiment, qubits), part in own.groupby(["experiment", "pair.qubits"], sort=False):
        seconds = part["chain_kernel_seconds"].mean()
        row = {"experiment": experiment, "qubits": int(qubits), "kernel_seconds_mean": seconds}
        cell = {"Data": EXPERIMENTS[experiment], "Qubits": str(int(qubits)), "Seconds": f"{seconds:.2g}"}
        for name in QUANTUM:
            mean = part[f"{name}_off_diagonal_mean"].mean()
            row[f"{name}_mean"] = f"{mean:.4g}"  # as text: many lie below the places that computed numbers are written with
            cell[HEADS[name]] = f"{mean:.1e}"
        row["bandwidth_median"] = part["chain_tuned_bandwidth"].median()
        cell["Bandwidth,\ntuned"] = f"{row['bandwidth_median']:.3g}"
        rows.append(row)
        cells.append(cell)
    caption = (
        "Mean entry off the diagonal of the kernel of the training images, mean over splits. Seconds: mean processor time of the "
        "quantum kernel of all training images. Bandwidth: median of what cross-validation chose as factor of the angles."
    )
    return Table("qsvm_concentration", caption, pd.DataFrame(rows), pd.DataFrame(cells))
