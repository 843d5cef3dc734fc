"""A data set to choose settings by: images cut from training stand in the test set's place, so that no test image is looked at."""

import numpy as np

from lightweights.datasets.dataset import DataError, Dataset, Split
from lightweights.datasets.loading import load
from lightweights.settings.dataset import DatasetSection


def held_out(name: str = "mnist-partial", images: int = 1000, seed: int = 0) -> Dataset:
    """Images cut from training, chosen by the seed, as ``test``; the rest of training, in its order, is trained on.

    Raises:
        DataError: so many images cannot be cut, or the data set has none.
    """
    whole = load(DatasetSection(name=name))
    if not isinstance(whole, Dataset) or not 0 < images < len(whole.train):
        raise DataError(f"held_out: {images} images of {name} cannot be cut from {len(whole.train)} to train on")
    cut = np.zeros(len(whole.train), dtype=bool)
    cut[np.random.default_rng(seed).permutation(len(cut))[:images]] = True
    train, test = (Split(whole.train.images[rows], whole.train.labels[rows]) for rows in (~cut, cut))
    return Dataset(f"{name}-held-out", whole.classes, train, {"test": test})
