"""Arms that the plan names secondary, beside photons of other experiments: told with intervals and without words."""

from dataclasses import dataclass

import pandas as pd

from lightweights.report.comparisons import compared_column, p_value, signed_summary
from lightweights.report.measures import set_name
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, summarise
from lightweights.report.table import Table, summary_cell

from . import CONFIRMATION, FULL_LENGTH, LIGHT_USED
from .arms import ARM_LABELS, arm_label, in_order

PHOTONS = {FULL_LENGTH: "quantum_train", LIGHT_USED: CONFIRMATION}
"""By experiment of secondary arms, the one whose photons have the same seeds, bond dimensions and rounds."""


@dataclass(frozen=True)
class Secondary:
    """Trained photons minus an arm at a bond dimension, paired by seed, means of the last 10 rounds; p of a paired t test, uncorrected."""

    experiment: str
    arm: str
    bond_dim: int
    rounds: int
    numbers: int
    """That the arm trains, and effective ones of the arm and of photons."""
    effective: tuple[list[int], list[int]]
    own: Summary
    photons: Summary
    difference: Summary
    p: float

    @property
    def worse(self) -> bool:
        """Whether the whole interval of photons minus the arm lies below 0."""
        return self.difference.high < 0


def secondary(results: Results) -> list[Secondary]:
    """Each secondary arm, in the order of the arms; without pairs where photons were not trained as long."""
    column = f"last10_{compared_column(results.runs)}"
    found = []
    for experiment, beside in PHOTONS.items():
        arms, photonic = results.of(experiment), results.of(beside)
        for arm in in_order(arms.arm):
            for (bond_dim, rounds), own in arms[arms.arm == arm].groupby(["bond_dim", "rounds"]):
                same = (photonic.arm.fillna("photonic") == "photonic") & (photonic.bond_dim == bond_dim) & (photonic["rounds"] == rounds)
                photons = photonic[same]
                counted = [[int(n) for n in part.parameters_trained_effective] for part in (own, photons)]
                numbers, each = int(own.parameters_trained_used.iloc[0]), (summarise(own[column]), summarise(photons[column]))
                apart = paired_by_seed(photons, own, column)
                found.append(Secondary(experiment, arm, int(bond_dim), int(rounds), numbers, (counted[0], counted[1]), *each, *apart))
    return found


def secondary_table(results: Results) -> Table | None:
    """Accuracy of each arm and of the photons, and the difference; None without such runs."""
    rows, column = secondary(results), compared_column(results.runs)
    if not rows:
        return None
    data = [
        {"bond_dim": row.bond_dim, "rounds": row.rounds, "arm": row.arm, "quantity": f"last10_{column}", "p": row.p}
        | {"parameters_trained_used": row.numbers}
        | row.own.columns("arm_") | row.photons.columns("photons_") | row.difference.columns()
        for row in rows
    ]  # fmt: skip
    cells = [
        {
            "Arm": arm_label(row.arm),
            "Numbers": str(row.numbers),
            "Bond\ndimension": str(row.bond_dim),
            "Rounds": str(row.rounds),
            "n": str(row.difference.n),
            "Arm (%)": summary_cell(row.own, column),
            f"{ARM_LABELS['photonic'].capitalize()} (%)": summary_cell(row.photons, column),
            "Photons minus arm\n(points)": signed_summary(row.difference, column),
            "p": p_value(row.p),
        }
        for row in rows
    ]
    caption = (
        f"Arms that the analysis plan names secondary, beside photons of the same seeds and rounds: mean of the last 10 rounds on "
        f"{set_name(column)}, mean ± sd (ddof = 1) over n seeds; differences are paired by seed, in brackets the 95 % t interval. p is "
        "that of single tests, and no words are given."
    )
    return Table("secondary", caption, pd.DataFrame(data), pd.DataFrame(cells))
