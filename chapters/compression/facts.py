"""What the comparison with other methods found, as numbers."""

import math
from dataclasses import dataclass

import pandas as pd

from lightweights.report.comparisons import compared_column
from lightweights.report.results import Results
from lightweights.report.statistics import CONFIDENCE, Difference, Summary, holm, summarise, welch_difference

from . import EQUAL_DIMS, LONG, RATES
from .tables import METHODS

NEEDS = {
    "magnitude_pruning": "trains all 6690 numbers for half of its epochs before it keeps so many; which ones it keeps is not counted",
    "small_cnn": "needs the target network, trained first, for its teacher",
}
"""Methods that train more than what they are left with."""
NEEDS |= {f"long_{name}": text for name, text in NEEDS.items()}
EQUAL_NUMBERS = 0.05
"""Methods whose numbers of trained parameters differ by no more than this share are compared."""

LATE_EPOCHS = 50
"""Single epochs jitter, photons' most: beside the last one stands the mean over so many."""

ROOM = 4
"""Sizes in the table of the page."""


@dataclass(frozen=True)
class Reached:
    """What a method reaches with so many trained numbers, after so many epochs."""

    accuracy: Summary
    numbers: float
    epochs: int | None


def side_of(difference: Difference) -> str:
    """Where an interval lies: ``higher``, ``lower`` or ``open``."""
    return "higher" if difference.low > 0 else "lower" if difference.high < 0 else "open"


@dataclass(frozen=True)
class AtEqualNumbers:
    """A bond dimension of photonic Quantum-Train and, by method, the size of each that is nearest to it, photons among them."""

    bond_dim: int
    methods: dict[str, Reached]

    def minus_photons(self, name: str) -> Difference:
        """Another method minus photonic Quantum-Train, with Welch's interval."""
        return welch_difference(self.methods[name].accuracy, self.methods["quantum_train"].accuracy)

    def side(self, name: str) -> str:
        """Where the interval of another method's difference lies: ``higher``, ``lower`` or ``open``; nothing of fewer than three runs."""
        if min(self.methods[one].accuracy.n for one in (name, "quantum_train")) < 3:
            return ""
        return side_of(self.minus_photons(name))

    @property
    def others(self) -> dict[str, list[str]]:
        """Other methods by that."""
        names = [name for name in self.methods if name != "quantum_train"]
        return {side: [name for name in names if self.side(name) == side] for side in ("higher", "lower", "open")}


def reached(group: pd.DataFrame, column: str) -> Reached:
    """What the runs of a variant reach."""
    return Reached(summarise(group[column]), group.parameters_trained_used.mean(), _epochs(group))


@dataclass(frozen=True)
class Turned:
    """A method's difference to photons at a bond dimension that lies elsewhere in the mean of the last epochs: where, and itself then."""

    method: str
    bond_dim: int
    side: str
    difference: Difference


@dataclass(frozen=True)
class Facts:
    """The column that is compared, sizes with others of as many numbers, passes over the images of photons and of others."""

    column: str
    labels: dict[str, str]
    sizes: list[AtEqualNumbers]
    fullest: list[AtEqualNumbers]
    """The sizes that have most methods, as many as a page has room for."""
    rows: list[str]
    """Methods that these sizes have."""
    share: float
    always: list[str]
    """Methods that are higher, by the interval, at each of the several sizes that they were run at."""
    beside: dict[str, str]
    """What methods need besides the numbers that they are left with."""
    epochs: tuple[int, int] | None
    equal: list[AtEqualNumbers]
    """The same of methods that trained for as many epochs, at about as many numbers."""
    surviving: tuple[int, int]
    """How many of their differences survive Holm's correction over all of them, and how many there are."""
    ahead: list[str]
    """Methods that are higher, by the interval, at each size."""
    alone: list[tuple[str, int]]
    """Methods and bond dimensions whose single interval excludes 0 and that do not survive it."""
    phases: tuple[int, int] | None
    """Steps on the phases besides, and images of each."""
    turned: list[Turned]
    late_epochs: int
    lacking: list[str]
    """Methods that are still to be trained so long."""
    rates: dict[str, float]
    """Learning rates that images cut from training have chosen, in a study of that."""
    at_an_end: int
    """How many of them are the least or the largest that was tried."""


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    own = results.of(*METHODS)
    column = compared_column(results.runs)
    rates = chosen_rates(results)
    sizes, equal = at_equal_numbers(own, column), equal_training(results)
    corrected, by_dim = surviving(equal), {size.bond_dim: size for size in equal}
    told = {name: text for name, text in NEEDS.items() if any(name in size.methods for size in [*sizes, *equal])}
    fullest = sorted(sorted(sizes, key=lambda size: -len(size.methods))[:ROOM], key=lambda size: size.bond_dim)
    return Facts(
        column,
        METHODS | LONG,
        sizes,
        fullest,
        [name for name in METHODS if any(name in size.methods for size in fullest)],
        EQUAL_NUMBERS,
        always_higher(sizes),
        told,
        epochs_of(own),
        equal,
        (sum(corrected.values()), len(corrected)),
        always_higher(equal),
        [(name, dim) for (name, dim), survives in corrected.items() if not survives and by_dim[dim].side(name) != "open"],
        phase_steps(results.of("quantum_train")),
        turned(results, equal),
        LATE_EPOCHS,
        [name for name in LONG if equal and any(name not in size.methods for size in equal)],
        rates,
        sum(rate in (rates_tried(results, name).min(), rates_tried(results, name).max()) for name, rate in rates.items()),
    )


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
                near[str(group.experiment.iloc[0])] = reached(group, column)
        if len(near) > 1:
            found.append(AtEqualNumbers(int(own.bond_dim.iloc[0]), near))
    return found


