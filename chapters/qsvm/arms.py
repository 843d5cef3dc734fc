"""The kernels that are compared, each with a support vector machine behind it, and what is measured of each.

A tuned arm chooses its bandwidth (the angles are multiplied by it) and the machine's cost by cross-validation on the training images alone:
twelve candidates for each kernel, so that none is searched harder than another. Shaydulin and Wild, Phys. Rev. A 106, 042407 (2022), found
the bandwidth to decide whether a quantum kernel learns at all.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from .features import Labels, Pair, Reals, angles
from .kernels import Kernel, chain_kernel, gram, linear_kernel, product_kernel, rbf_kernel

Candidate = tuple[float, float]
"""Bandwidth, cost."""

FOLDS = 5
GRID: tuple[Candidate, ...] = tuple((2.0**-k, cost) for k in range(6) for cost in (1.0, 10.0))
COSTS: tuple[Candidate, ...] = tuple((1.0, 10.0 ** (k / 2)) for k in range(-8, 4))
"""A linear kernel has no bandwidth: twelve costs from 1e-4 to 10^1.5."""


@dataclass(frozen=True)
class Arm:
    """A kernel, the candidates among which it is tuned (none: bandwidth and cost 1) and how its angles are scaled."""

    kernel: Kernel
    words: str
    candidates: tuple[Candidate, ...] = ()
    leaking: bool = False
    scaled_by_variance: bool = False


ARMS: dict[str, Arm] = {
    "chain": Arm(chain_kernel, "quantum kernel, as published but scaled on training images"),
    "chain_leaking": Arm(chain_kernel, "quantum kernel, scaled on training and test images as published", leaking=True),
    "chain_tuned": Arm(chain_kernel, "quantum kernel, bandwidth tuned", GRID),
    "product": Arm(product_kernel, "the same without CX"),
    "product_tuned": Arm(product_kernel, "the same without CX, bandwidth tuned", GRID),
    "rbf": Arm(rbf_kernel, "Gaussian kernel, default width", scaled_by_variance=True),
    "rbf_leaking": Arm(rbf_kernel, "Gaussian kernel, default width, scaled as published", leaking=True, scaled_by_variance=True),
    "rbf_tuned": Arm(rbf_kernel, "Gaussian kernel, bandwidth tuned", GRID),
    "linear_tuned": Arm(linear_kernel, "linear kernel, cost tuned", COSTS),
}


QUANTUM = ("chain", "chain_leaking", "chain_tuned", "product")
"""Arms whose concentration is reported."""


@dataclass(frozen=True)
class Outcome:
    """Of one arm: accuracies on training and test images, what was chosen, processor seconds of one kernel of the training images,
    and how its entries off the diagonal lie.
    """

    trained_percent: float
    tested_percent: float
    bandwidth: float
    cost: float
    kernel_seconds: float
    off_diagonal_mean: float
    off_diagonal_variance: float


def measure(arm: Arm, pair: Pair, qubits: int, seed: int) -> Outcome:
    """Tune where the arm is tuned, train on the training images, test on the others. ``seed`` shuffles the folds."""
    train, test = angles(pair, qubits, leaking=arm.leaking)
    bandwidth, cost = choose(arm, train, pair.train_labels, seed)
    if arm.scaled_by_variance:  # scikit-learn's default: gamma = 1 / (features x variance)
        bandwidth = 1 / np.sqrt(train.shape[1] * train.var())
    train, test = bandwidth * train, bandwidth * test
    started = time.process_time()
    entries = gram(arm.kernel, train)
    seconds = time.process_time() - started
    machine = SVC(C=cost, kernel="precomputed").fit(entries, pair.train_labels)
    others = entries[~np.eye(len(entries), dtype=bool)]
    return Outcome(
        trained_percent=100 * float(machine.score(entries, pair.train_labels)),
        tested_percent=100 * float(machine.score(arm.kernel(test, train), pair.test_labels)),
        bandwidth=float(bandwidth),
        cost=cost,
        kernel_seconds=seconds,
        off_diagonal_mean=float(others.mean()),
        off_diagonal_variance=float(others.var()),
    )


def choose(arm: Arm, train: Reals, labels: Labels, seed: int) -> Candidate:
    """The candidate with the best mean accuracy over the folds, the first of equal ones."""
    if not arm.candidates:
        return 1.0, 1.0
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(train, labels))
    grams: dict[float, NDArray[np.float64]] = {}
    best, chosen = -1.0, arm.candidates[0]
    for bandwidth, cost in arm.candidates:
        if bandwidth not in grams:
            grams[bandwidth] = gram(arm.kernel, bandwidth * train)
        accuracy = float(np.mean([_accuracy(grams[bandwidth], labels, *fold, cost) for fold in folds]))
        if accuracy > best:
            best, chosen = accuracy, (bandwidth, cost)
    return chosen


def _accuracy(entries: Reals, labels: Labels, kept: NDArray[np.int64], held: NDArray[np.int64], cost: float) -> float:
    machine = SVC(C=cost, kernel="precomputed").fit(entries[np.ix_(kept, kept)], labels[kept])
    return float(machine.score(entries[np.ix_(held, kept)], labels[held]))
