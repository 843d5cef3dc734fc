"""The 784-qubit quantum kernel of cuTN-QSVM, on one core and beside its controls."""

from lightweights.report.chapter import Chapter, Shown
from lightweights.report.measures import Measure

RUNS = ("qsvm_mnist", "qsvm_digits")

CHAPTER = Chapter(
    title="A kernel of 784 qubits",
    question="Does a quantum kernel of up to 784 qubits need a GPU, and does it tell images apart better than ordinary kernels?",
    sources={
        "2405.02630": "Chen et al., cuTN-QSVM, arXiv 2405.02630 (Mach. Learn.: Sci. Technol. 6, 015047, 2025)",
        "cutn-qsvm-code": "the authors' code, Tim-Li/cuTN-QSVM, version of 2025-02-12",
    },
    docs="other_systems.md",
    tables={
        "qsvm_accuracy": Shown("Kernels", "Accuracy of quantum and ordinary kernels against the number of qubits", RUNS),
        "qsvm_concentration": Shown("Concentration", "Time of a kernel, and its entries off the diagonal", RUNS),
    },
    figures={"qsvm": Shown("A kernel of 784 qubits", "Time, accuracy and concentration of the kernel against the number of qubits", RUNS)},
    cover="qsvm",
    methods=("chapters.qsvm.method",),
    measures=(
        Measure("kernel_seconds", "seconds", "s", 1, 10.0),
        Measure("time_exponent", "exponent", "", 2, 0.3),
        Measure("gain_over_classical_points", "gain (points)", "points"),
    ),
    words={"qsvm": "quantum kernel"},
    exploratory=True,
)
