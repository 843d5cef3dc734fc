"""What photonic Quantum-Train found, as numbers."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lightweights.report.comparisons import compared_column
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed

from .tables import protocol_runs


@dataclass(frozen=True)
class Protocols:
    """Gradients minus COBYLA after so many epochs on the mapping, by epochs, and how many times as long COBYLA took."""

    differences: dict[int, Summary]
    slower: float


@dataclass(frozen=True)
class Facts:
    """The column that is compared, rows of the scorecard on test accuracy by bond dimension, counts of verdicts, and the protocols."""

    column: str
    headline: list[Any]
    verdicts: dict[str, int]
    protocols: Protocols | None


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    scores = results.scores[results.scores.method == "photonic_qt"]
    own = scores[(scores.quantity == "test_accuracy_percent") & (scores.n > 0)]
    counts = results.scores[results.scores.chapter == "quantum_train"].verdict.value_counts()
    column = compared_column(results.runs)
    return Facts(column, list(own.itertuples()), counts.to_dict(), compare_protocols(results.runs, column))


def compare_protocols(runs: pd.DataFrame, column: str) -> Protocols | None:
    """What it does to train the phases by gradients, which the publication does not; None without runs of both."""
    runs = protocol_runs(runs)
    differences, seconds = {}, {"gradient": 0.0, "cobyla": 0.0}
    for epochs, part in runs.groupby(runs.rounds * runs.mapping_epochs, sort=False):
        arms = {protocol: group for protocol, group in part.groupby("protocol")}
        alone = all(len(group[["experiment", "variant"]].drop_duplicates()) == 1 for group in arms.values())
        if set(arms) == set(seconds) and alone:
            differences[int(epochs)] = paired_by_seed(arms["gradient"], arms["cobyla"], column)[0]
            seconds = {protocol: total + arms[protocol].wall_seconds.mean() for protocol, total in seconds.items()}
    return Protocols(differences, seconds["cobyla"] / seconds["gradient"]) if differences else None
