"""A data set in memory, and its flat form for a safetensors file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lightweights.errors import LightweightsError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from lightweights.datasets.series import SeriesDataset


class DataError(LightweightsError):
    """Data that is missing, damaged or unreachable; the message names the file, what was expected and the remedy."""


@dataclass(frozen=True)
class Split:
    """Images with their labels, in a fixed order."""

    images: Tensor  # uint8 (n, channels, height, width)
    labels: Tensor  # int64 (n,)

    def __len__(self) -> int:
        """Number of images n."""
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A training split and one or more named test splits. Labels are 0 to ``classes - 1``."""

    name: str
    classes: int
    train: Split
    tests: dict[str, Split]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width


def split_of(images: np.ndarray, labels: np.ndarray) -> Split:
    """A split from arrays: images uint8 (n, channels, height, width), labels of any integer type (n,)."""
    import torch

    return Split(torch.from_numpy(images), torch.from_numpy(labels).to(torch.int64))


def to_tensors(dataset: Dataset | SeriesDataset) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name and text metadata, as ``safetensors.torch.save_file(tensors, path, metadata)`` takes them."""
    metadata: dict[str, Any] = {"name": dataset.name}
    if isinstance(dataset, Dataset):
        metadata |= {"classes": dataset.classes, "tests": list(dataset.tests)}  # a safetensors file does not keep the order of its tensors
    else:
        metadata["task"] = "series"
    metadata["sha256"] = digest(dataset)
    # One entry in the end: safetensors writes several in random order, and equal data should be equal files.
    return {name: tensor.contiguous() for name, tensor in _named_tensors(dataset)}, {"dataset": json.dumps(metadata)}


def from_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None) -> Dataset | SeriesDataset:
    """The data set that :func:`to_tensors` flattened.

    Raises:
        DataError: a part is missing or has another form, or the content does not have the digest that the metadata states.
    """
    try:
        told = json.loads((metadata or {})["dataset"])
        dataset = _rebuilt(tensors, told)
        expected = told["sha256"]
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"prepared data: {error} is missing or unreadable; delete the file and prepare the data anew") from None
    if isinstance(dataset, Dataset):
        check_form(dataset)
    found = digest(dataset)
    if found != expected:
        raise DataError(
            f"prepared data of {dataset.name}: expected SHA-256 {expected}, found {found}; delete the file and prepare the data anew"
        )
    return dataset


def check_form(dataset: Dataset) -> None:
    """Raises DataError where types, shapes or labels are not those of a data set."""
    import torch

    if not dataset.tests:
        raise DataError(f"data set {dataset.name}: no test images; prepare the data anew")
    for part, split in {"train": dataset.train, **dataset.tests}.items():
        images, labels = split.images, split.labels
        whole = images.dtype == torch.uint8 and labels.dtype == torch.int64
        shaped = images.ndim == 4 and images.shape[1:] == dataset.train.images.shape[1:] and labels.shape == images.shape[:1]
        if not (whole and shaped and images.numel() and labels.min() >= 0 and labels.max() < dataset.classes):
            raise DataError(
                f"data set {dataset.name}, {part}: images {images.dtype} {tuple(images.shape)}, "
                f"labels {labels.dtype} {tuple(labels.shape)}; "
                f"expected uint8 (n, channels, height, width), as large as in training, and int64 (n,) from 0 to {dataset.classes - 1}; "
                "prepare the data anew"
            )


def digest(dataset: Dataset | SeriesDataset) -> str:
    """SHA-256 over the names, types, shapes and little-endian bytes of all tensors: train first, then the tests in their order."""
    import numpy as np

    sha = hashlib.sha256()
    for name, tensor in _named_tensors(dataset):
        array = tensor.detach().cpu().numpy()
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        sha.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        sha.update(array.data)
    return sha.hexdigest()


def _rebuilt(tensors: Mapping[str, Tensor], told: Mapping[str, Any]) -> Dataset | SeriesDataset:
    if "task" in told and told["task"] == "series":
        from lightweights.datasets.series import SeriesDataset

        return SeriesDataset(str(told["name"]), tensors["values"])
    tests = {name: _split(tensors, f"tests.{name}") for name in told["tests"]}
    return Dataset(str(told["name"]), int(told["classes"]), _split(tensors, "train"), tests)


def _named_tensors(dataset: Dataset | SeriesDataset) -> list[tuple[str, Tensor]]:
    if not isinstance(dataset, Dataset):
        return [("values", dataset.values)]
    splits = {"train": dataset.train} | {f"tests.{name}": split for name, split in dataset.tests.items()}
    return [pair for name, split in splits.items() for pair in ((f"{name}.images", split.images), (f"{name}.labels", split.labels))]


def _split(tensors: Mapping[str, Tensor], name: str) -> Split:
    return Split(tensors[f"{name}.images"], tensors[f"{name}.labels"])
