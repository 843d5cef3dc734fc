"""Data sets of one's own: from arrays, from a CSV or NPZ file, or from any importable function that returns a data set."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lightweights.datasets.arrays import read_npz, read_table
from lightweights.datasets.dataset import Data, DataError, Dataset, as_array, split_of
from lightweights.datasets.flat import digest
from lightweights.datasets.form import check_form
from lightweights.errors import LightweightsError
from lightweights.imported import imported
from lightweights.settings.base import SettingsError
from lightweights.settings.dataset import DatasetSection

Arrays = tuple[Any, Any]
"""Images (n, height, width) or (n, channels, height, width) of whole numbers from 0 to 255, and their n labels."""

MOST_CLASSES = 1_000_000


def load_own(settings: DatasetSection) -> Data:
    """The data set that the factory named by the settings gives, made anew at each call, since what it reads may have changed. Raises
    DataError where it fails or gives something else, SettingsError where there is no such factory.
    """
    where = f"dataset.name = {settings.name!r} with arguments {settings.arguments or {}}"
    factory = imported("dataset.name", settings.name)
    try:
        dataset = factory(**(settings.arguments or {}))
    except SettingsError as error:
        raise DataError(str(error)) from error
    except LightweightsError as error:
        raise DataError(f"{where}: {error}") from error
    if not isinstance(dataset, Data):
        raise DataError(f"{where} gave {type(dataset).__name__}; expected a data set, for example that of from_arrays")
    check_form(dataset)
    found = digest(dataset)
    if settings.sha256 not in (None, found):
        raise DataError(
            f"{where}: its data has SHA-256 {found}, dataset.sha256 is {settings.sha256}; bring the old data back, or set dataset.sha256 "
            "to the new one to train anew"
        )
    return dataset


def own_shape(settings: DatasetSection) -> tuple[tuple[int, ...], int]:
    """Shape of a case's input and number of outputs. Remembered, since many runs are checked against the same data, for as long as the
    files that the arguments name stay as they are. Raises as :func:`load_own`.
    """
    return _shape(settings.model_dump_json(), tuple(_stamps(settings.arguments or {})))


@lru_cache(maxsize=64)
def _shape(settings_json: str, stamps: tuple) -> tuple[tuple[int, ...], int]:
    dataset = load_own(DatasetSection.model_validate_json(settings_json))
    return dataset.input_shape, dataset.outputs


def _stamps(value: Any) -> Iterator[tuple]:
    """What tells a changed file from an unchanged one, for all files named anywhere in the arguments."""
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _stamps(part)
    elif isinstance(value, str):
        try:
            status = Path(value).stat()
            yield value, status.st_mtime_ns, status.st_size, status.st_ino
        except (OSError, ValueError):
            return


def from_arrays(name: str, train: Arrays, tests: Mapping[str, Arrays], classes: int = 0) -> Dataset:
    """A data set from arrays (NumPy's or whatever it converts) of images and labels.

    Args:
        name: what the data set is called.
        train: images (n, height, width) or (n, channels, height, width) of whole numbers from 0 to 255, and their n labels.
        tests: the like by name; arms are compared by the last of them.
        classes: how many classes there are, where some have no training image; otherwise each label from 0 to the largest must have one.

    Raises:
        DataError: pixels that are no whole numbers from 0 to 255, images of different shapes or with their axes mixed up, labels of no
            class, classes without a training image.
    """
    if not tests:
        raise DataError(f"data set {name}: no test images; hold some out")
    checked = {part: _checked(f"data set {name}, {part}", pair) for part, pair in {"train": train, **tests}.items()}
    seen = np.unique(checked["train"][1])
    if not classes and len(seen) != seen[-1] + 1:
        first = int(np.flatnonzero(seen != np.arange(len(seen)))[0])
        raise DataError(
            f"data set {name}: no training image is of class {first}, but labels go up to {seen[-1]}; number the {len(seen)} classes "
            f"from 0 to {len(seen) - 1}, or say how many there are (classes)"
        )
    count = classes or len(seen)
    if not 1 <= count <= MOST_CLASSES:
        raise DataError(f"data set {name}: classes = {classes}; expected 1 to {MOST_CLASSES:,}")
    if count == 1:
        raise DataError(f"data set {name}: all labels are 0; where there is one class there is nothing to learn")
    for part, (_, labels) in checked.items():
        if labels.max() >= count:
            raise DataError(f"data set {name}, {part}: labels are not all whole numbers from 0 to {count - 1}; number them so")
    splits = {part: split_of(*pair) for part, pair in checked.items()}
    shapes = {part: tuple(split.images.shape[1:]) for part, split in splits.items()}
    if len(set(shapes.values())) > 1:
        raise DataError(f"data set {name}: images have different shapes: {shapes}")
    return Dataset(name, count, splits.pop("train"), splits)


def _checked(where: str, arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, channels, height, width) and labels int64 (n,)."""
    if not isinstance(arrays, tuple | list) or len(arrays) != 2:
        raise DataError(f"{where}: expected a pair of arrays, images and labels")
    images, labels = (
        as_array(array, f"{where}: images and labels are not arrays of numbers; are all images of one size?") for array in arrays
    )
    images = images[:, None] if images.ndim == 3 else images
    if images.ndim != 4 or labels.shape != images.shape[:1] or not len(labels) or not images.size:
        raise DataError(
            f"{where}: images of shape {images.shape} and labels of shape {labels.shape}; expected (n, height, width) or "
            "(n, channels, height, width) and (n,)"
        )
    if images.shape[1] > 4 and images.shape[3] in (1, 3, 4):
        raise DataError(
            f"{where}: images of shape {images.shape} have their channels last, it seems; move them first: images.transpose(0, 3, 1, 2)"
        )
    for what, values, highest in (("pixels", images, 255), ("labels", labels, MOST_CLASSES - 1)):
        if values.dtype.kind in "USO" and what == "labels":
            raise DataError(f"{where}: labels are text; number them from 0")
        if values.dtype.kind not in "uifb" or not np.all((values >= 0) & (values <= highest) & (values == np.floor(values))):
            raise DataError(f"{where}: {what} are not all whole numbers from 0 to {highest}; scale, round or number them so")
    if images.max() == 1:
        raise DataError(f"{where}: no pixel is above 1, of 255; images of black and white have pixels of 0 and 255")
    return images.astype(np.uint8), labels.astype(np.int64)


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
    class in proportion. Raises DataError, for any other array too.
    """
    needed, optional = ("images", "labels"), ("test_images", "test_labels")
    found = read_npz(Path(file), needed + optional)
    for names in (needed, *([optional] if set(optional) & set(found) else [])):
        if missing := [name for name in names if name not in found]:
            raise DataError(f"{file}: cannot be read as an NPZ file with arrays {' and '.join(names)}: {missing[0]} is missing")
    train = found["images"], found["labels"]
    if "test_images" in found:
        return from_arrays(Path(file).stem, train, {"test": (found["test_images"], found["test_labels"])})
    return _held_out(Path(file).stem, train, test_fraction, split_seed)


def _rows(path: Path, shape: tuple[int, int, int], label: str) -> Arrays:
    labels, pixels = read_table(path, label)
    if pixels.shape[1] != np.prod(shape):
        raise DataError(f"{path}: {pixels.shape[1]} columns besides {label!r}; images of {shape} have {np.prod(shape)} pixels")
    return pixels.reshape(-1, *shape), labels


def _held_out(name: str, images_and_labels: Arrays, test_fraction: float, split_seed: int) -> Dataset:
    from sklearn.model_selection import train_test_split

    images, labels = _checked(f"data set {name}", images_and_labels)
    if isinstance(test_fraction, bool) or not isinstance(test_fraction, int | float) or not 0 < test_fraction < 1:
        raise DataError(f"data set {name}: test_fraction = {test_fraction!r}: expected a share between 0 and 1, such as 0.25")
    try:
        train, test = train_test_split(np.arange(len(labels)), test_size=test_fraction, random_state=split_seed, stratify=labels)
    except ValueError as error:
        raise DataError(f"data set {name}: test images cannot be held out ({error})") from None
    return from_arrays(name, (images[train], labels[train]), {"test": (images[test], labels[test])})
