"""What photonic Quantum-Train found, as numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import pandas as pd

from lightweights.report.comparisons import compared_column, trained_apart
from lightweights.report.results import Results
from lightweights.report.scorecard import judge_column, sign_tests
from lightweights.report.statistics import Difference, Summary, paired_by_seed, welch_difference
from lightweights.report.verdicts import NONE_WOULD, NOT_RUN, OPEN, REPRODUCED, is_wide

from .elsewhere import Elsewhere, elsewhere
from .tables import OF_POWELL, POWELLS, protocol_runs

TARGET = "classical_target"
KINDS = {
    "test_accuracy_percent": "accuracies",
    "train_accuracy_percent": "accuracies",
    "generalisation_error": "generalisation errors",
}
OTHERS = "losses at a tenth of the numbers"


@dataclass(frozen=True)
class Powells:
    """Powell's COBYLA after so many epochs on the mapping: gradients minus it in accuracy and in training loss, at the end and in the mean
    of the last ten rounds, and it minus SciPy's in both, with the p values of the two; how many pairs of gradients and it were trained on
    different kinds of machine.
    """

    epochs: int
    gradients: Summary
    gradients_loss: Summary
    late: Summary
    late_loss: Summary
    accuracy: Summary
    p_accuracy: float
    loss: Summary
    p_loss: float
    apart: int


@dataclass(frozen=True)
class Protocols:
    """Gradients minus SciPy's COBYLA after so many epochs on the mapping, by epochs; seconds of both, least and most, in pairs of runs on
    machines of one kind, whose load may differ, and how many pairs; and how Powell's COBYLA compares.
    """

    differences: dict[int, Summary]
    seconds: dict[str, tuple[float, float]]
    pairs: int
    powells: list[Powells]


@dataclass(frozen=True)
class Optimised:
    """Test accuracy by the publication's own optimiser at full length, on its images, and that minus the published one."""

    bond_dim: int
    ours: Summary
    apart: Difference


@dataclass(frozen=True)
class Facts:
    """The column that is compared, rows of the scorecard on test accuracy by bond dimension, counts of verdicts, the protocols; reproduced
    ones that are wide, open ones that no number of our seeds could settle, sign tests, rows put right, and rows beside which others stand.
    """

    column: str
    headline: list[Any]
    verdicts: dict[str, int]
    protocols: Protocols | None
    wide: int
    off: int
    """Reproduced rows within the tolerance although the interval of the difference excludes 0."""
    hopeless: int
    signs: list[Any]
    optimiser: list[Optimised]
    put_right: list[Any]
    independent: list[Any]
    photonic: tuple[int, int]
    """How many numbers of photonic Quantum-Train itself are reproduced, and judged."""
    of_target: tuple[int, int]
    """The same of the target network, trained directly."""
    by_quantity: dict[str, tuple[int, int]]
    """How many numbers of photonic Quantum-Train are reproduced, and judged, by what they are of."""
    otherwise: list[Any]
    """Rows that are neither reproduced nor open."""
    elsewhere: list[Elsewhere]
    machines: list[str]
    """Where the runs of Table 3 here were made."""

    @property
    def fixed(self) -> list[int]:
        """Bond dimensions at which the same seed on another machine gives less than half of the difference of another seed."""
        return [row.bond_dim for row in self.elsewhere if row.ratio < 0.5]

    @property
    def ratios(self) -> tuple[float, float, float]:
        """Least, largest and median of what pairs on two machines differ by, in differences of other seeds."""
        found = [row.ratio for row in self.elsewhere]
        return min(found), max(found), median(found)

    @property
    def unshifted(self) -> int:
        """How many of the intervals of the difference between machines contain 0."""
        return sum(row.difference.low <= 0 <= row.difference.high for row in self.elsewhere)


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    scores = results.scores[results.scores.method == "photonic_qt"]
    own = scores[(scores.quantity == "test_accuracy_percent") & (scores.n > 0)]
    mine = results.scores[results.scores.chapter == "quantum_train"]
    rows, column = list(mine.itertuples()), compared_column(results.runs)
    judged = [row for row in rows if row.verdict != NOT_RUN]
    groups: dict[str, list[Any]] = {}
    for row in judged:
        if row.method != TARGET:
            groups.setdefault(KINDS.get(row.quantity, OTHERS), []).append(row)
    return Facts(
        column=column,
        headline=list(own.itertuples()),
        verdicts=mine.verdict.value_counts().to_dict(),
        protocols=compare_protocols(results.runs, column),
        wide=sum(is_wide(row) for row in rows),
        off=sum(row.verdict == REPRODUCED and (row.difference_low > 0 or row.difference_high < 0) for row in rows),
        hopeless=sum(row.verdict == OPEN and row.settles.startswith(NONE_WOULD) for row in rows),
        signs=list(sign_tests(mine).itertuples()),
        optimiser=by_published_optimiser(results),
        put_right=[row for row in rows if row.put_right and row.n],
        independent=[row for row in rows if row.n and not pd.isna(row.independent_mean)],
        elsewhere=elsewhere(results),
        machines=sorted(set(results.of("quantum_train").device.dropna().str.removeprefix("cpu: "))),
        photonic=_reproduced(row for row in judged if row.method != TARGET),
        of_target=_reproduced(row for row in judged if row.method == TARGET),
        by_quantity={name: _reproduced(rows) for name, rows in groups.items()},
        otherwise=[row for row in judged if row.verdict not in (REPRODUCED, OPEN)],
    )