def always_higher(sizes: list[AtEqualNumbers]) -> list[str]:
    """Methods that are higher than photonic Quantum-Train at each size that they were run at, of two and more."""
    sides = {name: [side for size in sizes if name in size.methods and (side := size.side(name))] for name in METHODS | LONG}
    return [name for name, found in sides.items() if len(found) > 1 and set(found) == {"higher"}]


def equal_training(results: Results) -> list[AtEqualNumbers]:
    """Ordinary methods that trained as long as the mapping, at the size nearest to each bond dimension that they were made for, photons
    first.
    """
    column = compared_column(results.runs)
    found = []
    for bond_dim in EQUAL_DIMS:
        own = results.of("quantum_train")
        own = own[own.bond_dim == bond_dim]
        if own.empty:
            continue
        count = own.parameters_trained_used.mean()
        methods = {"quantum_train": reached(own, column)}
        for name in LONG:
            groups = [group for _, group in results.of(name).groupby("variant")]
            if groups:
                group = min(groups, key=lambda part: abs(math.log(part.parameters_trained_used.mean() / count)))
                methods[name] = reached(group, column)
        if len(methods) > 1:
            found.append(AtEqualNumbers(bond_dim, methods))
    return found


def passes(history: pd.DataFrame, runs: pd.DataFrame) -> pd.Series:
    """Passes over the training images at each row of the history of runs, as :func:`_epochs` counts them."""
    return history["round"] * int(runs.mapping_epochs.iloc[0]) if runs.experiment.iloc[0] == "quantum_train" else history["epoch"]


def runs_at(results: Results, size: AtEqualNumbers) -> dict[str, pd.DataFrame]:
    """The runs of each method at a size of equal training."""
    own = results.of("quantum_train")
    runs = {"quantum_train": own[own.bond_dim == size.bond_dim]} | {name: results.of(name) for name in size.methods if name in LONG}
    return {name: of[of.parameters_trained_used == size.methods[name].numbers] for name, of in runs.items()}


def turned(results: Results, sizes: list[AtEqualNumbers]) -> list[Turned]:
    """Differences at equal training that lie elsewhere in the mean of the last epochs."""
    column, found = compared_column(results.runs), []
    for size in sizes:
        means = {name: late(results, runs, column) for name, runs in runs_at(results, size).items()}
        photons = means.pop("quantum_train")
        for name, mean in means.items():
            difference = welch_difference(mean, photons)
            if size.side(name) not in ("", side_of(difference)):
                found.append(Turned(name, size.bond_dim, side_of(difference), difference))
    return found


def late(results: Results, runs: pd.DataFrame, column: str) -> Summary:
    """Summary over runs of their means over the last epochs."""
    history = results.history(runs).dropna(subset=[column])
    done = passes(history, runs)
    return summarise(history[done > done.max() - LATE_EPOCHS].groupby("seed")[column].mean())


def surviving(sizes: list[AtEqualNumbers]) -> dict[tuple[str, int], bool]:
    """Whether the difference of each other method at each bond dimension survives Holm's correction over all of them."""
    p = {
        (name, size.bond_dim): size.minus_photons(name).p
        for size in sizes
        for name in size.methods
        if name != "quantum_train" and size.side(name)
    }
    return {key: bool(corrected < 1 - CONFIDENCE) for key, corrected in zip(p, holm(list(p.values())), strict=True)}


def phase_steps(runs: pd.DataFrame) -> tuple[int, int] | None:
    """Steps on the phases of one run, and images of each; None where that was not told."""
    told = runs.reindex(columns=["rounds", "schedule.phase_steps", "schedule.phase_batch_size"]).dropna()
    return None if told.empty else (int(told.iloc[0, 0] * told.iloc[0, 1]), int(told.iloc[0, 2]))


def rates_tried(results: Results, name: str) -> pd.Series:
    """The learning rates among which that of a method was chosen."""
    return results.of(name.replace("long_", "rate_"))["schedule.lr"]


def chosen_rates(results: Results) -> dict[str, float]:
    """The learning rate of each method with the highest mean accuracy over both sizes and all tuning seeds, on images cut from training."""
    chosen = {}
    for name in RATES:
        runs = results.of(name)
        if len(runs):
            by_rate = runs.groupby("schedule.lr")["test_accuracy_percent"].mean()
            chosen[name.replace("rate_", "long_")] = float(by_rate.idxmax())
    return chosen


def _epochs(group: pd.DataFrame) -> int | None:
    """Passes over the images: of the network's own weights, or of photonic Quantum-Train's mapping."""
    first = group.iloc[0]
    own = first.epochs if not pd.isna(first.epochs) else first.rounds * first.mapping_epochs
    return None if pd.isna(own) else int(own)


def epochs_of(runs: pd.DataFrame) -> tuple[int, int] | None:
    """Most passes over the training images of photonic Quantum-Train's mapping and of the others, which are not equal. A method may have
    fewer: MerLin's network has 3.
    """
    rounds = (runs.rounds * runs.mapping_epochs).max()
    if pd.isna(rounds) or runs.epochs.isna().all():
        return None
    return int(rounds), int(runs.epochs.max())


def unequal_epochs(runs: pd.DataFrame) -> str:
    """The same in words; nothing where it cannot be said."""
    epochs = epochs_of(runs)
    return "" if epochs is None else f" (epochs: photonic QT {epochs[0]}, others at most {epochs[1]})"
