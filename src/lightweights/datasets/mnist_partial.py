"""The challenge's reduced MNIST: 6000 training and 600 validation images, all from MNIST's training images.

The First Perceval Quest (Quandela/HybridAIQuantum-Challenge) hands it out as two csv files, ``train.csv`` and ``val.csv``, which
the published notebooks train on. Here it is kept as the position of each of their rows in MNIST's training set, in their order:
``mnist_partial_train.txt`` and ``mnist_partial_val.txt`` beside this module. Both are the first 6600 entries of torch's
``randperm(60000)`` under seed 3315690889, cut after 6000. :func:`challenge_csv` writes the csv files back, byte for byte.
"""

import hashlib
from importlib import resources

import numpy as np

from lightweights.datasets.dataset import DataError, Split

POSITIONS_SHA256 = {
    "train": "52922382ce08548343c1f02c05d9044e636e1a55a234b60d4c7ba7976ce26b4f",
    "val": "89ebf35bb2f932636e23f2a5fb47fe4adc92ee1806f460b3c01570d1cb6f61a3",
}


def positions(part: str) -> np.ndarray:
    """Positions in MNIST's training set of the rows of the challenge's ``train`` or ``val`` file: int64 (6000,) or (600,).

    Raises:
        DataError: the list in the installed package is damaged.
    """
    name = f"mnist_partial_{part}.txt"
    try:
        text = resources.files("lightweights.datasets").joinpath(name).read_bytes()
    except OSError as error:
        raise DataError(f"{name}: missing from the installed package ({error.strerror}); install lightweights anew") from None
    found = hashlib.sha256(text).hexdigest()
    if found != POSITIONS_SHA256[part]:
        raise DataError(f"{name}: expected SHA-256 {POSITIONS_SHA256[part]}, found {found}; install lightweights anew")
    return np.array(text.split(), dtype=np.int64)


def challenge_csv(split: Split) -> bytes:
    """A split as the challenge's csv file: columns image and label, the image a quoted list of pixel / 255 in float32.

    For mnist-partial's ``train`` this is the challenge's ``train.csv``, for ``test600`` its ``val.csv``.
    """
    texts = [str(value) for value in np.arange(256, dtype=np.float32) / np.float32(255)]
    rows = (
        f'"[{", ".join([texts[pixel] for pixel in image])}]",{label}\n'
        for image, label in zip(split.images.flatten(1).tolist(), split.labels.tolist(), strict=True)
    )
    return ("image,label\n" + "".join(rows)).encode()
