"""Photonic Quantum-Train beside other ways to use fewer parameters: the paper's, its authors', MerLin's, and what they leave out."""

from lightweights.report.chapter import Chapter, Shown

BASELINES = ("weight_sharing", "pruning", "gate_qt", "magnitude_pruning", "low_rank", "tensor_train", "hypernetwork", "small_cnn")
BASELINES += ("merlin_cnn", "merlin_variant")

CHAPTER = Chapter(
    order=3,
    title="Compression",
    question="What do ordinary methods reach with as many numbers, and do the published baselines come out as published?",
    sources={"merlin-notebook": "MerLin's notebook variant of photonic Quantum-Train"},
    tables={"compression": Shown("Table 4", "Other ways to use fewer parameters", BASELINES)},
    figures={"compression": Shown("Figure 4", "Accuracy against trained parameters, all methods", BASELINES)},
    docs="photonic_quantum_train.md",
    words={
        "gate_based_qt": "gate-based Quantum-Train",
        "photonic_logit_tanh": "MerLin's photonic variant",
        "cnn_978": "MerLin's network",
        "photonic_qt": "photonic Quantum-Train",
    },
)
