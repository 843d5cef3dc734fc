"""Score curves and H-scores (arXiv 2404.13971), and the distance of accuracies from a published curve.

A score curve F is the distribution function of the accuracies that a noiseless simulator reaches; the H-score of a device is twice the mean
of F over the device's accuracies, 1 for the noiseless simulator itself and at most 2.
"""

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightweights.errors import LightweightsError

Reals = NDArray[np.float64]

LEVEL = 0.05
CURVES = Path(__file__).with_name("score_curves.csv")
"""Of the 201 published points of each curve (10,000 runs behind each) 37, closer where most curves rise."""


@cache
def published_curves() -> dict[str, Reals]:
    """Columns of score_curves.csv: ``x`` and the curves by ``q<qubits>p<layers>``."""
    with CURVES.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def published_curve(qubits: int, layers: int) -> tuple[Reals, Reals]:
    """Accuracies and the published share of runs below each."""
    curves = published_curves()
    name = f"q{qubits}p{layers}"
    if name not in curves:
        there = ", ".join(list(curves)[1:])
        raise LightweightsError(f"benchmark.qubits = {qubits}, benchmark.layers = {layers}: {CURVES.name} has {there}")
    return curves["x"], curves[name]


def h_score(accuracies: Reals, qubits: int, layers: int) -> float:
    """Twice the mean of the published curve at the accuracies (runs,)."""
    return float(2 * np.interp(accuracies, *published_curve(qubits, layers)).mean())


def distance(accuracies: Reals, qubits: int, layers: int) -> float:
    """Largest distance of the accuracies' distribution function from the published curve, at the points of the latter that are
    here: a lower bound of the Kolmogorov-Smirnov distance.
    """
    points, curve = published_curve(qubits, layers)
    below = np.searchsorted(np.sort(accuracies), points) / len(accuracies)
    return float(np.abs(below - curve).max())


def distance_by_chance(runs: int, published: int = 10_000, level: float = LEVEL) -> float:
    """The distance that two samples of the same distribution exceed with probability ``level`` (Smirnov's asymptotic law)."""
    return math.sqrt(-math.log(level / 2) / 2 * (1 / runs + 1 / published))
