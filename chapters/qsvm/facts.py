"""What the chapter found, as numbers."""

from dataclasses import dataclass

import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .arms import ARMS, QUANTUM
from .features import TESTED
from .judges import CLASSICAL, CLASSICAL_PUBLISHED, PUBLISHED, TUNED, accuracy, at_best, exponents

EXPERIMENTS = {"qsvm_mnist": "MNIST", "qsvm_digits": "the digits"}


@dataclass(frozen=True)
class Largest:
    """At the largest number of qubits: splits, accuracies (%) by arm, the quantum kernel minus the Gaussian one in points, both tuned and
    both scaled as published, and minus the linear one, both tuned, paired by split, seconds of a kernel of the training images, and mean
    entries off the diagonal by arm.
    """

    qubits: int
    splits: int
    accuracy: dict[str, Summary]
    tuned: Summary
    published: Summary
    over_linear: Summary
    seconds: Summary
    entries: dict[str, float]

    @property
    def best(self) -> str:
        """The arm of the highest mean accuracy."""
        return max(self.accuracy, key=lambda name: self.accuracy[name].mean)


@dataclass(frozen=True)
class OnData:
    """On one data set: its words; training and test images of a split; each tuned arm at its best number of qubits; the tuned quantum
    kernel minus the tuned Gaussian one, minus the linear one and minus the one without CX, paired by split, each at its best; what holds
    at the largest number of qubits; and the power of the number of qubits that time grows with, a split each.
    """

    words: str
    trained: int
    tested: int
    best: dict[str, tuple[int, Summary]]
    over_classical: Summary
    over_linear: Summary
    over_product: Summary
    largest: Largest
    exponent: Summary

    @property
    def saturated(self) -> bool:
        """Whether every arm reaches 100 % on every split at its best."""
        return all(found.mean == 100 for _, found in self.best.values())


@dataclass(frozen=True)
class Facts:
    """The data sets that were run, and words of the arms."""

    sets: list[OnData]
    words: dict[str, str]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    found = [(words, results.of(name)) for name, words in EXPERIMENTS.items()]
    sets = [_on(words, own) for words, own in found if accuracy("linear_tuned") in own and len(own)]
    return Facts(sets, {name: arm.words for name, arm in ARMS.items()})


def _on(words: str, own: pd.DataFrame) -> OnData:
    best = {name: at_best(own, name) for name in ("chain", TUNED, "product_tuned", CLASSICAL, "linear_tuned")}
    last = own[own["pair.qubits"] == own["pair.qubits"].max()]
    images, at_last = int(own["pair.images"].iloc[0]), dict.fromkeys(ARMS, last)
    tested = round(TESTED * images)
    return OnData(
        words,
        images - tested,
        tested,
        {name: (int(part["pair.qubits"].iloc[0]), summarise(part[accuracy(name)])) for name, part in best.items()},
        _gain(best, TUNED, CLASSICAL),
        _gain(best, TUNED, "linear_tuned"),
        _gain(best, TUNED, "product_tuned"),
        Largest(
            int(last["pair.qubits"].iloc[0]),
            len(last),
            {name: summarise(last[accuracy(name)]) for name in ARMS},
            _gain(at_last, TUNED, CLASSICAL),
            _gain(at_last, PUBLISHED, CLASSICAL_PUBLISHED),
            _gain(at_last, TUNED, "linear_tuned"),
            summarise(last["chain_kernel_seconds"]),
            {name: float(last[f"{name}_off_diagonal_mean"].mean()) for name in QUANTUM},
        ),
        summarise(exponents(own)),
    )


def _gain(best: dict[str, pd.DataFrame], one: str, other: str) -> Summary:
    first, second = (best[name].set_index("seed")[accuracy(name)] for name in (one, other))
    return summarise(first - second)
