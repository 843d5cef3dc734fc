"""Is it the photons? Arms that keep everything else and replace the photons alone, and the circuit as a factor."""

from lightweights.report.chapter import Chapter, Shown

CIRCUITS = ("circuits", "meshes")
"""Experiments that vary the circuit."""

CHAPTER = Chapter(
    order=2,
    title="Is it the photons?",
    question="Is it the photons, or would anything else in their place do as well?",
    tables={
        "ablation": Shown("Ablation", "Every arm: accuracy, honest counts, paired differences", ("ablation",)),
        "circuits": Shown("Circuits", "The circuit as a factor: sizes, meshes, input states", CIRCUITS),
        "photons": Shown("Photons", "How much the photons move and matter", ("ablation",)),
    },
    figures={
        "ablation": Shown("Is it the photons?", "Arms minus MPS only, paired by seed", ("ablation",)),
        "arms": Shown("Random inputs", "Accuracy of every arm", ("other_arms",)),
        "budget": Shown("Equal budget", "Accuracy of the arms against effective parameters", ("ablation",)),
        "circuits": Shown("Circuits", "The circuit as a factor: sizes, meshes, input states", CIRCUITS),
        "photons": Shown("Photons", "How much the photons move and matter", ("ablation",)),
    },
    cover="ablation",
    docs="ablation.md",
    words={"photonic_qt_random_inputs": "random inputs"},
)
