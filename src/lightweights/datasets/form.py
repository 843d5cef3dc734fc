"""The form of a data set: types, shapes and values of its tensors."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from lightweights.datasets.dataset import Data, DataError

if TYPE_CHECKING:
    from torch import Tensor


def check_form(dataset: Data) -> None:
    """Raises DataError where types, shapes or values are not those of a data set of its task."""
    if not dataset.tests:
        raise DataError(f"data set {dataset.name}: no {dataset.TASK} to test on; prepare the data anew")
    form: dict[str, tuple[str, str]] = dataset.PART.FORM  # type: ignore[attr-defined]
    for place, split in {"train": dataset.train, **dataset.tests}.items():
        tensors = tensors_of(split)
        right = all(
            str(tensors[name].dtype) == f"torch.{dtype}"
            and tensors[name].ndim == len(axes.split())
            and tensors[name].numel() > 0
            and len(tensors[name]) == len(split)
            and tensors[name].shape[1:] == getattr(dataset.train, name).shape[1:]
            for name, (dtype, axes) in form.items()
        )
        fault = dataset.fault(split) if right else ", ".join(f"{name} {t.dtype} {tuple(t.shape)}" for name, t in tensors.items())
        if fault:
            expected = " and ".join(f"{name} {dtype} ({axes.replace(' ', ', ')})" for name, (dtype, axes) in form.items())
            raise DataError(
                f"data set {dataset.name}, {place}: {fault}; expected {expected}, as large as in training; prepare the data anew"
            )


def tensors_of(split: Any) -> dict[str, Tensor]:
    """The tensors of a split by name."""
    return {field.name: getattr(split, field.name) for field in fields(split)}
