"""From a study's settings to its data set."""

import numpy as np

from lightweights.datasets import fetch
from lightweights.datasets.catalogue import FASHION_MNIST, MNIST, IdxFiles, RawFile
from lightweights.datasets.cifar10 import load_cifar10
from lightweights.datasets.dataset import Data, Dataset, Split, split_of
from lightweights.datasets.digits import load_digits
from lightweights.datasets.formats import gunzip, read_idx_images, read_idx_labels
from lightweights.datasets.mnist_partial import positions
from lightweights.datasets.own import load_own, own_shape
from lightweights.settings.data_sets import DATA_SETS
from lightweights.settings.dataset import DatasetSection


def shape_of(settings: DatasetSection) -> tuple[tuple[int, ...], int]:
    """Shape of one case's input, (channels, height, width) of an image, and the outputs that a model gives for it, one a class; only a data
    set of the user's own is loaded for it. Raises DataError.
    """
    known = DATA_SETS.get(settings.name)
    return (known.shape, known.classes) if known else own_shape(settings)


def load(settings: DatasetSection) -> Data:
    """Fetch, verify and read the data set that the settings name.

    Its tests are ``test600`` (the challenge's validation images) and ``test10k`` (MNIST's test images) for mnist-partial, and
    ``test`` for the others; one of the user's own names them itself.

    Raises:
        DataError: a file is missing and cannot be fetched, or is not the published one; or what an imported factory gives is no data set.
    """
    match settings.name:
        case "none":
            return nothing()
        case "digits":
            return load_digits(settings.test_fraction, settings.split_seed)
        case "mnist-partial":
            return _mnist_partial()
        case "mnist":
            return Dataset("mnist", 10, *_idx_splits(MNIST))
        case "fashion-mnist":
            return Dataset("fashion-mnist", 10, *_idx_splits(FASHION_MNIST))
        case "cifar-10":
            return load_cifar10()
        case _:
            return load_own(settings)


def nothing() -> Dataset:
    """What runs have that need no data: one black image of one pixel, to train on and to test on."""
    train, test = (split_of(np.zeros((1, 1, 1, 1), np.uint8), np.zeros(1, np.int64)) for _ in range(2))
    return Dataset("none", 1, train, {"test": test})


def _mnist_partial() -> Dataset:
    pool, tests = _idx_splits(MNIST)
    train, val = (Split(pool.images[rows], pool.labels[rows]) for rows in (positions("train"), positions("val")))
    return Dataset("mnist-partial", 10, train, {"test600": val, "test10k": tests["test"]})


def _idx_splits(files: IdxFiles) -> tuple[Split, dict[str, Split]]:
    needs = ", ".join(file.path for file in (files.train_images, files.train_labels, files.test_images, files.test_labels))
    train = _idx_split(files.train_images, files.train_labels, 60_000, needs)
    return train, {"test": _idx_split(files.test_images, files.test_labels, 10_000, needs)}


def _idx_split(images: RawFile, labels: RawFile, count: int, needs: str) -> Split:
    pixels = gunzip(fetch.read(images, needs), 16 + count * 28 * 28, images.path)
    classes = gunzip(fetch.read(labels, needs), 8 + count, labels.path)
    return split_of(read_idx_images(pixels, count, 28, 28, images.path), read_idx_labels(classes, count, 10, labels.path))
