"""Photonic Quantum-Train (arXiv 2505.08474): photonic circuits and a matrix product state generate the weights of a small network."""

from lightweights.report.chapter import Chapter, Shown

PROTOCOLS = ("protocols", "cobyla_powell", "cobyla", "cobyla_powell_full")

CHAPTER = Chapter(
    title="Photonic Quantum-Train",
    question="Does photonic Quantum-Train reach its published numbers?",
    sources={
        "challenge-report": "Liu and Chen, Compressing classical neural network with photonic Quantum-Train (challenge report)",
        "2505.08474": "Chen et al., arXiv 2505.08474 (QCE 2025)",
        "notebooks": "the authors' notebooks, Louisanity/PhotonicQuantumTrain, commit 5fc1183",
        "slides": "the authors' slides",
        "merlin-dqnn": "MerLin's reproduction of photonic Quantum-Train, merlinquantum/reproduced_papers, papers/DQNN",
        "public-summaries": "public summaries by readers of the paper",
    },
    tables={
        "classical": Shown("Target network", "The target network, trained directly", ("classical",), published="Table 2"),
        "quantum_train": Shown("Bond dimensions", "Photonic Quantum-Train by bond dimension", ("quantum_train",), published="Table 3"),
        "protocols": Shown("Protocols", "The notebooks' protocol beside gradients on the phases", PROTOCOLS),
    },
    figures={
        "claims": Shown(
            "Published and found",
            "Judged numbers that have a tolerance: published, independent and ours",
            ("quantum_train",),
            claims=True,
        ),
        "training_curves": Shown("Training", "Training loss and accuracy over rounds", ("quantum_train",), published="Figure 3"),
        "accuracy_against_parameters": Shown("Accuracy", "Test accuracy against trained parameters", ("quantum_train",)),
        "generalisation_error": Shown("Generalisation", "Generalisation error against bond dimension", ("quantum_train",)),
        "protocols": Shown("Protocols", "COBYLA and gradients at equal steps on the mapping", PROTOCOLS),
    },
    cover="claims",
    docs="photonic_quantum_train.md",
    reading="Sds of the notebooks and of the report on them are ddof = 0. Our losses, and so generalisation errors, are means over all "
    "images; the notebooks' are means over batches, a small deviation in all rows of generalisation errors.",
    words={"photonic_qt": "photonic Quantum-Train", "classical_target": "the target network, trained directly"},
)
