"""Comparisons paired by seed and the three words of the analysis plan: pure functions of tables of differences."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lightweights.report.measures import FEWEST, NOTHING, format_number, no_interval
from lightweights.report.statistics import Summary, holm
from lightweights.study.collect import reported_test_sets

MARGIN = 0.5
"""Points of test accuracy within which two arms count as equivalent."""
LEVEL = 0.05
SMALLEST_N = 5
"""Pairs of seeds that a comparison needs before it says anything but open."""
DIFFERS, EQUIVALENT, OPEN = "differs", "equivalent", "open"
STATISTICS = (
    "Differences are paired by seed: mean [95 % t interval]. *differs*: p of the paired t test below 0.05 after Holm's correction over all "
    f"differences to the same reference that have {SMALLEST_N} pairs; *equivalent*: two one-sided tests place it within ±{MARGIN} points "
    "(p < 0.05); "
    f"*open*: neither, or fewer than {SMALLEST_N} pairs."
)


def with_words(table: pd.DataFrame) -> pd.DataFrame:
    """Differences to one reference (``n p p_equivalence``) with ``p_holm`` over those of enough pairs, and the plan's ``word``."""
    tested = table.n >= SMALLEST_N  # the others can only be open
    table = table.assign(p_holm=math.nan)
    table.loc[tested, "p_holm"] = holm(table.p[tested]) if tested.any() else []
    return table.assign(word=[word(row.n, row.p_holm, row.p_equivalence) for row in table.itertuples()])


def word(n: int, p_holm: float, p_equivalence: float) -> str:
    """One of the plan's three words."""
    if n < SMALLEST_N:
        return OPEN
    if p_holm < LEVEL:
        return DIFFERS
    return EQUIVALENT if p_equivalence < LEVEL else OPEN


def outcomes(rows: Iterable[Any], better: int = 1) -> dict[str, list[Any]]:
    """Differences by what their words say of the first of the two, in this order: ``better``, ``worse``, ``equivalent``, ``open``; what
    none says is left out. ``better`` is 1 where more is better, -1 where less is.
    """
    found: dict[str, list[Any]] = {"better": [], "worse": [], EQUIVALENT: [], OPEN: []}
    for row in rows:
        shown = "better" if row.mean * better > 0 else "worse"
        found[shown if row.word == DIFFERS else row.word].append(row)
    return {outcome: part for outcome, part in found.items() if part}


def signed_interval(difference: pd.Series, column: str) -> str:
    """A difference with its sign and interval."""
    sign = "+" if difference["mean"] > 0 else ""
    text = sign + format_number(difference["mean"], column)
    if math.isnan(difference.ci95_low):
        return text
    if (n := difference.get("n", FEWEST)) < FEWEST:
        return f"{text} {no_interval(n)}"
    return f"{text} [{format_number(difference.ci95_low, column)}, {format_number(difference.ci95_high, column)}]"


def signed_summary(difference: Summary, column: str) -> str:
    """The same of a summary; nothing where there are no pairs."""
    return signed_interval(pd.Series(difference.columns()), column) if difference.n else NOTHING


def compared_column(runs: pd.DataFrame) -> str:
    """The column that arms are compared by: accuracy on the largest test set, which is named last."""
    return f"{reported_test_sets(runs)[-1]}_accuracy_percent"


def trained_apart(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """How many pairs by seed were trained on different kinds of machine: such pairs share settings and little else."""
    devices = one.set_index("seed").device.to_frame("one").join(other.set_index("seed").device.rename("other"), how="inner")
    return int((devices.one != devices.other).sum())


def listed(items: list[str]) -> str:
    """Items in words: "1, 2 and 10"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def p_value(value: float) -> str:
    """A p value as tables show it."""
    return "-" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_told(value: float) -> str:
    """A p value in a sentence."""
    return f"p {'' if value < 0.001 else '= '}{p_value(value)}"
