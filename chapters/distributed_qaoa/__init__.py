"""MaxCut on several small processors, and a wireless network that needs none."""

from lightweights.report.chapter import Chapter, Shown
from lightweights.report.measures import Measure

RUNS = ("maxcut_15", "maxcut_large")

CHAPTER = Chapter(
    title="Distributed optimisation",
    question="Does QAOA on several small processors solve what simple algorithms do not, and does the choice of processors matter?",
    sources={
        "2407.17325": "Noise-aware distributed QAOA, arXiv 2407.17325 (QCE 2024)",
        "2501.10242": "Wireless sensor networks by QAOA, arXiv 2501.10242 (ISCAS 2025)",
    },
    docs="other_systems.md",
    tables={
        "maxcut": Shown("Cuts", "All ways to cut a graph, at equally many looks", RUNS),
        "wireless": Shown("Wireless network", "Energy by algorithm, and what the printed conservation leaves unmet", RUNS),
    },
    figures={"maxcut": Shown("Cuts", "All ways to cut a graph, and shots by the choice of processors", RUNS)},
    cover="maxcut",
    methods=("chapters.distributed_qaoa.method",),
    measures=(
        Measure("cut_percent", "cut (%)", "points", bounds=(0.0, 100.0)),
        Measure("mean_percent", "mean of shots (%)", "points", bounds=(0.0, 100.0)),
    ),
    words={"distributed_qaoa": "distributed QAOA", "wireless_qubo": "wireless network"},
    exploratory=True,
)
