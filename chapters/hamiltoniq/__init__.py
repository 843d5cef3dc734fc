"""A score for quantum processors (HamilToniQ), and what the optimiser has to do with it."""

from lightweights.report.chapter import Chapter, Shown
from lightweights.report.measures import Measure

CURVES = ("hamiltoniq_curves",)
NOISE = ("hamiltoniq_readout", "hamiltoniq_layers")

CHAPTER = Chapter(
    title="A score for processors",
    question="Does a noiseless simulator get the score of 1 that HamilToniQ gives it by construction?",
    sources={
        "2404.13971": "Xu, Chen and Wille, HamilToniQ, arXiv 2404.13971 (QCE 2024)",
        "hamiltoniq-code": "the authors' code and data, FelixXu35/hamiltoniq (MIT licence), version of 2024-06-20",
    },
    docs="other_systems.md",
    tables={
        "hamiltoniq_curves": Shown("Score curves", "A noiseless simulator against the published score curves, by optimiser", CURVES),
        "hamiltoniq_noise": Shown("Scores under noise", "H-scores under noise of one kind and stated size", NOISE),
    },
    figures={"hamiltoniq": Shown("Score curves", "What attempts reach, beside the published score curves", CURVES)},
    cover="hamiltoniq",
    methods=("chapters.hamiltoniq.method",),
    measures=(Measure("h_score", "H-score", "", 3, 0.05), Measure("device_score", "H-score", "", 4, 0.05)),
    words={"hamiltoniq": "HamilToniQ"},
    exploratory=True,
)
