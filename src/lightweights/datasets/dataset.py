"""What a data set is: named tensors and a task.

Every data set has a name, a training split and named splits that it is measured on. A split is a dataclass of tensors whose first axis
counts cases; its ``FORM`` says each tensor's type and axes. What a case asks for is the task: the class of an image (:class:`Dataset`), the
next values of a series (:class:`~lightweights.datasets.series.Series`), the class or the next token of a text
(:class:`~lightweights.datasets.text.Text`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from lightweights.errors import LightweightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from torch import Tensor


class DataError(LightweightsError):
    """Data that is missing, damaged or unreachable; the message names the file, what was expected and the remedy."""


class Data:
    """What all data sets have. ``tests``: the splits that are measured on, in order; arms are compared by the last of them."""

    TASK: ClassVar[str]
    PART: ClassVar[type]
    """The class of its splits, whose ``FORM`` says what a split holds."""
    COUNTS: ClassVar[tuple[str, ...]]
    """The fields, besides the name, that are numbers: a file keeps them beside the tensors."""

    name: str
    train: Any
    tests: Mapping[str, Any]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one case's input."""
        raise NotImplementedError

    @property
    def outputs(self) -> int:
        """How many numbers a model gives for one case."""
        raise NotImplementedError

    def fault(self, split: Any) -> str:
        """What values of a split, whose form is right, break the task's rules; empty where none do."""
        raise NotImplementedError


@dataclass(frozen=True)
class Split:
    """Images with their labels, in a fixed order."""

    images: Tensor  # uint8 (n, channels, height, width)
    labels: Tensor  # int64 (n,)

    FORM: ClassVar[dict[str, tuple[str, str]]] = {"images": ("uint8", "n channels height width"), "labels": ("int64", "n")}

    def __len__(self) -> int:
        """Number of images n."""
        return len(self.labels)


@dataclass(frozen=True)
class Dataset(Data):
    """Images and their classes: a training split and one or more named test splits. Labels are 0 to ``classes - 1``."""

    name: str
    classes: int
    train: Split
    tests: dict[str, Split]

    TASK: ClassVar[str] = "images"
    PART: ClassVar[type] = Split
    COUNTS: ClassVar[tuple[str, ...]] = ("classes",)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def outputs(self) -> int:
        """One logit a class."""
        return self.classes

    def fault(self, split: Split) -> str:
        """Labels of no class."""
        return labels_fault(split.labels, self.classes)


def labels_fault(labels: Tensor, classes: int) -> str:
    """Says that labels (n,) are not 0 to ``classes - 1``; empty where they are."""
    low, high = int(labels.min()), int(labels.max())
    return "" if low >= 0 and high < classes else f"labels from {low} to {high}, expected 0 to {classes - 1}"


def split_of(images: np.ndarray, labels: np.ndarray) -> Split:
    """A split from arrays: images uint8 (n, channels, height, width), labels of any integer type (n,)."""
    import torch

    return Split(torch.from_numpy(images), torch.from_numpy(labels).to(torch.int64))


def as_array(values: Any, otherwise: str) -> np.ndarray:
    """Values as an array. Raises DataError where they are none, or have masked ones, which an array would have as if they were not."""
    import numpy as np

    if np.ma.is_masked(values):
        raise DataError(f"{otherwise} (some are masked)")
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"{otherwise} ({error})") from None
