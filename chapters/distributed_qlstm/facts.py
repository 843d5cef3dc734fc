"""What the sequence models found, as numbers."""

from dataclasses import dataclass
from typing import Any

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from . import TASKS
from .arms import (
    CONTRASTS,
    FAIR_ARMS,
    LINEAR,
    LSTM_5,
    LSTM_6,
    PRODUCT_6,
    PUBLISHED_ARMS,
    SPLIT_2X2,
    SPLIT_2X3,
    SPLIT_3X2,
    VALUE,
    WHOLE_4,
    WHOLE_6,
    Arm,
)
from .comparisons import MARGIN, differences, paired, secondary

OSCILLATOR, NARMA2 = list(TASKS)[:2]
EARLY = 2
"""The published epoch of NARMA-2."""
CIRCUITS = ("whole", "split", "without CNOTs", "photons", "distinguishable")
"""Families of forecasters that are made of circuits."""
UNSPLIT = (PRODUCT_6, WHOLE_4)
"""Unsplit circuits, of as many qubits without CNOTs and of fewer, which stand beside what a split gains."""


@dataclass(frozen=True)
class Early:
    """R2 on NARMA-2's test part at the published epoch, over all circuits and seeds, how many there are, of how many circuits, and the
    seeds of each; and at whatever of the epochs is best, chosen on the test part: the largest, of how many epochs.
    """

    least: float
    most: float
    runs: int
    circuits: int
    seeds: list[int]
    best: float
    epochs: int


@dataclass(frozen=True)
class Facts:
    """What was not run is empty or None.

    ``linear``: R2 of least squares on each series. ``best``: the circuit with the largest mean on each. ``against``: the plan's contrasts,
    by what is compared and what is subtracted. ``others``: contrasts that it does not name. ``unsplit``: what unsplit circuits gain over
    the one of 6 qubits. ``split_ahead`` and ``split_behind``: where its qubits, split, are ahead of these circuits or behind them, by
    single intervals (the split one, the unsplit one, what the first gains). ``numbers``: trained ones of split circuits and LSTMs.
    ``published_persistence``, ``published_narma``: repeating the last value under the published protocol, and NARMA-2's published numbers.
    ``test_variance``: of NARMA-2's test part, in scaled units, under the published protocol.
    """

    margin: float
    value: str
    linear: dict[str, float]
    published_linear: dict[str, float]
    above_published: bool
    best: dict[str, tuple[str, Summary]]
    lstm: dict[str, Summary]
    against: dict[tuple[str, str], list[Any]]
    others: list[Any]
    unsplit: dict[str, list[Any]]
    split_ahead: list[tuple[str, str, Any]]
    split_behind: list[tuple[str, str, Any]]
    numbers: dict[str, int]
    published_persistence: dict[str, float]
    published_narma: list[float]
    early: Early | None
    test_variance: float
    effective: dict[str, tuple[int, int]]
    open_narma: list[Any]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    runs, compared = results.runs, differences(results.runs)
    pairs = [(one.label, other.label) for one, other in CONTRASTS]
    against = {pair: [row for row in compared.itertuples() if (row.arm, row.minus) == pair] for pair in pairs}
    scores = results.scores

    def gains(arm: Arm, other: Arm) -> list[Any]:
        """Of three pairs or more."""
        return [row for row in paired(runs, [(arm, other)]).itertuples() if row.n > 2]

    beside = [(split.label, arm.label, row) for split in (SPLIT_2X3, SPLIT_3X2) for arm in UNSPLIT for row in gains(split, arm)]
    return Facts(
        margin=MARGIN,
        value=VALUE,
        linear=of_one(LINEAR, results),
        published_linear=of_one(PUBLISHED_ARMS[-2], results),
        above_published=above_published(results),
        best={words: found for task, words in TASKS.items() if (found := best_circuit(results, task)) is not None},
        lstm={words: found for task, words in TASKS.items() if (found := summarise(_values(results, task))).n},
        against={pair: rows for pair, rows in against.items() if rows},
        others=list(secondary(runs).itertuples()),
        unsplit={arm.label: rows for arm in UNSPLIT if (rows := gains(arm, WHOLE_6))},
        split_ahead=[told for told in beside if told[2].ci95_low > 0],
        split_behind=[told for told in beside if told[2].ci95_high < 0],
        numbers={
            arm.label: int(found.parameters_trained_used.iloc[0])
            for arm in (SPLIT_2X2, SPLIT_2X3, LSTM_5, LSTM_6)
            if len(found := arm.of(runs, OSCILLATOR))
        },
        published_persistence=of_one(PUBLISHED_ARMS[-1], results),
        published_narma=[
            c.reported_mean for c in results.claims if c.dataset == NARMA2 and c.quantity == "best_test_r2" and c.reported_mean
        ],
        early=early(results),
        test_variance=variance_of_test(),
        effective={
            arm.label: (int(found.parameters_trained_used.iloc[0]), int(found.parameters_trained_effective.iloc[0]))
            for arm in (WHOLE_6, SPLIT_2X3, PRODUCT_6)
            if len(found := arm.of(runs, OSCILLATOR))
        },
        open_narma=list(scores[(scores.dataset == NARMA2) & (scores.n > 0)].itertuples()) if len(scores) else [],
    )


def above_published(results: Results) -> bool:
    """Whether least squares lies above every number published for the oscillator, under the published protocol."""
    told = [claim.reported_mean for claim in results.claims if claim.dataset == OSCILLATOR and claim.quantity == "best_test_r2"]
    own = PUBLISHED_ARMS[-2].of(results.runs, OSCILLATOR)
    return bool(told) and len(own) > 0 and all(number is not None and own[VALUE].iloc[0] > number for number in told)


def _values(results: Results, task: str):
    found = LSTM_6.of(results.runs, task)
    return found.get(VALUE, [])


def best_circuit(results: Results, task: str) -> tuple[str, Summary] | None:
    """The circuit with the largest mean R2, whole or split, with CNOTs or without, of qubits or photons, all of them trained."""
    arms = [arm for arm in FAIR_ARMS if arm.family in CIRCUITS]
    found = [(arm.label, summarise(own[VALUE])) for arm in arms if len(own := arm.of(results.runs, task))]
    return max(found, key=lambda pair: pair[1].mean, default=None)


def early(results: Results) -> Early | None:
    """The spread of R2 at the epoch that the slides give for NARMA-2."""
    own = [found for arm in PUBLISHED_ARMS[:7] if len(found := arm.of(results.runs, NARMA2))]
    histories = [results.history(found) for found in own]
    values = [value for history in histories for value in history[history.epoch == EARLY].test_r2]
    if not values:
        return None
    best, epochs = (max(float(history[name].max()) for history in histories) for name in ("test_r2", "epoch"))
    return Early(min(values), max(values), len(values), len(own), [len(found) for found in own], best, int(epochs))


def of_one(arm: Arm, results: Results) -> dict[str, float]:
    """R2 of a forecaster that no seed changes, by series."""
    return {words: float(found[VALUE].iloc[0]) for task, words in TASKS.items() if len(found := arm.of(results.runs, task))}


def variance_of_test() -> float:
    """Variance of NARMA-2's test part in scaled units, under the published protocol."""
    from .series import series
    from .windows import cut

    return float(cut(series("narma2"), "published").test.targets.var(correction=0))
