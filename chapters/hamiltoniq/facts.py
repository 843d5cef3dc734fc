"""What the chapter found, as numbers."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .score import LEVEL, distance, distance_by_chance, published_curves

CURVES = "hamiltoniq_curves"


@dataclass(frozen=True)
class Cell:
    """One instance, number of layers and optimiser, noiseless: attempts of all seeds; the distance of their accuracies from the published
    curve; which distance chance exceeds once in twenty, and once in twenty over all cells together (Bonferroni); H-score over seeds, that
    of the starts, and energies asked for.
    """

    qubits: int
    layers: int
    optimiser: str
    attempts: int
    distance: float
    chance: float
    chance_of_all: float
    score: Summary
    idle: Summary
    energies: float

    @property
    def far(self) -> bool:
        """Whether the published curve is rejected in a single test."""
        return self.distance > self.chance

    @property
    def rejected(self) -> bool:
        """Whether it is rejected in the family of all cells' tests."""
        return self.distance > self.chance_of_all

    def columns(self) -> dict[str, object]:
        """As a row of a table of data."""
        named = {
            name: getattr(self, name)
            for name in ("qubits", "layers", "optimiser", "attempts", "distance", "chance", "chance_of_all", "energies")
        }
        return named | self.score.columns("h_") | self.idle.columns("start_h_")


@dataclass(frozen=True)
class Facts:
    """All cells; by optimiser how many published curves are rejected over all tests together and in single ones, of how many, and the mean
    H; the H by SciPy's minus that by Powell's where both were run, paired by curve, over all curves and by number of layers; scores of
    starts, one a kind of cell; noise by kind, size and score, and the noiseless cell of the same instance; at how many points distances
    are taken.
    """

    cells: list[Cell]
    rejected: dict[str, tuple[int, int, int]]
    score: dict[str, Summary]
    shift: Summary
    by_layers: dict[int, Summary]
    idle: Summary
    idle_ends: tuple[float, float]
    readout: list[tuple[float, Summary]]
    layers: list[tuple[float, Summary]]
    noiseless: Cell | None
    points: int


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    found = cells_of(results)
    by_optimiser = {name: [cell for cell in found if cell.optimiser == name] for name in dict.fromkeys(cell.optimiser for cell in found)}
    by_kind = {name: {(cell.qubits, cell.layers): cell for cell in own} for name, own in by_optimiser.items()}
    kinds = list(dict.fromkeys((cell.qubits, cell.layers) for cell in found))
    both = [kind for kind in kinds if len(by_kind) == 2 and all(kind in own for own in by_kind.values())]
    shifts = {kind: by_kind["scipy"][kind].score.mean - by_kind["powell"][kind].score.mean for kind in both}
    layered = sorted({layers for _, layers in both})
    starts = [next(own[kind] for own in by_kind.values() if kind in own).idle.mean for kind in kinds]
    return Facts(
        found,
        {name: (sum(cell.rejected for cell in own), sum(cell.far for cell in own), len(own)) for name, own in by_optimiser.items()},
        {name: summarise([cell.score.mean for cell in own]) for name, own in by_optimiser.items()},
        summarise(list(shifts.values())),
        {layers: summarise([shift for (_, own), shift in shifts.items() if own == layers]) for layers in layered},
        summarise(starts),
        (min(starts), max(starts)) if starts else (math.nan, math.nan),
        _noise(results.of("hamiltoniq_readout"), "benchmark.readout_error"),
        _noise(results.of("hamiltoniq_layers"), "benchmark.layer_error"),
        noiseless_of(results, found),
        len(published_curves()["x"]),
    )


def noiseless_of(results: Results, cells: list[Cell]) -> Cell | None:
    """The noiseless cell of the instance and optimiser that noise was tried on; None without either."""
    noisy = results.of("hamiltoniq_readout", "hamiltoniq_layers")
    names = ["benchmark.qubits", "benchmark.layers", "benchmark.optimiser"]
    if noisy.empty or len(noisy[names].drop_duplicates()) > 1:
        return None
    qubits, layers, optimiser = noisy[names].iloc[0]
    alike = (cell for cell in cells if (cell.qubits, cell.layers, cell.optimiser) == (int(qubits), int(layers), str(optimiser)))
    return next(alike, None)


def cells_of(results: Results) -> list[Cell]:
    """The cells that were run, from the histories of their attempts."""
    own = results.of(CURVES)
    if own.empty:
        return []
    parts = list(own.groupby(["benchmark.qubits", "benchmark.layers", "benchmark.optimiser"]))
    return [
        _cell(int(qubits), int(layers), str(optimiser), part, attempts_of(results, part), len(parts))
        for (qubits, layers, optimiser), part in parts
    ]


def attempts_of(results: Results, runs: pd.DataFrame) -> np.ndarray:
    """Accuracies of all attempts of some runs."""
    return results.history(runs)["attempt_found"].to_numpy(dtype=float)


def _cell(qubits: int, layers: int, optimiser: str, runs: pd.DataFrame, accuracies: np.ndarray, tests: int) -> Cell:
    return Cell(
        qubits,
        layers,
        optimiser,
        len(accuracies),
        distance(accuracies, qubits, layers),
        distance_by_chance(len(accuracies)),
        distance_by_chance(len(accuracies), level=LEVEL / tests),
        summarise(runs["h_score"]),
        summarise(runs["idle_h_score"]),
        float(runs["energies_asked"].mean()),
    )


def _noise(runs: pd.DataFrame, path: str) -> list[tuple[float, Summary]]:
    return [] if runs.empty else [(float(error), summarise(part["h_score"])) for error, part in runs.groupby(path)]
