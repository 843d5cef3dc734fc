"""What the chapter found, as numbers."""

from dataclasses import dataclass

import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .arms import ARMS, QUANTUM
from .features import TESTED
from .judges import CLASSICAL, TUNED, accuracy, at_best, exponents

EXPERIMENTS = {"qsvm_mnist": "MNIST", "qsvm_digits": "the digits"}


@dataclass(frozen=True)
class Largest:
    """At the largest number of qubits: splits, training images of each, accuracies by arm, seconds of a kernel, and mean entries off the
    diagonal by arm.
    """

    qubits: int
    splits: int
    images: int
    accuracy: dict[str, Summary]
    seconds: float
    entries: dict[str, float]


@dataclass(frozen=True)
class OnData:
    """On one data set: its words; each tuned arm at its best number of qubits; the tuned quantum kernel minus the tuned Gaussian one and
    minus the one without CX, paired by split, each at its best; and what holds at the largest number of qubits.
    """

    words: str
    best: dict[str, tuple[int, Summary]]
    over_classical: Summary
    over_product: Summary
    largest: Largest
    exponent: Summary


@dataclass(frozen=True)
class Facts:
    """The data sets that were run."""

    sets: list[OnData]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    found = [(words, results.of(name)) for name, words in EXPERIMENTS.items()]
    return Facts([_on(words, own) for words, own in found if accuracy("linear_tuned") in own and len(own)])


def _on(words: str, own: pd.DataFrame) -> OnData:
    best = {name: at_best(own, name) for name in ("chain", TUNED, "product_tuned", CLASSICAL, "linear_tuned")}
    last = own[own["pair.qubits"] == own["pair.qubits"].max()]
    return OnData(
        words,
        {name: (int(part["pair.qubits"].iloc[0]), summarise(part[accuracy(name)])) for name, part in best.items()},
        _gain(best, TUNED, CLASSICAL),
        _gain(best, TUNED, "product_tuned"),
        Largest(
            int(last["pair.qubits"].iloc[0]),
            len(last),
            round((1 - TESTED) * int(last["pair.images"].iloc[0])),
            {name: summarise(last[accuracy(name)]) for name in ARMS},
            float(last["chain_kernel_seconds"].median()),
            {name: float(last[f"{name}_off_diagonal_mean"].mean()) for name in QUANTUM},
        ),
        summarise(exponents(own)),
    )


def _gain(best: dict[str, pd.DataFrame], one: str, other: str) -> Summary:
    first, second = (best[name].set_index("seed")[accuracy(name)] for name in (one, other))
    return summarise(first - second)
