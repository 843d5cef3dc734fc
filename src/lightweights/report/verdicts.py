"""Verdicts on published numbers, by the rule of the analysis plan: pure functions of summaries."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from lightweights.report.claims import Claim
from lightweights.report.measures import format_number, measure
from lightweights.report.statistics import CONFIDENCE, Difference, Summary, difference_to, seeds_needed, summarise, welch_difference

REPRODUCED, OPEN, HIGHER, LOWER = "reproduced", "open", "higher", "lower"
HOLDS, FAILS, TOO_FEW, NOT_RUN = "holds", "fails", "too few runs", "not run"
NOT_COMPARABLE = "not comparable"
"""Ours measures something else, for the reason that is told."""
VERDICTS = (REPRODUCED, HIGHER, LOWER, HOLDS, FAILS, OPEN, TOO_FEW, NOT_COMPARABLE, NOT_RUN)
DIRECT = (REPRODUCED, HIGHER, LOWER, OPEN)
"""Verdicts on direct comparisons with a published number, which Holm's correction runs over."""
SMALLEST_N = 3
LEVEL = 1 - CONFIDENCE
NO_RUNS = "no runs of this setting"
NONE_WOULD = "no number of our seeds"
"""How is told that nothing on our side would settle a row."""
ROUNDING = 1e-9
"""A difference of exactly the tolerance is within it, although decimal fractions are not exact in binary."""


@dataclass(frozen=True)
class Judgement:
    """A verdict with the difference that it rests on (None for bounds and without runs), the reason in a sentence, and for an open or wide
    one what would settle it.
    """

    verdict: str
    why: str
    difference: Difference | None = None
    settles: str = ""


@dataclass(frozen=True)
class Evidence:
    """What a judge says of a claim: the judgement, our number, the runs whose settings it rests on, and whether these fell short of the
    published schedule, so that they are told and give no verdict. ``values``: the single values that our mean is of.
    """

    judgement: Judgement
    ours: Summary = field(default_factory=lambda: summarise([]))
    runs: pd.DataFrame | None = None
    shorter: bool = False
    values: Sequence[float] = ()


def judge_value(claim: Claim, ours: Summary) -> Judgement:
    """Verdict on a published mean."""
    if ours.n == 0 or claim.reported_mean is None:
        return Judgement(NOT_RUN, NO_RUNS)
    if claim.summary is not None:
        difference, interval = welch_difference(ours, claim.summary), "the 95 % interval of the difference"
    else:
        difference = difference_to(ours, claim.reported_mean)
        interval = "our 95 % interval alone (the published n or sd is unknown)"
    if ours.n < SMALLEST_N:
        return Judgement(TOO_FEW, f"n = {ours.n}; {SMALLEST_N} are needed", difference)
    allowed = measure(claim.quantity).allowed(claim.reported_mean)
    unit = f" {measure(claim.quantity).unit}".rstrip()
    distance, limit, wide, half = (
        f"{format_number(x, claim.quantity)}{unit}" for x in (abs(difference.value), allowed, 2 * allowed, difference.half_width)
    )
    narrow = difference.half_width <= 2 * allowed
    settles = "" if narrow else what_settles(claim, ours, 2 * allowed)
    if abs(difference.value) <= allowed + ROUNDING:
        return Judgement(REPRODUCED, f"the means differ by {distance}, at most {limit} are allowed", difference, settles)
    if difference.low <= 0 <= difference.high:
        if narrow:
            return Judgement(REPRODUCED, f"{interval} contains 0 and reaches {half} to either side, at most {wide} are allowed", difference)
        return Judgement(OPEN, f"{interval} contains 0 but reaches {half} to either side, more than {wide}", difference, settles)
    if ours.one_value and claim.summary is None:
        return Judgement(OPEN, f"ours is {distance} off, but {ours.n} runs with the same value tell nothing of chance", difference)
    side = HIGHER if difference.value > 0 else LOWER
    return Judgement(side, f"ours is {distance} {side} and {interval} excludes 0", difference)


