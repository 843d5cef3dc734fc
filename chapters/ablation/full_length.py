"""The arms after as many rounds as published, beside the photons of Table 3: secondary, so told with intervals and without words."""

from dataclasses import dataclass

import pandas as pd

from lightweights.report.comparisons import compared_column, p_value, signed_summary
from lightweights.report.measures import set_name
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, summarise
from lightweights.report.table import Table, summary_cell

from . import FULL_LENGTH
from .arms import ARM_LABELS, arm_label, in_order

PHOTONIC = "quantum_train"
"""The experiment whose photons were trained as long."""


@dataclass(frozen=True)
class FullLength:
    """Trained photons minus an arm at a bond dimension, paired by seed, means of the last 10 rounds; p of a paired t test, uncorrected."""

    arm: str
    bond_dim: int
    rounds: int
    own: Summary
    photons: Summary
    difference: Summary
    p: float

    @property
    def worse(self) -> bool:
        """Whether the whole interval of photons minus the arm lies below 0."""
        return self.difference.high < 0


def full_length(results: Results) -> list[FullLength]:
    """Each arm that was trained as long as Table 3, in the order of the arms; without pairs where its photons were not."""
    column, arms = f"last10_{compared_column(results.runs)}", results.of(FULL_LENGTH)
    photonic = results.of(PHOTONIC)
    found = []
    for arm in in_order(arms.arm):
        for (bond_dim, rounds), own in arms[arms.arm == arm].groupby(["bond_dim", "rounds"]):
            photons = photonic[(photonic.bond_dim == bond_dim) & (photonic["rounds"] == rounds)]
            each = summarise(own[column]), summarise(photons[column])
            found.append(FullLength(arm, int(bond_dim), int(rounds), *each, *paired_by_seed(photons, own, column)))
    return found


def full_length_table(results: Results) -> Table | None:
    """Accuracy of each arm and of the photons, and the difference; None without such runs."""
    rows, column = full_length(results), compared_column(results.runs)
    if not rows:
        return None
    data = [
        {"bond_dim": row.bond_dim, "rounds": row.rounds, "arm": row.arm, "quantity": f"last10_{column}", "p": row.p}
        | row.own.columns("arm_") | row.photons.columns("photons_") | row.difference.columns()
        for row in rows
    ]  # fmt: skip
    cells = [
        {
            "Arm": arm_label(row.arm),
            "Bond\ndimension": str(row.bond_dim),
            "n": str(row.difference.n),
            "Arm (%)": summary_cell(row.own, column),
            f"{ARM_LABELS['photonic'].capitalize()} (%)": summary_cell(row.photons, column),
            "Photons minus arm\n(points)": signed_summary(row.difference, column),
            "p": p_value(row.p),
        }
        for row in rows
    ]
    caption = (
        f"Arms after all {rows[0].rounds} rounds beside the photons of Table 3: mean of the last 10 rounds on {set_name(column)}, mean ± "
        "sd (ddof = 1) over n seeds; differences are paired by seed, in brackets the 95 % t interval. Secondary by the analysis plan: p is "
        "that of single tests, and no words are given."
    )
    return Table("full_length", caption, pd.DataFrame(data), pd.DataFrame(cells))
