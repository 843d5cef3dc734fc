"""Is it the photons? Arms that keep everything else and replace the photons alone, and the circuit as a factor."""

from lightweights.report.chapter import Chapter, Shown

CONFIRMATION = "confirmation"
"""The experiment that asks again on fresh seeds."""
FULL_LENGTH, LIGHT_USED = "full_length", "classical_light_used"
"""The experiments of secondary arms: after as many rounds as published, and classical light of as many numbers as the circuits use."""
ASKED_APART = (CONFIRMATION, FULL_LENGTH, LIGHT_USED, "splitting")
"""What the exploratory comparisons leave alone: the plan's second edition, and other circuits, of another chapter."""
CIRCUITS = ("circuits", "meshes")
"""Experiments that vary the circuit."""

CHAPTER = Chapter(
    title="Is it the photons?",
    question="Is it the photons, or would anything else in their place do as well?",
    tables={
        "confirmation": Shown("Confirmation", "Primary contrasts on fresh seeds", (CONFIRMATION,)),
        "secondary": Shown("Secondary", "Arms after as many rounds as published, and of as many numbers", (FULL_LENGTH, LIGHT_USED)),
        "ablation": Shown("Ablation", "Every arm: accuracy, honest counts, paired differences", ("ablation",)),
        "generalisation_by_arm": Shown("Capacity", "Generalisation gap against numbers, by arm", ("ablation",)),
        "circuits": Shown("Circuits", "The circuit as a factor: sizes, meshes, input states", CIRCUITS),
        "photons": Shown("Photons", "How much the photons move and matter", ("ablation",)),
    },
    figures={
        "confirmation": Shown("Confirmation", "Trained photons minus what replaces them, on fresh seeds", (CONFIRMATION,)),
        "generalisation_by_arm": Shown("Capacity", "Generalisation gap against numbers, by arm", ("ablation",)),
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
