"""What the chapter found, as numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .score import distance, distance_by_chance

CURVES = "hamiltoniq_curves"


@dataclass(frozen=True)
class Cell:
    """One instance, number of layers and optimiser, noiseless: attempts of all seeds; the distance of their accuracies from the published
    curve, and which distance chance exceeds once in twenty; H-score over seeds, that of the starts, and energies asked for.
    """

    qubits: int
    layers: int
    optimiser: str
    attempts: int
    distance: float
    chance: float
    score: Summary
    idle: Summary
    energies: float

    @property
    def far(self) -> bool:
        """Whether the published curve is rejected."""
        return self.distance > self.chance

    def columns(self) -> dict[str, object]:
        """As a row of a table of data."""
        named = {name: getattr(self, name) for name in ("qubits", "layers", "optimiser", "attempts", "distance", "chance", "energies")}
        return named | self.score.columns("h_") | self.idle.columns("start_h_")


@dataclass(frozen=True)
class Facts:
    """All cells; by optimiser how many published curves are rejected, of how many, and the mean H; scores of starts; noise by kind, size
    and score.
    """

    cells: list[Cell]
    rejected: dict[str, tuple[int, int]]
    score: dict[str, Summary]
    idle: Summary
    readout: list[tuple[float, Summary]]
    layers: list[tuple[float, Summary]]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    found = cells_of(results)
    by_optimiser = {name: [cell for cell in found if cell.optimiser == name] for name in dict.fromkeys(cell.optimiser for cell in found)}
    return Facts(
        found,
        {name: (sum(cell.far for cell in own), len(own)) for name, own in by_optimiser.items()},
        {name: summarise([cell.score.mean for cell in own]) for name, own in by_optimiser.items()},
        summarise([cell.idle.mean for cell in found]),
        _noise(results.of("hamiltoniq_readout"), "benchmark.readout_error"),
        _noise(results.of("hamiltoniq_layers"), "benchmark.layer_error"),
    )


def cells_of(results: Results) -> list[Cell]:
    """The cells that were run, from the histories of their attempts."""
    own = results.of(CURVES)
    if own.empty:
        return []
    return [
        _cell(int(qubits), int(layers), str(optimiser), part, attempts_of(results, part))
        for (qubits, layers, optimiser), part in own.groupby(["benchmark.qubits", "benchmark.layers", "benchmark.optimiser"])
    ]


def attempts_of(results: Results, runs: pd.DataFrame) -> np.ndarray:
    """Accuracies of all attempts of some runs."""
    return results.history(runs)["attempt_found"].to_numpy(dtype=float)


def _cell(qubits: int, layers: int, optimiser: str, runs: pd.DataFrame, accuracies: np.ndarray) -> Cell:
    return Cell(
        qubits,
        layers,
        optimiser,
        len(accuracies),
        distance(accuracies, qubits, layers),
        distance_by_chance(len(accuracies)),
        summarise(runs["h_score"]),
        summarise(runs["idle_h_score"]),
        float(runs["energies_asked"].mean()),
    )


def _noise(runs: pd.DataFrame, path: str) -> list[tuple[float, Summary]]:
    return [] if runs.empty else [(float(error), summarise(part["h_score"])) for error, part in runs.groupby(path)]
