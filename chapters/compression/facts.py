"""What the comparison with other methods found, as numbers."""

from dataclasses import dataclass

import pandas as pd

from lightweights.report.comparisons import compared_column
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .tables import METHODS

EQUAL_NUMBERS = 0.05
"""Methods whose numbers of trained parameters differ by no more than this share are compared."""


@dataclass(frozen=True)
class Reached:
    """What a method reaches with so many trained numbers."""

    accuracy: Summary
    numbers: float


@dataclass(frozen=True)
class AtEqualNumbers:
    """A bond dimension of photonic Quantum-Train and, by method, the size of each that is nearest to it, photons among them."""

    bond_dim: int
    methods: dict[str, Reached]

    @property
    def above(self) -> list[str]:
        """Other methods with a higher mean."""
        photons = self.methods["quantum_train"].accuracy.mean
        return [name for name, reached in self.methods.items() if name != "quantum_train" and reached.accuracy.mean > photons]


@dataclass(frozen=True)
class Facts:
    """The column that is compared, sizes with others of as many numbers, passes over the images of photons and of others."""

    column: str
    labels: dict[str, str]
    sizes: list[AtEqualNumbers]
    share: float
    epochs: tuple[int, int] | None


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    own = results.of(*METHODS)
    column = compared_column(results.runs)
    sizes = at_equal_numbers(own, column)
    there = {name for size in sizes for name in size.methods}
    return Facts(column, {name: label for name, label in METHODS.items() if name in there}, sizes, EQUAL_NUMBERS, epochs_of(own))


def at_equal_numbers(runs: pd.DataFrame, column: str) -> list[AtEqualNumbers]:
    """Photonic Quantum-Train beside the size of every other method that is nearest to it, for each bond dimension that has such."""
    groups = [group for _, group in runs[runs.experiment.isin(METHODS)].groupby(["experiment", "variant"], sort=False)]
    found = []
    for own in [group for group in groups if group.experiment.iloc[0] == "quantum_train"]:
        count = own.parameters_trained_used.mean()
        near: dict[str, Reached] = {}
        for group in sorted(groups, key=lambda part: -abs(part.parameters_trained_used.mean() - count)):
            numbers = group.parameters_trained_used.mean()
            if abs(numbers - count) <= EQUAL_NUMBERS * count:
                near[str(group.experiment.iloc[0])] = Reached(summarise(group[column]), numbers)
        if len(near) > 1:
            found.append(AtEqualNumbers(int(own.bond_dim.iloc[0]), near))
    return found


def epochs_of(runs: pd.DataFrame) -> tuple[int, int] | None:
    """Most passes over the training images of photonic Quantum-Train's mapping and of the others, which are not equal."""
    rounds = (runs.rounds * runs.mapping_epochs).max()
    if pd.isna(rounds) or runs.epochs.isna().all():
        return None
    return int(rounds), int(runs.epochs.max())


def unequal_epochs(runs: pd.DataFrame) -> str:
    """The same in words; nothing where it cannot be said."""
    epochs = epochs_of(runs)
    return "" if epochs is None else f" (epochs: photonic QT {epochs[0]}, others {epochs[1]})"
