"""Judges of the published statements that are no column of runs.csv."""

import numpy as np
import pandas as pd

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.results import Results
from lightweights.report.statistics import Difference, summarise
from lightweights.report.verdicts import NO_RUNS, NOT_COMPARABLE, NOT_RUN, Evidence, Judgement, judge_bound, judge_range, judge_value

PUBLISHED, TUNED, CLASSICAL = "chain_leaking", "chain_tuned", "rbf_tuned"
CLASSICAL_PUBLISHED = "rbf_leaking"
OTHER_COMPUTATION = (
    "the published times are those of contracting a network on GPUs, ours those of products of 2 x 2 matrices on one core, which give the "
    "same kernel"
)
LEAST_QUBITS = 32
"""Below, starting a computation takes longer than the computation."""
LEAST_SIZES = 3
"""Of fewer sizes a slope is that of two single times, which tells no power from another."""


def best_accuracy_percent(claim: Claim, results: Results) -> Evidence:
    """The published kernel as published, at the number of qubits where it is best."""
    best = at_best(complete(claim, results), PUBLISHED)
    ours = summarise(best[accuracy(PUBLISHED)] if len(best) else [])
    return Evidence(judge_value(claim, ours), ours, best if ours.n else None)


def kernel_seconds_below(claim: Claim, results: Results) -> Evidence:
    """Seconds of one kernel of the training images with themselves, on one core."""
    own = matching_runs(claim, results.runs)
    ours = summarise(own.get("chain_kernel_seconds", []))
    return Evidence(judge_bound(claim.reported_mean or 0.0, ours, claim.quantity), ours, own if ours.n else None)


def time_exponent(claim: Claim, results: Results) -> Evidence:
    """Slope of log seconds against log qubits, a seed each: that of another computation than the published one, so it gives no verdict."""
    own = matching_runs(claim, results.runs)
    ours = summarise(exponents(own))
    if not ours.n:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    return Evidence(Judgement(NOT_COMPARABLE, OTHER_COMPUTATION), ours, own)


def gain_over_classical_points(claim: Claim, results: Results) -> Evidence:
    """The best tuned quantum kernel minus the best tuned Gaussian kernel, paired by split, each at its best number of qubits."""
    own = complete(claim, results)
    quantum, classical = (at_best(own, name) for name in (TUNED, CLASSICAL))
    if quantum.empty or claim.bounds is None:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    gains = quantum.set_index("seed")[accuracy(TUNED)] - classical.set_index("seed")[accuracy(CLASSICAL)]
    ours = summarise(gains)
    return Evidence(
        judge_range(claim.bounds, {"over a tuned Gaussian kernel": Difference(ours.mean, ours.low, ours.high)}, ours.n), ours, own
    )


def complete(claim: Claim, results: Results) -> pd.DataFrame:
    """The runs that judge a claim about the best number of qubits: none before all numbers that are asked for have landed."""
    own = matching_runs(claim, results.runs)
    asked = {run.settings.pair.qubits for run in results.study.runs() if run.experiment == claim.experiment}
    return own if len(own) and set(own["pair.qubits"]) == asked else own.iloc[:0]


def accuracy(name: str) -> str:
    """Column of an arm's accuracy on the test images."""
    return f"{name}_tested_percent"


def at_best(runs: pd.DataFrame, name: str) -> pd.DataFrame:
    """The runs at the number of qubits where an arm's mean accuracy is highest."""
    if accuracy(name) not in runs or runs[accuracy(name)].isna().all():
        return runs.iloc[:0]
    means = runs.groupby("pair.qubits")[accuracy(name)].mean()
    return runs[runs["pair.qubits"] == means.idxmax()]


def exponents(runs: pd.DataFrame) -> list[float]:
    """How the kernel's time grows with the number of qubits, one slope a seed that has three sizes or more from ``LEAST_QUBITS`` on."""
    if "chain_kernel_seconds" not in runs:
        return []
    large = runs[runs["pair.qubits"] >= LEAST_QUBITS]
    return [
        float(np.polyfit(np.log(part["pair.qubits"].astype(float)), np.log(part["chain_kernel_seconds"]), 1)[0])
        for _, part in large.groupby("seed")
        if part["pair.qubits"].nunique() >= LEAST_SIZES
    ]
