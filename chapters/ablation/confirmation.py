"""The question asked again on fresh seeds: primary contrasts with words, fixed in the settings before any of the runs."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lightweights.report.comparisons import DIFFERS, p_value, signed_interval, trained_apart
from lightweights.report.contrasts import WORDS_OF_CONTRASTS, compare_contrasts, family_of
from lightweights.report.measures import set_name
from lightweights.report.results import Results
from lightweights.report.statistics import span
from lightweights.report.table import Table

from . import CONFIRMATION
from .arms import arm_label

MATCHED = "distinguishable-matched"


@dataclass(frozen=True)
class Confirmed:
    """What the confirmation found: rows of its primary contrasts by what photons are compared with, the secondary ones with distinguishable
    photons of matched spread, how many primary ones are asked for, and its seeds.
    """

    primary: dict[str, list[Any]]
    matched: list[Any]
    family: int
    seeds: str
    margin: float
    rounds: str
    last10: bool
    """Whether means of the last ten rounds are compared."""
    apart: dict[tuple[str, int], int]
    """How many pairs of each primary contrast were trained on different kinds of machine."""

    @property
    def missing(self) -> int:
        """How many primary contrasts have not landed."""
        return self.family - sum(map(len, self.primary.values()))

    def dims(self, arm: str, word: str, better: bool | None = None) -> list[int]:
        """Bond dimensions at which the contrast with an arm has a word, and photons do better or worse if asked."""
        return [row.bond_dim for row in self.primary.get(arm, []) if row.word == word and better in (None, row.mean > 0)]

    def beaten(self, arm: str) -> list[int]:
        """Bond dimensions at which photons are shown to do better."""
        return self.dims(arm, DIFFERS, True)


def confirmed(results: Results) -> Confirmed | None:
    """What the confirmation found; None without runs of it."""
    table = compare_contrasts(results, CONFIRMATION)
    primary = table[table.kind == "primary"]
    if primary.empty:
        return None
    asked = results.study.experiments[CONFIRMATION]
    contrasts = asked.contrasts
    assert contrasts is not None
    by_arm = {str(arm): list(part.sort_values("bond_dim").itertuples()) for arm, part in primary.groupby("second", sort=False)}
    matched = table[(table["first"] == "photonic") & (table.second == MATCHED)].sort_values("bond_dim")
    rounds = span(int(n) for n in results.of(CONFIRMATION)["rounds"].unique())
    told = (span(int(n) for n in primary.n), contrasts.margin, rounds, contrasts.value == "last10")
    runs = {key: part for key, part in results.of(CONFIRMATION).groupby(["arm", "bond_dim"])}
    pairs = {
        (arm, row.bond_dim): trained_apart(runs[row.first, row.bond_dim], runs[arm, row.bond_dim])
        for arm, rows in by_arm.items()
        for row in rows
    }
    return Confirmed(by_arm, list(matched.itertuples()), family_of(asked, contrasts), *told, pairs)


def confirmation_table(results: Results) -> Table | None:
    """Every contrast at every bond dimension, with both intervals and both corrected p; None without runs."""
    table = compare_contrasts(results, CONFIRMATION)
    if table.empty:
        return None
    cells = [
        {
            "Contrast": f"{arm_label(row.first)} minus {arm_label(row.second)}",
            "Kind": row.kind,
            "Bond\ndimension": str(row.bond_dim),
            "n": str(row.n),
            "Difference (points)\n[95 % t interval]": signed_interval(pd.Series(row._asdict()), row.quantity),
            "Bootstrap": f"[{row.bootstrap_low:.2f}, {row.bootstrap_high:.2f}]",
            "Probability of\nimprovement": f"{row.improvement:.2f}",
            "p (Holm)": p_value(row.p_holm),
            "p of equivalence\n(Holm)": p_value(row.p_equivalence_holm),
            "Word": row.word or "-",
        }
        for row in table.itertuples()
    ]
    value = table.quantity.iloc[0]
    mean = "mean of the last 10 rounds on " if value.startswith("last10_") else ""
    caption = (
        f"Confirmation on fresh seeds: {mean}{set_name(value.removeprefix('last10_'))}. {WORDS_OF_CONTRASTS} Bootstrap: "
        "percentile interval of the mean difference. Probability of improvement: that a run of the first lies above one of the second, "
        "whatever their seeds."
    )
    return Table("confirmation", caption, table, pd.DataFrame(cells))
