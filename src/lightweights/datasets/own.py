"""Data sets of one's own: from arrays, from a CSV or NPZ file, or from any importable function that returns a :class:`Dataset`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lightweights.datasets.dataset import DataError, Dataset, Split, check_form, digest, split_of
from lightweights.datasets.series import SeriesDataset
from lightweights.imported import imported
from lightweights.params import DatasetSection

Arrays = tuple[Any, Any]
"""Images (n, height, width) or (n, channels, height, width) of whole numbers from 0 to 255, and their n labels."""


def load_own(settings: DatasetSection) -> Dataset | SeriesDataset:
    """The data set that the factory named by the settings gives. Raises DataError where it fails or gives something else, SettingsError
    where there is no such factory.
    """
    return _loaded(settings.model_dump_json())


@cache  # several runs are checked against the same data
def _loaded(settings_json: str) -> Dataset | SeriesDataset:
    settings = DatasetSection.model_validate_json(settings_json)
    where = f"dataset.name = {settings.name!r} with arguments {settings.arguments or {}}"
    factory = imported("dataset.name", settings.name)
    try:
        dataset = factory(**(settings.arguments or {}))
    except Exception as error:  # whatever a user's factory makes of these arguments
        raise DataError(f"{where}: {error}") from error
    if not isinstance(dataset, Dataset | SeriesDataset):
        raise DataError(f"{where} gave {type(dataset).__name__}; expected a Dataset, for example that of from_arrays")
    if isinstance(dataset, Dataset):
        check_form(dataset)
    found = digest(dataset)
    if settings.sha256 not in (None, found):
        raise DataError(
            f"{where}: its data has SHA-256 {found}, dataset.sha256 is {settings.sha256}; bring the old data back, or set dataset.sha256 "
            "to the new one to train anew"
        )
    return dataset


def from_arrays(name: str, train: Arrays, tests: Mapping[str, Arrays]) -> Dataset:
    """A data set from arrays (NumPy's or whatever it converts) of images and labels. Classes are 0 to the largest label of ``train``.

    Raises:
        DataError: pixels that are no whole numbers from 0 to 255, images of different shapes, labels of no training image.
    """
    if not tests:
        raise DataError(f"data set {name}: no test images; hold some out")
    classes = int(np.max(np.asarray(train[1]), initial=-1)) + 1
    splits = {part: _split(f"data set {name}, {part}", arrays, classes) for part, arrays in {"train": train, **tests}.items()}
    shapes = {part: tuple(split.images.shape[1:]) for part, split in splits.items()}
    if len(set(shapes.values())) > 1:
        raise DataError(f"data set {name}: images have different shapes: {shapes}")
    return Dataset(name, classes, splits.pop("train"), splits)


def _split(where: str, arrays: Arrays, classes: int) -> Split:
    images, labels = (np.asarray(array) for array in arrays)
    images = images[:, None] if images.ndim == 3 else images
    if images.ndim != 4 or labels.shape != images.shape[:1] or not len(labels):
        raise DataError(
            f"{where}: images of shape {images.shape} and labels of shape {labels.shape}; expected (n, height, width) or "
            "(n, channels, height, width) and (n,)"
        )
    for what, values, highest in (("pixels", images, 255), ("labels", labels, classes - 1)):
        if values.dtype.kind not in "uifb" or not np.all((values >= 0) & (values <= highest) & (values == np.floor(values))):
            raise DataError(f"{where}: {what} are not all whole numbers from 0 to {highest}; scale, round or number them so")
    return split_of(images.astype(np.uint8), labels.astype(np.int64))


def csv(
    file: str,
    height: int,
    width: int,
    channels: int = 1,
    label: str = "label",
    test_file: str = "",
    test_fraction: float = 0.25,
    split_seed: int = 0,
) -> Dataset:
    """Images in a CSV file with a header: one image a row, its class in the column ``label``, in all others its pixels from 0 to 255, row
    by row, channel by channel. Test images come from ``test_file``, or are held out, every class in proportion. Raises DataError.
    """
    train = _rows(Path(file), (channels, height, width), label)
    if test_file:
        return from_arrays(Path(file).stem, train, {"test": _rows(Path(test_file), (channels, height, width), label)})
    return _held_out(Path(file).stem, train, test_fraction, split_seed)


def npz(file: str, test_fraction: float = 0.25, split_seed: int = 0) -> Dataset:
    """Images in an NPZ file of the arrays ``images`` and ``labels``; tests are ``test_images`` and ``test_labels``, or are held out, every
    class in proportion. Raises DataError.
    """
    try:
        with np.load(file) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        train = found["images"], found["labels"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(f"{file}: cannot be read as an NPZ file with arrays images and labels ({error})") from None
    if "test_images" in found and "test_labels" in found:
        return from_arrays(Path(file).stem, train, {"test": (found["test_images"], found["test_labels"])})
    return _held_out(Path(file).stem, train, test_fraction, split_seed)


def _rows(path: Path, shape: tuple[int, int, int], label: str) -> Arrays:
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as a CSV file ({error})") from None
    if label not in table:
        raise DataError(f"{path}: no column {label!r}; the first columns are {', '.join(map(str, table.columns[:5]))}")
    pixels = table.drop(columns=label)
    if pixels.shape[1] != np.prod(shape):
        raise DataError(f"{path}: {pixels.shape[1]} columns besides {label!r}; images of {shape} have {np.prod(shape)} pixels")
    return pixels.to_numpy().reshape(-1, *shape), table[label].to_numpy()


def _held_out(name: str, images_and_labels: Arrays, test_fraction: float, split_seed: int) -> Dataset:
    from sklearn.model_selection import train_test_split

    images, labels = images_and_labels
    try:
        train, test = train_test_split(np.arange(len(labels)), test_size=test_fraction, random_state=split_seed, stratify=labels)
    except ValueError as error:
        raise DataError(f"data set {name}: test images cannot be held out ({error})") from None
    return from_arrays(name, (images[train], labels[train]), {"test": (images[test], labels[test])})
