"""The handwritten digits inside scikit-learn (Alpaydin and Kaynak 1998): no download, 1797 images of 8 x 8 pixels, 17 grey levels.

They are brought to MNIST's 28 x 28 pixels and 256 levels by bilinear interpolation between pixel centres, edge pixels repeated
outwards (what ``torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`` computes). The interpolation weights are
multiples of 1/14, so all is done in integers and rounds the same on every machine.
"""

import hashlib

import numpy as np

from lightweights.datasets.dataset import DataError, Dataset, split_of

SMALL, LARGE, LEVELS = 8, 28, 16

DIGITS_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
"""SHA-256 of the 8 x 8 images and then the labels, all as bytes."""


def load_digits(test_fraction: float, split_seed: int) -> Dataset:
    """The digits, split at random into training and test images with every class in proportion.

    Args:
        test_fraction: share of the images held out for testing.
        split_seed: seed of scikit-learn's ``train_test_split``, which also sets the order of the images.

    Raises:
        DataError: scikit-learn's copy is not the published one.
    """
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    source = datasets.load_digits()
    small, labels = source.images.astype(np.uint8), source.target.astype(np.uint8)
    found = hashlib.sha256(small.tobytes() + labels.tobytes()).hexdigest()
    if found != DIGITS_SHA256:
        raise DataError(f"scikit-learn's digits: expected SHA-256 {DIGITS_SHA256}, found {found}; install scikit-learn anew")
    images = enlarge(small)[:, None]
    train, test = train_test_split(np.arange(len(labels)), test_size=test_fraction, random_state=split_seed, stratify=labels)
    return Dataset("digits", 10, split_of(images[train], labels[train]), {"test": split_of(images[test], labels[test])})


def enlarge(images: np.ndarray) -> np.ndarray:
    """Images uint8 (n, 8, 8) of levels 0 to 16 to uint8 (n, 28, 28) of levels 0 to 255, halves rounded up."""
    weights = interpolation_weights()
    total = 14  # the sum of each row of weights
    numerator = 255 * (weights @ images.astype(np.int64) @ weights.T)
    denominator = LEVELS * total**2
    return ((2 * numerator + denominator) // (2 * denominator)).astype(np.uint8)


def interpolation_weights() -> np.ndarray:
    """Weights in fourteenths, int64 (28, 8): pixel i lies at (i + 1/2) 8/28 - 1/2 = (4 i - 5)/14 on the small grid."""
    weights = np.zeros((LARGE, SMALL), np.int64)
    for i in range(LARGE):
        below, beyond = divmod(4 * i - 5, 14)
        weights[i, max(below, 0)] += 14 - beyond
        weights[i, min(below + 1, SMALL - 1)] += beyond
    return weights
