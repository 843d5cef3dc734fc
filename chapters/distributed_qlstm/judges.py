"""Judges of the sequence chapter's claims."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.comparisons import DIFFERS, LEVEL, SMALLEST_N, signed_interval
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise
from lightweights.report.verdicts import FAILS, HOLDS, NO_RUNS, NOT_RUN, OPEN, TOO_FEW, Evidence, Judgement, judge_value

from . import TASKS
from .arms import LSTM_6, SPLIT_2X3, WHOLE_6, Arm
from .comparisons import MARGIN, differences

Says = Callable[[Any], bool]
"""What a row of differences says."""
OPEN_TASK = "chapters.distributed_qlstm.data:narma2"


def best_test_r2(claim: Claim, results: Results) -> Evidence:
    """R2 of one model, at the epoch where it is largest. On NARMA-2 it stays open whatever we find."""
    shape, _, epoch = claim.where.partition(";")
    used = matching_runs(replace(claim, where=shape), results.runs)
    if used.empty:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    ours = summarise(used.best_test_r2)
    judgement = judge_value(claim, ours)
    if claim.dataset == OPEN_TASK and ours.n >= SMALLEST_N:
        at = results.history(used)
        then = at[at.epoch == claim.at("epoch")].test_r2
        why = (
            f"read at {epoch.replace('=', ' ')}; the source gives neither how many runs nor which inputs; at that epoch our {ours.n} seeds "
            f"have R2 from {then.min():.2f} to {then.max():.2f}, because the scale is set by the start of the series and the test part "
            "hardly varies"
        )
        judgement = Judgement(OPEN, why, judgement.difference)
    return Evidence(judgement, ours, used)


def split_minus_whole_r2(claim: Claim, results: Results) -> Evidence:
    """Competitive: equivalent within the margin on every series; fails where the whole interval lies further below on one."""
    return _compared(
        claim, results, WHOLE_6, f"within {MARGIN}", lambda row: row.p_equivalence < LEVEL, lambda row: row.ci95_high < -MARGIN
    )


def split_minus_lstm_r2(claim: Claim, results: Results) -> Evidence:
    """Better than classical: better than an LSTM of as many numbers on every series; fails where it is worse on one."""
    differs = lambda row: row.word == DIFFERS  # noqa: E731
    reading = "the source says improved training dynamics and no measure; read here as R2 at the end, on its two series and two more: "
    return _compared(
        claim,
        results,
        LSTM_6,
        "better",
        lambda row: differs(row) and row.mean > 0,
        lambda row: differs(row) and row.mean < 0,
        reading,
    )


def stability_r2(claim: Claim, results: Results) -> Evidence:
    """Stable convergence: nothing is said that could be measured."""
    return Evidence(Judgement(OPEN, "the source does not say what is measured, over how many runs, or against what"))


def _compared(claim: Claim, results: Results, other: Arm, wanted: str, good: Says, bad: Says, reading: str = "") -> Evidence:
    """2 x 3 qubits minus another forecaster on every series: our number is the least of the means."""
    table = differences(results.runs)
    rows = list(table[(table.arm == SPLIT_2X3.label) & (table.minus == other.label)].itertuples())
    if not rows:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    worst = min(rows, key=lambda row: row.mean)
    ours = Summary(min(row.n for row in rows), worst.mean, worst.sd_ddof1, worst.ci95_low, worst.ci95_high)
    used = matching_runs(claim, results.runs)
    if ours.n < SMALLEST_N:
        return Evidence(Judgement(TOO_FEW, f"n = {ours.n}; {SMALLEST_N} are needed"), ours, used)
    told = "; ".join(f"{row.task}: {signed_interval(pd.Series(row._asdict()), row.quantity)}" for row in rows)
    asked = f"{wanted} on all {len(TASKS)} series is asked for"
    why = f"{reading}{SPLIT_2X3.label} minus {other.label}, fair protocol, R2, paired by seed ({asked}): {told}"
    if any(bad(row) for row in rows):
        return Evidence(Judgement(FAILS, why), ours, used)
    holds = len(rows) == len(TASKS) and all(good(row) for row in rows)
    return Evidence(Judgement(HOLDS if holds else OPEN, why), ours, used)
