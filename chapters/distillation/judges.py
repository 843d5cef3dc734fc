"""Judges of distillation: its numbers count at the published schedule only; shorter runs are told, and give no verdict."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.measures import format_number, measure
from lightweights.report.results import Results
from lightweights.report.statistics import Difference, Summary, paired_by_seed, summarise
from lightweights.report.table import short_cell
from lightweights.report.verdicts import (
    HIGHER,
    HOLDS,
    LOWER,
    NO_RUNS,
    NOT_COMPARABLE,
    NOT_RUN,
    OPEN,
    REPRODUCED,
    Evidence,
    Judgement,
    judge_bound,
    judge_range,
    judge_value,
)

from . import LAWS, PUBLISHED_COMPRESSION, PUBLISHED_EPOCHS, PUBLISHED_SHOTS
from .shots import shot_fits, shot_gains
from .students import PUBLISHED_SCHEDULE, distilled_runs, epochs_of, images_of

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


def teacher_parameters(claim: Claim, results: Results) -> Evidence:
    """Numbers in the teacher: counted, not estimated."""
    runs = matching_runs(claim, results.runs)
    return _exact(claim, runs, float(runs.parameters_target.max()) if len(runs) else None)


def overall_compression(claim: Claim, results: Results) -> Evidence:
    """All numbers of the teacher over those of the student: counted, not estimated."""
    runs = matching_runs(claim, results.runs)
    return _exact(claim, runs, float(runs.parameters_target.max() / runs.parameters_trained_used.max()) if len(runs) else None)


def convolution_compression(claim: Claim, results: Results) -> Evidence:
    """A range of compressions: holds where networks that we know of have both ends; widths and ranks are not given in the source."""
    assert claim.bounds is not None
    mine = distilled_runs(matching_runs(claim, results.runs))
    found = sorted(
        {(round(float(row.compression), 1), f"widths {row.widths.replace('x', ', ')}, rank {row.rank:.0f}") for row in mine.itertuples()}
    )
    if not found:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    near = [min(found, key=lambda item, end=end: abs(item[0] - end)) for end in claim.bounds]  # type: ignore[misc]
    told = "; ".join(f"nearest to {end:g} times: {value:g} ({name})" for end, (value, name) in zip(claim.bounds, near, strict=True))
    ends_met = all(abs(value - end) < 0.5 for end, (value, _) in zip(claim.bounds, near, strict=True))
    return Evidence(Judgement(HOLDS if ends_met else OPEN, f"counted, not estimated; {told}"), runs=mine)


def averaged_variance_share(claim: Claim, results: Results) -> Evidence:
    """The share of the feature's variance that averaging with beta = 0.9 leaves, measured without training."""
    return _of_laws(claim, results, "share of variance left by averaging", "beta = 0.9")


def median_variance_ratio(claim: Claim, results: Results) -> Evidence:
    """A median over bins of a ratio of sampled variances; the law, and what is measured here, is of the summed variance."""
    found = averaged_variance_share(claim, results)
    if found.judgement.verdict == NOT_RUN:
        return found
    why = "published is a median over bins, here it is the share of the variance summed over bins, for which the law says 0.053"
    return replace(found, judgement=Judgement(NOT_COMPARABLE, why))


def shot_noise_power(claim: Claim, results: Results) -> Evidence:
    """The power of the number of shots that the error of a kernel falls with, measured without training."""
    return _of_laws(claim, results, "error of a kernel", "power of S")


def student_minus_teacher_cross_entropy_below(claim: Claim, results: Results) -> Evidence:
    """Whether students have a lower validation cross-entropy than their teachers, which the source calls better calibrated."""
    matched = _matched(claim, results)
    full, used = _full_or_all(distilled_runs(matched))
    teachers = distilled_runs(pd.concat([results.of("pqkd_teacher"), results.of(PUBLISHED_SCHEDULE["pqkd_teacher"])]))
    if len(used):
        teachers = teachers[(teachers.dataset == claim.dataset) & (teachers.epochs == used.epochs.iloc[0])]
    more = paired_by_seed(used, teachers, "validation_cross_entropy")[0] if len(used) and len(teachers) else summarise([])
    if not full or not more.n or claim.reported_mean is None:
        return _told(claim, used, {"": more} if more.n else {}, matched)
    return Evidence(judge_bound(claim.reported_mean, more, claim.quantity), more, matched)