def _reproduced(rows: Iterable[Any]) -> tuple[int, int]:
    verdicts = [row.verdict for row in rows]
    return verdicts.count(REPRODUCED), len(verdicts)


def by_published_optimiser(results: Results) -> list[Optimised]:
    """Powell's COBYLA at full length beside published accuracies, which are judged by gradients; of three runs and more."""
    found = []
    for claim in results.claims:
        if (claim.method, claim.quantity) == ("photonic_qt", "test_accuracy_percent") and claim.summary is not None:
            ours = judge_column(replace(claim, experiment=OF_POWELL[-1]), results).ours
            if ours.n > 2:
                found.append(Optimised(int(claim.at("bond_dim")), ours, welch_difference(ours, claim.summary)))  # type: ignore[arg-type]
    return found


def compare_protocols(runs: pd.DataFrame, column: str) -> Protocols | None:
    """What it does to train the phases by gradients, which the publication does not; None without runs of both."""
    runs = protocol_runs(runs)
    differences, alike, powells = {}, list[pd.DataFrame](), list[Powells]()
    for epochs, part in runs.groupby(runs.rounds * runs.mapping_epochs, sort=False):
        arms = {protocol: group for protocol, group in part.groupby("protocol")}
        alone = all(len(group[["experiment", "variant"]].drop_duplicates()) == 1 for group in arms.values())
        if alone and {POWELLS, "cobyla", "gradient"} <= set(arms):
            both = (column, "train_cross_entropy")
            found = [paired_by_seed(arms[POWELLS], arms["cobyla"], name) for name in both]
            names = (*both, *(f"last10_{name}" for name in both))
            ahead = [paired_by_seed(arms["gradient"], arms[POWELLS], name)[0] for name in names]
            powells.append(Powells(int(epochs), *ahead, *found[0], *found[1], trained_apart(arms["gradient"], arms[POWELLS])))
        if alone and {"gradient", "cobyla"} <= set(arms):
            differences[int(epochs)] = paired_by_seed(arms["gradient"], arms["cobyla"], column)[0]
            seconds = {name: arms[name].set_index(["seed", "device"]).wall_seconds for name in ("gradient", "cobyla")}
            alike.append(pd.DataFrame(seconds).dropna())
    both = pd.concat(alike) if alike else pd.DataFrame()
    ends = {name: (float(both[name].min()), float(both[name].max())) for name in both}
    return Protocols(differences, ends, len(both), powells) if len(both) else None
