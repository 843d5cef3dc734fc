"""Sequence models on distributed processors: LSTM cells whose gates are circuits, whole and split, and what stands beside them."""

from lightweights.report.chapter import Chapter, Shown
from lightweights.report.measures import Measure

PUBLISHED = ("sequence_published", "sequence_published_lstm", "sequence_published_linear")
"""Experiments of the published protocol."""
FAIR = (
    "sequence_circuits",
    "sequence_product",
    "sequence_photons",
    "sequence_generated",
    "sequence_frozen",
    "sequence_lstm",
    "sequence_linear",
)
"""Experiments of the fair protocol."""
TASKS = {
    "chapters.distributed_qlstm.data:oscillator": "damped oscillator",
    "chapters.distributed_qlstm.data:narma2": "NARMA-2",
    "chapters.distributed_qlstm.data:narma2_random": "NARMA-2 with random input",
    "chapters.distributed_qlstm.data:mackey_glass": "Mackey-Glass",
}
"""The series, in words."""

CHAPTER = Chapter(
    title="Sequence models",
    question="Is an LSTM of circuits that are split over processors as good as an unsplit one, and better than a classical one?",
    sources={"qlstm-slides": "Chen, Chen, Liu and Leung, Distributed QLSTM (arXiv 2503.14088), the authors' slides"},
    docs="sequences.md",
    tables={
        "sequence_published": Shown("Published protocol", "Published R2 beside ours, with verdicts", ("sequence_published",)),
        "sequence_fair": Shown("Fair protocol", "R2 of every forecaster on four series", FAIR),
        "sequence_split": Shown(
            "Split or whole", "Split circuits minus whole ones and minus LSTMs, paired by seed", ("sequence_circuits",)
        ),
    },
    figures={
        "sequence_numbers": Shown("Numbers", "R2 against trained numbers, every seed a dot", FAIR),
        "sequence_forecasts": Shown("Forecasts", "What the forecasters say of the test part", FAIR),
    },
    cover="sequence_numbers",
    methods=("chapters.distributed_qlstm.method",),
    measures=(Measure("_r2", "R2", decimals=4, tolerance=0.01), Measure("error_to_linear", "error / linear", decimals=2)),
    words={"qlstm": "QLSTM on one processor", "distributed_qlstm": "distributed QLSTM"},
)
