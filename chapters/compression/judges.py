"""Judges of the gain over weight sharing and pruning, and of accuracies, of which those of the gate-based circuits are not comparable."""

import math
from dataclasses import replace

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.results import Results
from lightweights.report.scorecard import judge_column
from lightweights.report.statistics import Summary, summarise, welch_difference
from lightweights.report.verdicts import NOT_COMPARABLE, Evidence, Judgement, judge_range

STRONGEST = (("weight_sharing", "baseline.rows", 10), ("pruning", "baseline.ratio", 0.5))
"""The strongest published setting of each."""
ELSEWHERE = "gate_based_qt"
"""The method whose published accuracies come from another test set."""
OTHER_TEST_SET = (
    "the published accuracies come from another test set: of the notebooks' 30, 29 are no fractions of 600 images and 27 are multiples of "
    "0.05 % (2,000 images), while all of pruning and weight sharing are fractions of 600; which set it was is not known"
)
NO_MEAN_OF_SUCH = (
    "the published accuracies come from another test set: of the notebooks' 30, 29 are no fractions of 600 images; and the slide's mean "
    "and sd are not those of up to ten such values either"
)


def test_accuracy_percent(claim: Claim, results: Results) -> Evidence:
    """Accuracy on the publication's test images; where its number comes from others, ours stands beside it and gives no verdict."""
    found = judge_column(claim, results)
    if claim.method != ELSEWHERE or found.runs is None:
        return found
    return replace(found, judgement=Judgement(NOT_COMPARABLE, NO_MEAN_OF_SUCH if claim.source == "slides" else OTHER_TEST_SET))


test_accuracy_percent.__test__ = False  # type: ignore[attr-defined]


def accuracy_gain_points(claim: Claim, results: Results) -> Evidence:
    """The gain of photonic Quantum-Train over the strongest published weight sharing and pruning; our number: the least."""
    assert claim.bounds is not None
    column, mine = "test600_accuracy_percent", results.runs[results.runs.dataset == claim.dataset]
    own = matching_runs(claim, results.runs)
    photonic = summarise(own[column])
    gains, least = {}, photonic.n
    for experiment, path, value in STRONGEST:
        others = mine[mine.experiment == experiment]
        other = summarise(others[others[path] == value][column] if path in others else [])
        gains[f"over {experiment.replace('_', ' ')} ({path.split('.')[1]} {value})"] = welch_difference(photonic, other)
        least = min(least, other.n)
    least_gain = min(gains.values(), key=lambda gain: gain.value)
    ours = Summary(least, least_gain.value, math.nan, least_gain.low, least_gain.high) if least else summarise([])
    return Evidence(judge_range(claim.bounds, gains, least), ours, own if least else None)