def what_settles(claim: Claim, ours: Summary, half_width: float, level: float = LEVEL) -> str:
    """How many seeds of ours the interval of the difference needs to reach no further, from the sds at hand; or that none would do."""
    published = claim.summary
    needed = seeds_needed(ours.sd, half_width, published, level)
    reach = format_number(half_width, claim.quantity)
    if needed is not None:
        return f"{max(needed, ours.n + 1)} seeds, from the sds at hand"
    if published is not None and seeds_needed(0.0, half_width, published, level) is None:
        which = "the interval" if level == LEVEL else f"the interval, at the {100 * (1 - level):.2f} % that the correction may ask,"
        return f"{NONE_WOULD}: the published spread (n = {published.n}) alone makes {which} wider than ±{reach}"
    return "more seeds than can be trained"


def corrected(judgement: Judgement, p_holm: float, claim: Claim, ours: Summary, family: int) -> Judgement:
    """The verdict with p corrected over a family: *higher* and *lower* only where the difference survives, else *open*."""
    tested = judgement.difference is not None and not math.isnan(p_holm)  # what is counted is no matter of chance
    if judgement.verdict not in (HIGHER, LOWER) or not tested or p_holm < LEVEL or judgement.difference is None:
        return judgement
    why = f"{judgement.why}, but not after Holm's correction over the {family} direct comparisons of the source (p = {p_holm:.2f})"
    settles = what_settles(claim, ours, abs(judgement.difference.value), LEVEL / family)
    return replace(judgement, verdict=OPEN, why=why, settles=settles)


def judge_bound(bound: float, ours: Summary, quantity: str) -> Judgement:
    """Verdict on a claim "below ``bound``"."""
    if ours.n == 0:
        return Judgement(NOT_RUN, NO_RUNS)
    if ours.n < SMALLEST_N:
        return Judgement(TOO_FEW, f"n = {ours.n}; {SMALLEST_N} are needed")
    limit, low, high = (format_number(x, quantity) for x in (bound, ours.low, ours.high))
    if ours.high < bound:
        return Judgement(HOLDS, f"the whole 95 % interval lies below {limit}, up to {high}")
    if ours.low >= bound:
        return Judgement(FAILS, f"the whole 95 % interval lies above {limit}, from {low}")
    needed = seeds_needed(ours.sd, abs(bound - ours.mean)) if ours.mean != bound else None
    settles = f"{max(needed, ours.n + 1)} seeds, from the sd at hand, if the mean stays" if needed else "more seeds than can be trained"
    return Judgement(OPEN, f"{limit} lies within the 95 % interval, {low} to {high}", settles=settles)


def judge_range(bounds: tuple[float, float], found: Mapping[str, Difference], n: int) -> Judgement:
    """Verdict on a claim that all numbers lie between two bounds: holds if all intervals do, fails if one lies wholly outside."""
    low, high = bounds
    told = "; ".join(f"{d.value:.2f} [{d.low:.2f}, {d.high:.2f}] {name}" for name, d in found.items())
    if n < SMALLEST_N:
        return Judgement(TOO_FEW if n else NOT_RUN, f"n = {n}; {SMALLEST_N} are needed" if n else NO_RUNS)
    if all(low <= d.low and d.high <= high for d in found.values()):
        return Judgement(HOLDS, told)
    outside = any(d.high < low or d.low > high for d in found.values())
    return Judgement(FAILS if outside else OPEN, told)


def several_variants(*parts: pd.DataFrame) -> Judgement | None:
    """The judgement where some of the runs are of more than one variant, so that none is singled out; else None."""
    names = next((part.variant.unique() for part in parts if part.variant.nunique() > 1), None)
    if names is None:
        return None
    return Judgement(NOT_RUN, f"several variants have this setting ({', '.join(names)}) and none is singled out")


def is_wide(row: Any) -> bool:
    """Whether a row of the scorecard is reproduced by its mean alone, with an interval wider than twice the tolerance."""
    if row.verdict != REPRODUCED:
        return False
    return (row.difference_high - row.difference_low) / 2 > 2 * measure(row.quantity).allowed(float(row.reported))


def on_several(row: Any, rows: Iterable[Any]) -> bool:
    """Whether what a row of the scorecard is about stands among ``rows`` for another data set, too."""
    about = (row.method, row.setting, row.quantity)
    return any((one.method, one.setting, one.quantity) == about and one.dataset != row.dataset for one in rows)


def verdict_cell(row: Any) -> str:
    """The verdict of a row of the scorecard in Markdown, and whether it is a wide one."""
    return f"**{row.verdict}**" + ", wide" * is_wide(row)
