"""Photonic quantum-enhanced knowledge distillation, PQKD (arXiv 2603.14898): students whose kernels are mixed by a photonic feature."""

from lightweights.report.chapter import Chapter, Shown
from lightweights.report.measures import Measure

DISTILLATION = ("pqkd_teacher_published", "pqkd_student_published")
DISTILLATION += ("pqkd_teacher", "pqkd_student", "pqkd_teacher_cifar", "pqkd_student_cifar")
FRONTIER = ("pqkd_extreme", "pqkd_extreme_narrow", "pqkd_extreme_full", "pqkd_extreme_controls", "pqkd_plain")
CONTROLS = ("pqkd_controls", "pqkd_extreme_controls")
SHOTS = ("pqkd_shots", "pqkd_shots_frozen")
CHOICES = ("pqkd_raw", "pqkd_fresh", "pqkd_unstandardised", "pqkd_uniform_start")
LAWS = "laws.csv"

PUBLISHED_EPOCHS = 100
"""Epochs of the published distillation: its numbers are judged by runs of so many."""
PUBLISHED_COMPRESSION = (41.0, 105.0)
"""Of the convolutions, at extreme compression."""
PUBLISHED_SHOTS = 200

CHAPTER = Chapter(
    title="Photonic distillation",
    question="Does photonic distillation (PQKD) reach its published numbers, and is it the photons?",
    sources={"2603.14898": "arXiv 2603.14898 (photonic-quantum-enhanced knowledge distillation)"},
    tables={
        "pqkd": Shown("PQKD", "Teachers and students at partial compression", DISTILLATION, published="Table 1"),
        "pqkd_controls": Shown("PQKD controls", "What mixes the kernels: photons and what replaces them", ("pqkd_controls",)),
        "pqkd_extreme_controls": Shown("PQKD controls, extreme", "The same where the mixing makes all kernels", ("pqkd_extreme_controls",)),
        "pqkd_calibration": Shown("PQKD calibration", "Calibration of teachers and students", (*DISTILLATION, "pqkd_teacher_subset")),
        "pqkd_choices": Shown("PQKD choices", "What the sources leave open", CHOICES),
        "pqkd_compression": Shown("PQKD compression", "How far the convolutions can be compressed", FRONTIER),
        "pqkd_shots": Shown("PQKD shots", "Gain over the zero feature against shots", SHOTS),
        "pqkd_laws": Shown("PQKD laws", "Variance and kernel error against shots, measured", CONTROLS, reads=(LAWS,)),
    },
    figures={
        "pqkd_controls": Shown("PQKD: is it the photons?", "Controls, and their differences to a fixed Gaussian vector", CONTROLS),
        "pqkd_compression": Shown("PQKD compression", "Accuracy against compression and against trained parameters", FRONTIER),
        "pqkd_shots": Shown("PQKD shots", "Gain over the zero feature against shots, angles tuned and frozen", SHOTS),
        "pqkd_laws": Shown("PQKD laws", "The laws of shot noise, measured and predicted", CONTROLS, reads=(LAWS,)),
        "pqkd_angles": Shown("PQKD angles", "How far the angles move, by what judges them", ("pqkd_raw",)),
        "pqkd_filters": Shown(
            "PQKD filters", "Learned basis filters, each scaled to its own largest number", ("pqkd_student", "pqkd_controls")
        ),
        "pqkd_calibration": Shown(
            "PQKD calibration",
            "Accuracy minus confidence of teachers and students, by bin and by its share of images",
            DISTILLATION,
        ),
    },
    cover="pqkd_controls",
    measures=(
        Measure("teacher_parameters", "parameters", decimals=0, tolerance=0.01, relative=True),
        Measure("_compression", "compression", "times", tolerance=0.05),
        Measure("averaged_variance_share", "share of variance", decimals=4, tolerance=0.1, relative=True),
        Measure("median_variance_ratio", "share of variance", decimals=4, tolerance=0.1, relative=True),
        Measure("shot_noise_power", "power of S", decimals=3, tolerance=0.02),
        Measure("shot_fit_r_squared", "R2", decimals=3, tolerance=0.1),
    ),
    data={LAWS: CONTROLS},
    docs="pqkd.md",
    words={"pqkd_partial": "student, partial compression", "pqkd_extreme": "student, extreme compression", "pqkd": "PQKD"},
)
