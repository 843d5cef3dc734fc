"""What imperfect devices cost: the published sweeps, what the sources leave open, and the price in time on a device."""

from lightweights.report.chapter import Chapter, Shown

SWEEPS = {
    "noise_brightness": "photonics.noise.brightness",
    "noise_indistinguishability": "photonics.noise.indistinguishability",
    "noise_g2": "photonics.noise.g2",
    "noise_transmittance": "photonics.noise.transmittance",
}
"""The published sweeps, and the setting that each varies."""
OPEN_QUESTIONS = {
    "noise_phase_error": "photonics.noise.phase_error",
    "noise_phase_imprecision": "photonics.noise.phase_imprecision",
    "noise_splitter_bias": "photonics.noise.splitter_bias",
}
"""What the sources leave open."""
NOISE = ("noise_none", *SWEEPS, "noise_cycles")

CHAPTER = Chapter(
    title="Noise",
    question="Does noise cost less than 3 points?",
    tables={
        "noise": Shown("Noise", "What imperfect devices cost", NOISE),
        "heralding": Shown("Rates", "How long devices take to collect shots", NOISE),
        "noise_alone": Shown("Loss alone", "Which imperfections change the distribution at all", NOISE),
    },
    figures={
        "noise": Shown("Noise", "The published sweeps: points lost, and the claimed bound", tuple(SWEEPS)),
        "noise_open": Shown("Phases, splitters", "What the sources leave open: errors of phases and beam splitters", tuple(OPEN_QUESTIONS)),
        "noise_map": Shown("Two together", "Points lost by g2 and transmittance", ("noise_map",)),
        "noise_cycles": Shown("Shots", "Accuracy against clock cycles, and the time on a device", ("noise_cycles",)),
        "noise_staleness": Shown("Late devices", "Accuracy when probabilities come rounds late", ("noise_staleness",)),
    },
    cover="noise",
    docs="noise.md",
    words={"photonic_qt_noise": "photonic Quantum-Train under noise"},
)
