"""The tables and figures of a study: what each shows, and the experiments of which it needs at least one. Imported by the workflow."""

BASELINES = ("weight_sharing", "pruning", "gate_qt", "magnitude_pruning", "low_rank", "tensor_train", "hypernetwork", "small_cnn")
BASELINES += ("merlin_cnn", "merlin_variant")
NOISE = ("noise_none", "noise_brightness", "noise_indistinguishability", "noise_g2", "noise_transmittance", "noise_cycles")
CIRCUITS = ("circuits", "meshes")

DISTILLATION = ("pqkd_teacher", "pqkd_student", "pqkd_teacher_cifar", "pqkd_student_cifar")
FRONTIER = ("pqkd_extreme", "pqkd_extreme_narrow", "pqkd_extreme_full", "pqkd_extreme_controls", "pqkd_plain")
CONTROLS = ("pqkd_controls", "pqkd_extreme_controls")
SHOTS = ("pqkd_shots", "pqkd_shots_frozen")
CHOICES = ("pqkd_raw", "pqkd_fresh", "pqkd_unstandardised", "pqkd_uniform_start")

TABLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "classical": ("Table 2", "The target network, trained directly", ("classical",)),
    "quantum_train": ("Table 3", "Photonic Quantum-Train by bond dimension", ("quantum_train",)),
    "protocols": ("Protocols", "The notebooks' protocol beside gradients on the phases", ("protocols", "cobyla")),
    "compression": ("Table 4", "Other ways to use fewer parameters", BASELINES),
    "ablation": ("Ablation", "Every arm: accuracy, honest counts, paired differences", ("ablation",)),
    "circuits": ("Circuits", "The circuit as a factor: sizes, meshes, input states", CIRCUITS),
    "photons": ("Photons", "How much the photons move and matter", ("ablation",)),
    "noise": ("Noise", "What imperfect devices cost", NOISE),
    "heralding": ("Rates", "How long devices take to collect shots", NOISE),
    "noise_alone": ("Loss alone", "Which imperfections change the distribution at all", NOISE),
    "pqkd": ("PQKD Table 1", "Teachers and students at partial compression", DISTILLATION),
    "pqkd_controls": ("PQKD controls", "What mixes the kernels: photons and what replaces them", ("pqkd_controls",)),
    "pqkd_extreme_controls": ("PQKD controls, extreme", "The same where the mixing makes all kernels", ("pqkd_extreme_controls",)),
    "pqkd_calibration": ("PQKD calibration", "Calibration of teachers and students", (*DISTILLATION, "pqkd_teacher_subset")),
    "pqkd_choices": ("PQKD choices", "What the sources leave open", CHOICES),
    "pqkd_compression": ("PQKD compression", "How far the convolutions can be compressed", FRONTIER),
    "pqkd_shots": ("PQKD shots", "Gain over the zero feature against shots", SHOTS),
    "pqkd_laws": ("PQKD laws", "Variance and kernel error against shots, measured", DISTILLATION),
}
FIGURES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "training_curves": ("Figure 3", "Training loss and accuracy over rounds", ("quantum_train",)),
    "accuracy_against_parameters": ("Accuracy", "Test accuracy against trained parameters", ("quantum_train",)),
    "generalisation_error": ("Generalisation", "Generalisation error against bond dimension", ("quantum_train",)),
    "protocols": ("Protocols", "COBYLA and gradients at equal steps on the mapping", ("protocols", "cobyla")),
    "compression": ("Figure 4", "Accuracy against trained parameters, all methods", BASELINES),
    "ablation": ("Is it the photons?", "Arms minus MPS only, paired by seed", ("ablation",)),
    "arms": ("Random inputs", "Accuracy of every arm", ("other_arms",)),
    "budget": ("Equal budget", "Accuracy of the arms against effective parameters", ("ablation",)),
    "circuits": ("Circuits", "The circuit as a factor: sizes, meshes, input states", CIRCUITS),
    "photons": ("Photons", "How much the photons move and matter", ("ablation",)),
    "noise": ("Noise", "The published sweeps: points lost, and the claimed bound", NOISE[1:5]),
    "noise_open": (
        "Phases, splitters",
        "What the sources leave open: errors of phases and beam splitters",
        ("noise_phase_error", "noise_phase_imprecision", "noise_splitter_bias"),
    ),
    "noise_map": ("Two together", "Points lost by g2 and transmittance", ("noise_map",)),
    "noise_cycles": ("Shots", "Accuracy against clock cycles, and the time on a device", ("noise_cycles",)),
    "noise_staleness": ("Late devices", "Accuracy when probabilities come rounds late", ("noise_staleness",)),
    "pqkd_controls": ("PQKD: is it the photons?", "Controls, and their differences to a fixed Gaussian vector", CONTROLS),
    "pqkd_compression": ("PQKD compression", "Accuracy against compression and against trained parameters", FRONTIER),
    "pqkd_shots": ("PQKD shots", "Gain over the zero feature against shots, angles tuned and frozen", SHOTS),
    "pqkd_laws": ("PQKD laws", "The laws of shot noise, measured and predicted", DISTILLATION),
    "pqkd_angles": ("PQKD angles", "How far the angles move, by what judges them", ("pqkd_raw",)),
    "pqkd_filters": ("PQKD filters", "Learned basis filters, each scaled to its own largest number", ("pqkd_student", "pqkd_controls")),
    "pqkd_calibration": (
        "PQKD calibration",
        "Accuracy minus confidence of teachers and students, by bin and by its share of images",
        DISTILLATION,
    ),
}


def shown(catalogue: dict[str, tuple[str, str, tuple[str, ...]]], experiments: set[str]) -> list[str]:
    """Names of the tables or figures that have at least one of the experiments they need."""
    return [name for name, (*_, needed) in catalogue.items() if experiments & set(needed)]
