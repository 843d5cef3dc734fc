"""A data set of the task "series": numbers in time order, of which a method is to foretell the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lightweights.datasets.dataset import DataError, Dataset

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SeriesDataset:
    """A series. How it is scaled and cut into what is trained and tested on is its method's affair.

    Raises DataError where the values are no float64 vector of finite numbers.
    """

    name: str
    values: Tensor  # float64 (n,)

    def __post_init__(self) -> None:
        import torch

        values = self.values
        if values.dtype != torch.float64 or values.ndim != 1 or len(values) < 2 or not bool(values.isfinite().all()):
            raise DataError(
                f"data set {self.name}: values {values.dtype} {tuple(values.shape)}; expected two or more finite numbers, float64 (n,); "
                "prepare the data anew"
            )


AnyDataset = Dataset | SeriesDataset
"""A data set of any task."""
