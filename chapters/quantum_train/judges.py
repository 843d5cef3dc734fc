"""Judges of what is no column of runs.csv: accuracy lost relative to the target network."""

from dataclasses import replace

import pandas as pd

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.verdicts import NOT_RUN, Evidence, Judgement, judge_bound, judge_value, several_variants

COLUMN = "test600_accuracy_percent"
"""Of the publication's test images."""


def relative_accuracy_loss_percent(claim: Claim, results: Results) -> Evidence:
    """A published loss, beside ours."""
    return _judge(claim, results)


def relative_accuracy_loss_percent_below(claim: Claim, results: Results) -> Evidence:
    """A bound on the loss."""
    return _judge(claim, results, bound=True)


def relative_loss(targets: pd.DataFrame, compressed: pd.DataFrame) -> pd.Series:
    """Accuracy lost by compression in percent of the classical target's, by seed; only seeds that both have.

    Args:
        targets: The classical target's runs.
        compressed: The compressed network's runs, one a seed.
    """
    target = targets.set_index("seed")[COLUMN]
    loss = 100 * (target - compressed.set_index("seed")[COLUMN]) / target
    return loss.dropna()


def _judge(claim: Claim, results: Results, bound: bool = False) -> Evidence:
    matched = matching_runs(claim, results.runs)
    targets = results.of("classical")
    targets = targets[targets.dataset == claim.dataset]
    if (several := several_variants(matched, targets)) is not None:
        return Evidence(several)
    if claim.reported_mean is None or COLUMN not in results.runs:
        return Evidence(Judgement(NOT_RUN, f"no experiment of this study measures {claim.quantity}"))
    losses = relative_loss(targets, matched)
    ours = summarise(losses)
    judgement = judge_bound(claim.reported_mean, ours, claim.quantity) if bound else judge_value(claim, ours)
    if not ours.n:
        return Evidence(judgement)
    why = f"{judgement.why}; loss on test600 relative to the classical target of the same seed, {ours.n} pairs"
    return Evidence(replace(judgement, why=why), ours, pd.concat([targets, matched]), values=list(losses))
