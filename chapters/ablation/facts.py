"""Is it the photons? What the arms found, as numbers."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lightweights.report.comparisons import DIFFERS, EQUIVALENT, MARGIN, OPEN, SMALLEST_N, STATISTICS, compared_column, trained_apart
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, summarise

from . import CONFIRMATION, FULL_LENGTH, LIGHT_USED
from .arms import ARM_LABELS, COLLAPSED, REFERENCES, arm_runs, compare_arms, differences_asked
from .confirmation import Confirmed, confirmed
from .generalisation import Capacity, capacity
from .secondary import Secondary, secondary

NEARLY_AS_MANY = 1.25
"""Times as many numbers as another trains, within which two are set beside each other."""
RANDOM = ("paper-random", "gaussian-resampled", "gaussian-fixed", "dirichlet-fixed")
"""Arms whose P is random."""
BESIDE_RANDOM = ("paper-random", "gaussian-resampled", "gaussian-fixed", "gaussian-matched", "dirichlet-fixed", "mps-only", "photonic")


@dataclass(frozen=True)
class Against:
    """Photons minus a reference: rows of differences after the last round, and by the mean of the last ten."""

    label: str
    rows: list[Any]
    last10: list[Any]

    def dims(self, word: str, better: bool | None = None) -> list[int]:
        """Bond dimensions at which the comparison has a word, and photons do better or worse if asked."""
        return [row.bond_dim for row in self.rows if row.word == word and better in (None, row.mean > 0)]

    def by_last_round(self) -> list[int]:
        """Bond dimensions at which photons do better by the last round and not by the mean of the last ten."""
        return [row.bond_dim for row, word in self.changed if row.word == DIFFERS and row.mean > 0 and word != DIFFERS]

    @property
    def changed(self) -> list[tuple[Any, str]]:
        """Rows whose word hangs on the last round, with the word by the mean of the last ten."""
        return [(row, mean.word) for row, mean in zip(self.rows, self.last10, strict=True) if row.word != mean.word]


@dataclass(frozen=True)
class Budget:
    """Photons minus the larger matrix product state alone that trains most nearly as many numbers as both together, after the last round
    and in the mean of the last ten; numbers of both as used and effective, and how many pairs were trained on different kinds of machine.
    """

    bond_dim: int
    numbers: float
    effective: float
    larger: int
    larger_numbers: float
    larger_effective: float
    difference: Summary
    late: Summary
    apart: int


@dataclass(frozen=True)
class Facts:
    """What the arms found; what was not run is empty or None."""

    column: str
    labels: dict[str, str]
    words: tuple[str, str, str]
    margin: float
    smallest_n: int
    statistics: str
    seeds: list[int]
    asked: int
    landed: int
    against: dict[str, Against]
    own: list[Any]
    distinguishable: list[Any]
    distinguishable_last10: list[Any]
    frozen: Against
    counts: dict[int, dict[str, tuple[float, list[int]]]]
    budget: list[Budget]
    random: list[tuple[str, int, Summary]]
    collapse: tuple[Summary, list[int], dict[str, Summary]] | None
    confirmed: Confirmed | None
    awaited: bool
    """Whether the question is to be asked again on fresh seeds that have not landed."""
    full_length: list[Secondary]
    light_used: list[Secondary]
    capacity: Capacity | None
    independent: list[str]

    @property
    def effective(self) -> tuple[int, dict[str, list[int]]] | None:
        """Effective numbers of the compared arms, at the smallest bond dimension where they are not the same."""
        wanted = {"photonic", *REFERENCES}
        there = {dim: {arm: own[1] for arm, own in arms.items()} for dim, arms in sorted(self.counts.items()) if wanted <= set(arms)}
        return next(((dim, arms) for dim, arms in there.items() if len({n for own in arms.values() for n in own}) > 1), None)

    @property
    def more(self) -> bool:
        """Whether free vectors have more effective numbers than the photons that they replace."""
        return self.effective is not None and min(self.effective[1]["product-free"]) > max(self.effective[1]["photonic"])

    @property
    def fewer(self) -> bool:
        """Whether photons that do not interfere have fewer effective numbers than those that do, wherever both were run."""
        both = [arms for arms in self.counts.values() if {"photonic", "distinguishable"} <= set(arms)]
        return bool(both) and all(max(arms["distinguishable"][1]) < min(arms["photonic"][1]) for arms in both)

    @property
    def not_before(self) -> list[int]:
        """Bond dimensions at which fresh seeds show photons to do better than distinguishable ones, and these do not by the same mean."""
        shown = self.confirmed.beaten("distinguishable") if self.confirmed and self.confirmed.last10 else []
        return [row.bond_dim for row in self.distinguishable_last10 if row.bond_dim in shown and row.ci95_low <= 0]

    @property
    def more_alone(self) -> bool:
        """Whether photons are nowhere shown to do better than a larger matrix product state alone of about as many numbers."""
        return bool(self.budget) and all(own.difference.n > 2 and own.difference.low <= 0 for own in self.budget)

    @property
    def clear(self) -> dict[str, list[int]]:
        """Bond dimensions at which the interval of photons minus distinguishable ones lies wholly on one side of 0."""
        rows = [row for row in self.distinguishable if row.n >= SMALLEST_N]
        return {"above": [r.bond_dim for r in rows if r.ci95_low > 0], "below": [r.bond_dim for r in rows if r.ci95_high < 0]}


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    runs, column, named = results.runs, compared_column(results.runs), arm_runs(results.runs)
    asked = max(differences_asked(results.study, reference) for reference in REFERENCES)
    landed = min(int(compare_arms(runs, reference).p_holm.notna().sum()) for reference in REFERENCES)
    against = {
        name: Against(ARM_LABELS[name], _of("photonic", runs, name), _of("photonic", runs, name, last10=True)) for name in REFERENCES
    }
    beside = secondary(results)
    return Facts(
        column=column,
        labels=ARM_LABELS,
        own=[row for row in compare_arms(runs, REFERENCES[0]).itertuples() if row.arm not in ARM_LABELS],
        words=(DIFFERS, EQUIVALENT, OPEN),
        margin=MARGIN,
        smallest_n=SMALLEST_N,
        statistics=STATISTICS,
        seeds=[int(n) for n in named[named.arm == "photonic"].groupby("setting").size()],
        asked=asked,
        landed=landed,
        against=against,
        distinguishable=_of("photonic", runs, "distinguishable"),
        distinguishable_last10=_of("photonic", runs, "distinguishable", last10=True),
        frozen=Against(ARM_LABELS["mps-only"], *(_frozen(runs, last10) for last10 in (False, True))),
        counts=counts_of_arms(named),
        budget=at_equal_budget(named, column),
        random=random_inputs(named, column),
        collapse=collapse(named, column),
        confirmed=(again := confirmed(results)),
        awaited=again is None and CONFIRMATION in results.study.experiments,
        full_length=[row for row in beside if row.experiment == FULL_LENGTH],
        light_used=[row for row in beside if row.experiment == LIGHT_USED],
        capacity=capacity(results),
        independent=[row.independent for row in results.scores.itertuples() if row.chapter == "ablation" and row.independent and row.n],
    )


def _of(arm: str, runs: pd.DataFrame, reference: str, last10: bool = False) -> list[Any]:
    table = compare_arms(runs, reference, last10)
    return list(table[table.arm == arm].itertuples())


def _frozen(runs: pd.DataFrame, last10: bool) -> list[Any]:
    return [row for row in _of("photonic-frozen", runs, "mps-only", last10) if row.n >= SMALLEST_N]


def counts_of_arms(named: pd.DataFrame) -> dict[int, dict[str, tuple[float, list[int]]]]:
    """Numbers that the compared arms train, as used and effective, by bond dimension and arm."""
    arms = ("photonic", *REFERENCES, "distinguishable")
    named = named[named.arm.isin(arms) & named.setting.isin(named.setting[named.arm.isin(REFERENCES)])]
    found: dict[int, dict[str, tuple[float, list[int]]]] = {}
    for bond_dim, group in named.groupby("bond_dim"):
        own = {arm: part for arm in arms if len(part := group[group.arm == arm])}
        found[int(bond_dim)] = {
            arm: (float(part.parameters_trained_used.iloc[0]), [int(n) for n in part.parameters_trained_effective])
            for arm, part in own.items()
        }
    return found


def at_equal_budget(named: pd.DataFrame, column: str) -> list[Budget]:
    """Photons bring numbers of their own: against the larger matrix product state alone that trains most nearly as many in all, where one
    trains at most a quarter more or fewer.
    """
    found = []
    alone = [group for _, group in named[named.arm == "mps-only"].groupby("setting")]
    for _, own in named[named.setting.isin(named.setting[named.arm == "mps-only"]) & (named.arm == "photonic")].groupby("setting"):
        first = own.iloc[0]
        larger = [group for group in alone if group.rounds.iloc[0] == first.rounds and group.bond_dim.iloc[0] > first.bond_dim]
        apart = [abs(math.log(group.parameters_trained_used.iloc[0] / first.parameters_trained_used)) for group in larger]
        if min(apart, default=math.inf) < math.log(NEARLY_AS_MANY):
            group = larger[apart.index(min(apart))]
            sizes = [
                (int(part.bond_dim.iloc[0]), float(part.parameters_trained_used.iloc[0]), float(part.parameters_trained_effective.mean()))
                for part in (own, group)
            ]
            differences = [paired_by_seed(own, group, name)[0] for name in (column, f"last10_{column}")]
            found.append(Budget(*sizes[0], *sizes[1], *differences, trained_apart(own, group)))
    return found


def random_inputs(named: pd.DataFrame, column: str) -> list[tuple[str, int, Summary]]:
    """Label, bond dimension and accuracy of the random arms, and of those beside them under the same settings."""
    named = named[named.setting.isin(named.setting[named.arm.isin(RANDOM)])]
    return [
        (ARM_LABELS[arm], int(bond_dim), summarise(part[column]))
        for arm in BESIDE_RANDOM
        for bond_dim, part in named[named.arm == arm].groupby("bond_dim")
    ]


def collapse(named: pd.DataFrame, column: str) -> tuple[Summary, list[int], dict[str, Summary]] | None:
    """Accuracy with the paper's random inputs, its bond dimensions, and that of random arms that do not collapse; None where not so."""
    of = {arm: summarise(named[named.arm == arm][column]) for arm in ("paper-random", "gaussian-resampled", "gaussian-fixed")}
    paper = of.pop("paper-random")
    alive = {arm: own for arm, own in of.items() if own.n and own.mean > 2 * COLLAPSED}
    if not (paper.n and paper.mean < COLLAPSED and alive):
        return None
    return paper, sorted({int(dim) for dim in named[named.arm == "paper-random"].bond_dim}), alive
