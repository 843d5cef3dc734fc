"""From images to angles as cuTN-QSVM prepares them: standardised, projected on n principal components, each scaled to [-1, 1].

The published code takes smallest and largest value of a feature over training and test images together, which lets the test images into
the preparation; both ways are here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from lightweights.errors import LightweightsError

TESTED = 0.2
"""The share of images that is tested on."""
Reals = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """Two classes, cut into training and test images: pixels (a, d) and (b, d), labels 0 and 1."""

    train: Reals
    train_labels: Labels
    test: Reals
    test_labels: Labels


def split_pair(
    images: NDArray[np.uint8], labels: Labels, classes: tuple[int, int], most: int, rng: np.random.Generator, test_fraction: float = TESTED
) -> Pair:
    """The first ``most`` images of the two classes, cut at random. images (n, ...), labels (n,)."""
    rows = np.flatnonzero(np.isin(labels, classes))[:most]
    pixels = images[rows].reshape(len(rows), -1).astype(np.float64)
    second = (labels[rows] == classes[1]).astype(np.int64)
    order = rng.permutation(len(rows))
    tested = round(test_fraction * len(rows))
    test, train = order[:tested], order[tested:]
    for part, chosen in (("training", train), ("test", test)):
        if set(second[chosen]) != {0, 1}:
            raise LightweightsError(f"pair.classes = {list(classes)}: no {part} image of one of them among {len(rows)}; take more images")
    return Pair(pixels[train], second[train], pixels[test], second[test])


def angles(pair: Pair, qubits: int, *, leaking: bool) -> tuple[Reals, Reals]:
    """One angle a qubit: (a, qubits) of the training images and (b, qubits) of the test images.

    ``leaking``: scale by the range over training and test images, as published; else by that of the training images.
    """
    most = min(pair.train.shape)
    if qubits > most:
        count, pixels = pair.train.shape
        raise LightweightsError(f"pair.qubits = {qubits}: {count} training images of {pixels} pixels have {most} components")
    standard = StandardScaler().fit(pair.train)
    components = PCA(qubits, svd_solver="full").fit(standard.transform(pair.train))
    train, test = (components.transform(standard.transform(part)) for part in (pair.train, pair.test))
    scaler = MinMaxScaler((-1, 1)).fit(np.concatenate([train, test]) if leaking else train)
    return scaler.transform(train), scaler.transform(test)
