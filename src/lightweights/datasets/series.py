"""Series as data: the values seen, and the values to tell next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lightweights.datasets.dataset import Data, DataError, as_array

if TYPE_CHECKING:
    from torch import Tensor

Arrays = tuple[Any, Any]
"""Inputs (cases, steps, features) and targets (cases, outputs), all finite numbers."""


@dataclass(frozen=True)
class SeriesSplit:
    """Cases in a fixed order: what is seen of each, step by step, and the numbers to tell."""

    inputs: Tensor  # float32 (n, steps, features)
    targets: Tensor  # float32 (n, outputs)

    FORM: ClassVar[dict[str, tuple[str, str]]] = {"inputs": ("float32", "n steps features"), "targets": ("float32", "n outputs")}

    def __len__(self) -> int:
        """Number of cases n."""
        return len(self.targets)


@dataclass(frozen=True)
class Series(Data):
    """The next values of a series: a training split and named splits that are measured on, for example ``validation`` and ``test``."""

    name: str
    train: SeriesSplit
    tests: dict[str, SeriesSplit]

    TASK: ClassVar[str] = "series"
    PART: ClassVar[type] = SeriesSplit
    COUNTS: ClassVar[tuple[str, ...]] = ()

    @property
    def input_shape(self) -> tuple[int, int]:
        """(steps, features) of a case."""
        steps, features = self.train.inputs.shape[1:]
        return steps, features

    @property
    def outputs(self) -> int:
        """The numbers to tell of a case."""
        return self.train.targets.shape[1]

    def fault(self, split: SeriesSplit) -> str:
        """Numbers that are not finite."""
        return "" if split.inputs.isfinite().all() and split.targets.isfinite().all() else "not all numbers are finite"


def series_from_arrays(name: str, train: Arrays, tests: Mapping[str, Arrays]) -> Series:
    """A series from arrays (NumPy's or whatever it converts), kept as float32.

    Raises:
        DataError: arrays of other axes or lengths, numbers that are not finite or too large for float32, or no split to measure on.
    """
    if not tests:
        raise DataError(f"data set {name}: no cases to test on; hold some out")
    splits = {part: _split(f"data set {name}, {part}", arrays) for part, arrays in {"train": train, **tests}.items()}
    shapes = {part: (tuple(split.inputs.shape[1:]), split.targets.shape[1]) for part, split in splits.items()}
    if len(set(shapes.values())) > 1:
        raise DataError(f"data set {name}: splits differ in (steps, features) or outputs: {shapes}")
    return Series(name, splits.pop("train"), splits)


def windows(values: Any, steps: int, outputs: Sequence[int] = (0,)) -> tuple[np.ndarray, np.ndarray]:
    """Every stretch of ``steps`` points of a series, and the features ``outputs`` of the point that follows it.

    Args:
        values: (points, features), or (points,) of one feature.
        steps: points of a window; a series of T points gives T - steps windows, in order of time.
        outputs: the features to tell.

    Returns:
        Inputs (T - steps, steps, features) and targets (T - steps, outputs), of the type of ``values``.
    """
    values = as_array(values, "values are not an array of numbers")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not 1 <= steps < len(values):
        raise DataError(f"values of shape {values.shape} have no windows of {steps} points; expected (points, features) of more points")
    if not outputs or not all(0 <= output < values.shape[1] for output in outputs):
        raise DataError(f"outputs {list(outputs)}: expected some of the features 0 to {values.shape[1] - 1}")
    stretches = np.lib.stride_tricks.sliding_window_view(values, steps, axis=0)[:-1]
    return stretches.transpose(0, 2, 1).copy(), values[steps:][:, list(outputs)]


def _split(where: str, arrays: Arrays) -> SeriesSplit:
    import torch

    if not isinstance(arrays, tuple | list) or len(arrays) != 2:
        raise DataError(f"{where}: expected a pair of arrays, inputs and targets")
    inputs, targets = (numbers(array, where) for array in arrays)
    if inputs.ndim != 3 or targets.ndim != 2 or len(inputs) != len(targets) or not inputs.size or not targets.size:
        hint = "; one feature is an axis of length 1, as is one output" if inputs.ndim == 2 or targets.ndim == 1 else ""
        swapped = inputs.ndim == 3 and len(inputs) != len(targets) and len(targets) in inputs.shape
        hint += f"; the axis of {len(targets)} cases must be the first of the inputs" if swapped else ""
        raise DataError(
            f"{where}: inputs of shape {inputs.shape} and targets of shape {targets.shape}; expected (cases, steps, features) and "
            f"(cases, outputs){hint}"
        )
    return SeriesSplit(torch.from_numpy(inputs), torch.from_numpy(targets))


def numbers(array: Any, where: str) -> np.ndarray:
    """The array as float32, contiguous. Raises DataError where it holds no finite real numbers of that range."""
    found = as_array(array, f"{where}: not an array of numbers")
    if found.dtype.kind not in "uif":
        raise DataError(f"{where}: {found.dtype} is no type of real numbers")
    with np.errstate(over="ignore"):
        small = np.array(found, np.float32, order="C")
    if not np.isfinite(small).all():
        what = "are too large for float32" if np.isfinite(found).all() else "are not finite"
        raise DataError(f"{where}: {int((~np.isfinite(small)).sum())} of {small.size} numbers {what}; leave such cases out or scale them")
    return small
