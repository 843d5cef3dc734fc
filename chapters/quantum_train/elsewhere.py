"""The same runs on other machines: what a seed fixes there, and what it does not."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lightweights.report.comparisons import compared_column
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .tables import PUBLISHED_DATASET

EXPERIMENT, ROUNDS = "quantum_train", 200
"""What was run elsewhere."""
RUNS = Path(__file__).with_name("elsewhere.csv")
"""Runs of Table 3 on processors, each by its bond dimension and seed, with the machine and commit that gave it."""


@dataclass(frozen=True)
class Elsewhere:
    """Pairs of a run here and the run of the same settings and seed elsewhere, at one bond dimension: the difference, its root mean square,
    and that of two runs here with different seeds.
    """

    bond_dim: int
    difference: Summary
    root_mean_square: float
    other_seeds: float

    @property
    def ratio(self) -> float:
        """0 where a seed fixes the result on all machines; 1 where it fixes nothing."""
        return self.root_mean_square / self.other_seeds


def elsewhere(results: Results) -> list[Elsewhere]:
    """By bond dimension; nothing where the runs of Table 3 are not here, or come from the same machines."""
    own, column = results.of(EXPERIMENT), compared_column(results.runs)
    own = own[(own.dataset == PUBLISHED_DATASET) & (own["rounds"] == ROUNDS)]
    there = pd.read_csv(RUNS)
    if own.empty or column not in there:
        return []
    pairs = own.merge(there, on=["bond_dim", "seed"], suffixes=("", "_elsewhere"))
    pairs = pairs[pairs.device.str.removeprefix("cpu: ") != pairs.machine]
    found = []
    for bond_dim, part in pairs.groupby("bond_dim"):
        difference = part[column] - part[f"{column}_elsewhere"]
        spread = own[own.bond_dim == bond_dim][column].std()
        found.append(
            Elsewhere(int(bond_dim), summarise(difference), math.sqrt((difference**2).mean()), math.sqrt(2) * spread)  # of two runs
        )
    return found
