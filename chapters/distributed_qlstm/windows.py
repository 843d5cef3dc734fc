"""From a series to what a forecaster is trained and measured on: scaled, and cut into windows of four values with the next as target.

Two protocols. ``published``, after the code of this line of work: the smallest and largest value of the whole series become -1 and 1, the
first 67 % of the windows are trained on, the rest are the test; nothing is set aside. ``fair``: the first 20 points, where a system
still forgets its start, are dropped; the scale is that of the points that training may see; the last fifth of the training windows is a
validation part, on which training is stopped.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .series import Values

LAGS = 4
"""Values in a window."""
TRAINED_SHARE = 0.67
VALIDATION_SHARE = 0.2
TRANSIENT = 20
"""Points that the fair protocol drops."""

Protocol = Literal["published", "fair"]


@dataclass(frozen=True)
class Windows:
    """Windows in time order with what follows each of them; float64, in scaled units."""

    inputs: Float[Tensor, "n lags"]
    targets: Float[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, part: "slice | Tensor") -> "Windows":
        return Windows(self.inputs[part], self.targets[part])


@dataclass(frozen=True)
class Parts:
    """The parts of a series. ``validation`` is empty where the protocol sets nothing aside."""

    train: Windows
    validation: Windows
    test: Windows

    def to(self, device: torch.device) -> "Parts":
        """The same on a device."""
        parts = (self.train, self.validation, self.test)
        return Parts(*(Windows(part.inputs.to(device), part.targets.to(device)) for part in parts))


def cut(values: Values, protocol: Protocol) -> Parts:
    """The parts of a series under a protocol. Raises ValueError for a protocol that is none, a constant series, or too few points."""
    if protocol not in ("published", "fair"):
        raise ValueError(f"protocol {protocol!r}: expected published or fair")
    kept = values if protocol == "published" else values[TRANSIENT:]
    count = len(kept) - LAGS - 1  # the code of this line leaves out the last window
    trained = int(TRAINED_SHARE * count)
    validated = int(VALIDATION_SHARE * trained) if protocol == "fair" else 0
    if trained - validated < 1 or (protocol == "fair" and validated < 2) or count - trained < 2:
        raise ValueError(f"a series of {len(values)} points is too short for the protocol {protocol}; use 40 or more")
    seen = kept if protocol == "published" else kept[: trained + LAGS]
    low, high = float(seen.min()), float(seen.max())
    if high <= low:
        raise ValueError(f"the series is {low} throughout, so there is nothing to foretell; use one that varies")
    scaled = torch.from_numpy(np.ascontiguousarray(2 * (kept - low) / (high - low) - 1))
    whole = Windows(scaled.unfold(0, LAGS, 1)[:count], scaled[LAGS : LAGS + count])
    return Parts(whole[: trained - validated], whole[trained - validated : trained], whole[trained:])


def r2(predicted: Float[Tensor, " n"], windows: Windows) -> float:
    """Share of the targets' variance that a forecast explains: 1 - sum of squared errors / sum of squared deviations from their mean.

    0 is the mean of the test part itself; there is no lower end.
    """
    targets = windows.targets
    return float(1 - (targets - predicted).square().sum() / (targets - targets.mean()).square().sum())
