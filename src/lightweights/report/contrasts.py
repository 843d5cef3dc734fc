"""The contrasts that an experiment's settings name, compared seed by seed: words for the primary ones, corrected over their family."""

import math

import pandas as pd

from lightweights.report.comparisons import DIFFERS, EQUIVALENT, LEVEL, OPEN, SMALLEST_N, compared_column
from lightweights.report.results import Results
from lightweights.report.statistics import bootstrap, holm, improvement, paired_difference, tost
from lightweights.settings.experiment import Contrasts, Experiment
from lightweights.study.collect import SHORT_NAMES

WORDS_OF_CONTRASTS = (
    "Differences are paired by seed: mean [95 % t interval]. Words are of the primary contrasts alone, which the settings name. "
    "*differs*: p of the paired t test below 0.05 after Holm's correction over the family of all primary contrasts; *equivalent*: two "
    f"one-sided tests place it within the margin, corrected likewise; *open*: neither, or fewer than {SMALLEST_N} pairs. Secondary "
    "contrasts have intervals and no words."
)
COLUMNS = ["kind", "first", "second", "quantity", "n", "mean", "sd_ddof1", "ci95_low", "ci95_high", "bootstrap_low", "bootstrap_high"]
COLUMNS += ["improvement", "p", "p_holm", "p_equivalence", "p_equivalence_holm", "word"]


def compare_contrasts(results: Results, experiment: str) -> pd.DataFrame:
    """One row a contrast and setting, primary ones first.

    Columns: those of what else is varied, then ``COLUMNS``; ``bootstrap_*``: interval of the mean difference; ``improvement``: probability
    that a run of the first lies above one of the second. The family that primary ones are corrected over is all that the settings ask for:
    those that have too few pairs yet count as p = 1.
    """
    asked = results.study.experiments.get(experiment)
    if asked is None or asked.contrasts is None:
        return pd.DataFrame(columns=COLUMNS)
    contrasts, runs = asked.contrasts, results.of(experiment)
    arm, *others = [_column(path) for path in (contrasts.of, *(path for path in asked.vary if path != contrasts.of))]
    value = f"{'last10_' if contrasts.value == 'last10' else ''}{compared_column(results.runs)}"
    parts = list(runs.groupby(others, sort=True)) if len(runs) and others else [((), runs)]
    rows = []
    for kind, pairs in (("primary", contrasts.primary), ("secondary", contrasts.secondary)):
        for first, second in pairs:
            for at, part in parts:
                one, other = (part[part[arm] == name].set_index("seed")[value] for name in (first, second))
                difference, p = paired_difference(one, other)
                if not difference.n:
                    continue
                low, high = bootstrap((one - other).dropna())
                rows.append(
                    dict(zip(others, at, strict=True))
                    | {"kind": kind, "first": first, "second": second, "quantity": value}
                    | difference.columns()
                    | {"bootstrap_low": low, "bootstrap_high": high, "improvement": improvement(one, other)}
                    | {"p": p, "p_equivalence": tost(difference, contrasts.margin)}
                )
    table = pd.DataFrame(rows, columns=[*others, *COLUMNS])
    return _with_words(table, contrasts, family_of(asked, contrasts))


def family_of(asked: Experiment, contrasts: Contrasts) -> int:
    """How many primary contrasts an experiment's settings ask for: they are corrected together."""
    return len(contrasts.primary) * math.prod(len(values) for path, values in asked.vary.items() if path != contrasts.of)


def _with_words(table: pd.DataFrame, contrasts: Contrasts, family: int) -> pd.DataFrame:
    tested = (table.kind == "primary") & (table.n >= SMALLEST_N)
    missing = [1.0] * max(0, family - int(tested.sum()))
    for name in ("p", "p_equivalence"):
        table[f"{name}_holm"] = math.nan
        table.loc[tested, f"{name}_holm"] = holm([*table.loc[tested, name], *missing])[: int(tested.sum())]
    table["word"] = ""
    table.loc[table.kind == "primary", "word"] = OPEN
    table.loc[tested & (table.p_equivalence_holm < LEVEL), "word"] = EQUIVALENT
    table.loc[tested & (table.p_holm < LEVEL), "word"] = DIFFERS
    return table


def _column(path: str) -> str:
    """The column of runs.csv that a setting stands in."""
    return SHORT_NAMES.get(path, path)