def shot_fit_r_squared(claim: Claim, results: Results) -> Evidence:
    """How well delta(S) = delta_inf - c / sqrt(S) fits the mean gains."""
    every = distilled_runs(results.runs)
    mine = every[(every.experiment == claim.experiment) & (every.dataset == claim.dataset)]
    full, used = _full_or_all(mine)
    found: Found = {}
    gains = shot_gains(results.runs) if len(used) else pd.DataFrame(columns=["experiment", "ema", "gain", "shots", "seed"])
    gains = gains[
        (gains.experiment == claim.experiment) & (gains.ema == claim.at("schedule.ema")) & gains.gain.notna() & (gains.shots < math.inf)
    ]
    if gains.shots.nunique() > 2:
        mean = gains.groupby("shots").gain.mean()
        x = mean.index.to_numpy(dtype=float) ** -0.5
        found = {"R2 of the fit to the means": summarise([float(np.corrcoef(x, mean.to_numpy(dtype=float))[0, 1] ** 2)])}
    if not full or not found:
        return _told(claim, used, found, mine)
    ours = next(iter(found.values()))
    return Evidence(judge_value(claim, ours), ours, mine)


def _exact(claim: Claim, runs: pd.DataFrame, value: float | None) -> Evidence:
    """A number that follows from the architecture: within the tolerance or not, whatever the seeds."""
    if value is None or claim.reported_mean is None:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    difference, allowed = value - claim.reported_mean, measure(claim.quantity).allowed(claim.reported_mean)
    verdict = REPRODUCED if abs(difference) <= allowed else HIGHER if difference > 0 else LOWER
    why = f"counted, not estimated: {format_number(value, claim.quantity)}"
    nothing = float("nan")
    return Evidence(
        Judgement(verdict, why, Difference(difference, nothing, nothing)), Summary(len(runs), value, nothing, nothing, nothing), runs
    )


def _of_laws(claim: Claim, results: Results, law: str, at: str) -> Evidence:
    """A law that is measured without training, with its standard error."""
    from .laws import laws_table  # imports torch

    if not (results.folder / LAWS).is_file() or claim.reported_mean is None:
        return Evidence(Judgement(NOT_RUN, f"{LAWS} was not measured"))
    shown = laws_table(results.data(LAWS)).display.iloc[:, :4]
    row = shown[(shown.iloc[:, 0] == law) & (shown.iloc[:, 1] == at)]
    if row.empty:
        return Evidence(Judgement(NOT_RUN, f"{LAWS} has no {law} at {at}"))
    value, _, error = str(row.iloc[0, 3]).partition(" ± ")
    mean, half = float(value), 2 * float(error)
    repeats = str(row.iloc[0, 2])
    n = int(repeats) if repeats.isdigit() else int((shown.iloc[:, 0] == law).sum()) - 1  # else the points that a power is fitted to
    ours = Summary(1, mean, float("nan"), mean - half, mean + half)  # one measurement, of no seeds
    difference = Difference(mean - claim.reported_mean, ours.low - claim.reported_mean, ours.high - claim.reported_mean)
    verdict = judge_value(replace(claim, reported_sd=None), Summary(n, mean, float(error), ours.low, ours.high)).verdict
    why = f"measured without training, {n} repeats or points, ± two standard errors: {value} ± {half:.2g}"
    return Evidence(Judgement(verdict, why, difference), ours)


def _of_column(claim: Claim, results: Results) -> Evidence:
    matched = _matched(claim, results)
    full, used = _full_or_all(distilled_runs(matched))
    found = {"": summarise(used[claim.column])} if len(used) else {}
    if not full or not found:
        return _told(claim, used, found, matched)
    return Evidence(judge_value(claim, found[""]), found[""], matched)


def _matched(claim: Claim, results: Results) -> pd.DataFrame:
    """The runs that a claim is judged by, those that trained as long as published where there are any; compression of the convolutions,
    which some ask for, follows from the runs' settings.
    """
    if claim.experiment in PUBLISHED_SCHEDULE:
        full = _matched(replace(claim, experiment=PUBLISHED_SCHEDULE[claim.experiment]), results)
        if len(full):
            return full
    if claim.at("compression") is None:
        return matching_runs(claim, results.runs)
    return matching_runs(claim, distilled_runs(results.runs))


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
