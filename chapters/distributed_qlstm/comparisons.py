"""Differences of R2 under the fair protocol, paired by seed, and the words of the analysis plan."""

import math
from collections.abc import Sequence

import pandas as pd

from lightweights.report.comparisons import with_words
from lightweights.report.measures import NOTHING
from lightweights.report.statistics import paired_by_seed, tost

from . import TASKS
from .arms import CONTRASTS, SECONDARY, VALUE, Arm

MARGIN = 0.01
"""Of R2, within which two forecasters count as equivalent."""


def differences(runs: pd.DataFrame) -> pd.DataFrame:
    """The plan's contrasts on every series, a row each that has pairs: Holm's correction runs over all of them."""
    table = paired(runs, CONTRASTS)
    return with_words(table) if len(table) else table.assign(p_holm=[], word=[])


def secondary(runs: pd.DataFrame) -> pd.DataFrame:
    """Contrasts that the plan does not name, with intervals alone."""
    return paired(runs, SECONDARY).assign(p_holm=math.nan, word=NOTHING)


def paired(runs: pd.DataFrame, contrasts: Sequence[tuple[Arm, Arm]]) -> pd.DataFrame:
    """One forecaster minus another on every series that has pairs, a row each, series by series: with intervals and p, without words."""
    rows = []
    for task, words in TASKS.items():
        for first, second in contrasts:
            one, other = first.of(runs, task), second.of(runs, task)
            if one.empty or other.empty:
                continue
            found, p = paired_by_seed(one, other, VALUE)
            if found.n:
                row = {"task": words, "arm": first.label, "minus": second.label, "quantity": VALUE, **found.columns(), "p": p}
                rows.append(row | {"p_equivalence": tost(found, MARGIN)})
    columns = ["task", "arm", "minus", "quantity", "n", "mean", "sd_ddof1", "ci95_low", "ci95_high", "p", "p_equivalence"]
    return pd.DataFrame(rows, columns=columns)
