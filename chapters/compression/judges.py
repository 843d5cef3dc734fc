"""Judge of the gain over weight sharing and pruning."""

import math

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise, welch_difference
from lightweights.report.verdicts import Evidence, judge_range

STRONGEST = (("weight_sharing", "baseline.rows", 10), ("pruning", "baseline.ratio", 0.5))
"""The strongest published setting of each."""


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
