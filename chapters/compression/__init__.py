"""Photonic Quantum-Train beside other ways to use fewer parameters: the paper's, its authors', MerLin's, and what they leave out."""

from lightweights.report.chapter import Chapter, Shown

BASELINES = ("weight_sharing", "pruning", "gate_qt", "magnitude_pruning", "low_rank", "tensor_train", "hypernetwork", "small_cnn")
BASELINES += ("merlin_cnn", "merlin_variant")
LONG = {
    "long_plain": "smaller CNN, labels alone",
    "long_low_rank": "low rank",
    "long_tensor_train": "tensor train",
    "long_hypernetwork": "hypernetwork",
    "long_magnitude_pruning": "magnitude pruning",
    "long_small_cnn": "distilled smaller CNN",
}
"""Ordinary methods trained as long as the mapping, those that need a trained network last."""
DENSE_FIRST = ("long_magnitude_pruning",)
"""Trained whole for half of the epochs."""
NEED_A_NETWORK = (*DENSE_FIRST, "long_small_cnn")
EQUAL_DIMS = (4, 10)
"""Bond dimensions whose sizes they have."""
RATES = tuple(name.replace("long_", "rate_") for name in LONG)
"""Experiments that choose their learning rates."""

CHAPTER = Chapter(
    title="Compression",
    question="What do ordinary methods reach with as many numbers, and do the published baselines come out as published?",
    sources={"merlin-notebook": "MerLin's notebook variant of photonic Quantum-Train"},
    tables={
        "compression": Shown("Other methods", "Other ways to use fewer parameters", BASELINES, published="Table 4"),
        "equal_training": Shown("Equal training", "Ordinary methods of as many numbers, trained as long", tuple(LONG)),
        "learning_rates": Shown("Learning rates", "Which rate each method is trained with, by images cut from training", RATES),
    },
    figures={
        "compression": Shown("Accuracy and size", "Accuracy against trained parameters, all methods", BASELINES, published="Figure 4"),
        "equal_training": Shown("Equal training", "Accuracy against epochs at equal numbers", tuple(LONG)),
    },
    docs="photonic_quantum_train.md",
    words={
        "gate_based_qt": "gate-based Quantum-Train",
        "photonic_logit_tanh": "MerLin's photonic variant",
        "cnn_978": "MerLin's network",
        "photonic_qt": "photonic Quantum-Train",
    },
)
