"""Photons that fine-tune a transformer: low-rank adapters beside frozen weights, generated, and what stands in the photons' place."""

from lightweights.report.chapter import Chapter, Shown
from lightweights.report.measures import Measure

RUNS = (
    *("adapters_primary", "adapters_published", "adapters_controls", "adapters_ceiling", "adapters_frozen"),
    *("adapters_minilm", "adapters_minilm_ceiling", "adapters_minilm_head"),
)
"""Experiments of the language model, and of MiniLM."""

CHAPTER = Chapter(
    title="Adapters",
    question="Can photons fine-tune a transformer, with fewer trained numbers than low-rank adapters?",
    sources={
        "2410.09846": "Liu, Yang, Goan and Hsieh, A quantum circuit-based compression perspective for parameter-efficient learning (QPA), "
        "arXiv 2410.09846 (ICLR 2025)",
        "qpa-code": "the authors' code and log, CYLphysics/QPA, version of 2025-03-24",
    },
    tables={
        "adapters_arms": Shown("Arms", "Every arm at three budgets of trained numbers, on both tasks", RUNS),
        "adapters_differences": Shown("Differences", "Photons minus what stands in their place, paired by seed", RUNS),
    },
    figures={
        "adapters_numbers": Shown("Numbers", "What every arm reaches against trained numbers, every seed a dot", RUNS),
        "adapters_differences": Shown("Differences", "Photons minus every other arm at each budget, with intervals", RUNS),
    },
    cover="adapters_numbers",
    docs="adapters_howto.md",
    methods=("chapters.adapters.pretraining", "chapters.adapters.method", "chapters.adapters.classes"),
    measures=(
        Measure("_nats", "nats a token", "nats", decimals=4, tolerance=0.02),
        Measure("padded_perplexity", "perplexity", decimals=3, tolerance=0.01, relative=True),
    ),
    words={"qpa": "QPA", "lora": "LoRA", "dora": "DoRA", "prefix": "prefix tuning", "adapter": "adapters"},
)
