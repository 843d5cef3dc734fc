"""Cut a circuit over several processors: by a partitioner, and what a photonic circuit loses by it."""

from lightweights.report.chapter import Chapter, Shown
from lightweights.report.measures import Measure

STARTS = ("ebits_starts", "ebits_starts_fraction")
PAIRS = ("ebits", "ebits_fraction", "ebits_dense", "ebits_fewer", "ebits_small", *STARTS)

CHAPTER = Chapter(
    title="Cutting circuits",
    question="What does it cost to cut a circuit over several processors, in entangled pairs and, for photons, in accuracy?",
    sources={
        "2503.19082": "Burt et al., arXiv 2503.19082 (Quantum 10, 1984, 2026)",
        "disqco-data": "the authors' benchmark data, felix-burt/DISQCO, version of 2025-06-03",
        "disqco-code": "the authors' code of that version, run under qiskit 2.6.2 on circuits drawn anew",
    },
    docs="other_systems.md",
    tables={
        "ebits": Shown("Entangled pairs", "Entangled pairs by way to cut, beside the published means", PAIRS),
        "splitting": Shown("Splitting", "One photonic circuit against products of two and three", ("splitting",)),
    },
    figures={"ebits": Shown("Entangled pairs", "Entangled pairs of every way to cut, beside the published means", PAIRS[:4])},
    cover="ebits",
    methods=("chapters.partitioning.method",),
    measures=tuple(Measure(f"multilevel_pairs_{processors}", "pairs", "pairs", 1, 0.1, True) for processors in (2, 3, 4)),
    words={"partitioning": "partitioning"},
    exploratory=True,
)
