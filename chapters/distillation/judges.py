"""Judges of distillation: its numbers count at the published schedule only; shorter runs are told, and give no verdict."""

import pandas as pd

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.results import Results
from lightweights.report.statistics import Difference, Summary, summarise
from lightweights.report.table import short_cell
from lightweights.report.verdicts import NO_RUNS, NOT_RUN, Evidence, Judgement, judge_range, judge_value

from . import PUBLISHED_COMPRESSION, PUBLISHED_EPOCHS, PUBLISHED_SHOTS
from .shots import shot_fits, shot_gains
from .students import distilled_runs, epochs_of, images_of

SHORTER = "judged only at the published schedule"
Found = dict[str, Summary]
"""What runs say about a claim: one number, or several by name."""


def train_accuracy_percent(claim: Claim, results: Results) -> Evidence:
    """Accuracy on training images."""
    return _of_column(claim, results)


def validation_accuracy_percent(claim: Claim, results: Results) -> Evidence:
    """Accuracy on validation images."""
    return _of_column(claim, results)


def validation_cross_entropy(claim: Claim, results: Results) -> Evidence:
    """Cross-entropy on validation images."""
    return _of_column(claim, results)


def validation_accuracy_percent_about(claim: Claim, results: Results) -> Evidence:
    """A range of accuracies at extreme compression: ours at each compression within the published range."""
    assert claim.bounds is not None
    matched = matching_runs(claim, results.runs)
    mine = distilled_runs(matched)
    full, used = _full_or_all(mine[mine.compression.round().between(*PUBLISHED_COMPRESSION)])
    groups = used.groupby(["compression", "widths", "rank"])
    found = {f"{x:.1f}x (widths {w.replace('x', ', ')}, rank {r:.0f})": summarise(group[claim.column]) for (x, w, r), group in groups}
    if not full or not found:
        return _told(claim, used, found, matched)
    accuracies = {f"at {name}": Difference(own.mean, own.low, own.high) for name, own in found.items()}
    return Evidence(judge_range(claim.bounds, accuracies, min(own.n for own in found.values())), runs=matched)


def asymptotic_gain_over_zero_feature_points(claim: Claim, results: Results) -> Evidence:
    """The gain over the zero feature that is fitted for infinitely many shots; that at the published shots is told beside it."""
    every = distilled_runs(results.runs)
    mine = every[(every.experiment == claim.experiment) & (every.dataset == claim.dataset)]
    full, used = _full_or_all(mine)
    found: Found = {}
    if len(used):
        gains = shot_gains(results.runs)
        gains = gains[(gains.experiment == claim.experiment) & (gains.ema == claim.at("schedule.ema"))]
        limits = [limit for limit, _ in shot_fits(gains).values()]
        found = {"delta_inf": limits[0]} if limits else {}
        at = summarise(gains[gains.shots == PUBLISHED_SHOTS].gain)
        found |= {f"delta({PUBLISHED_SHOTS})": at} if at.n else {}
    if not full or not found:
        return _told(claim, used, found, mine)
    ours = next(iter(found.values()))
    return Evidence(judge_value(claim, ours), ours, mine)


def _of_column(claim: Claim, results: Results) -> Evidence:
    matched = matching_runs(claim, results.runs)
    full, used = _full_or_all(distilled_runs(matched))
    found = {"": summarise(used[claim.column])} if len(used) else {}
    if not full or not found:
        return _told(claim, used, found, matched)
    return Evidence(judge_value(claim, found[""]), found[""], matched)


def _full_or_all(mine: pd.DataFrame) -> tuple[bool, pd.DataFrame]:
    """Whether there are runs at the published schedule, and these; else all."""
    full = mine[(mine.epochs == PUBLISHED_EPOCHS) & mine.images.isna()]
    return (True, full) if len(full) else (False, mine)


def _told(claim: Claim, used: pd.DataFrame, found: Found, runs: pd.DataFrame) -> Evidence:
    """No verdict: nothing was run, or shorter only."""
    if not found:
        return Evidence(Judgement(NOT_RUN, NO_RUNS), runs=runs)
    told = "; ".join(f"{name} {short_cell(own, claim.column)} (n = {own.n})".strip() for name, own in found.items())
    published, own = f"{PUBLISHED_EPOCHS} epochs on all images", f"{epochs_of(used)} epochs on {images_of(used)} images"
    return Evidence(Judgement(NOT_RUN, f"{SHORTER}, {published}; after {own} ours is {told}, mean ± sd"), runs=runs, shorter=True)
