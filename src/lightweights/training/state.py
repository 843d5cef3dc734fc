"""The whole state of a training, so that it can stop after any round and go on to the bit-identical result."""

import hashlib
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

OF_GENERATORS = {16, 5056}
"""Bytes in the state of torch's generators: on a GPU, on a processor."""


class Closeable(Protocol):
    """What is held open while it is trained."""

    def close(self) -> None:
        """Give it back."""


class DivergenceError(RuntimeError):
    """The loss is no longer a finite number."""


@dataclass
class Training:
    """A module in training: optimisers and random streams by name, and one row of history a round (or epoch) done."""

    module: nn.Module
    optimisers: dict[str, torch.optim.Optimizer]
    streams: dict[str, torch.Generator]
    rows: list[dict[str, float]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    held: list[Closeable] = field(default_factory=list)
    """What is to be given back in the end, such as a session on a platform far away. Not part of the state."""
    places: list[dict[str, str | None]] = field(default_factory=list)
    """Device and commit of each part, where a checkpoint was taken up elsewhere; the last is where it is now."""

    def go_on(self, device: str, commit: str | None) -> None:
        """From here on it is trained in this place."""
        place = {"device": device, "commit": commit}
        if not self.places or self.places[-1] != place:
            self.places.append(place)

    def close(self) -> None:
        """Give back what is held."""
        while self.held:
            self.held.pop().close()

    def finish_row(self, row: dict[str, float]) -> dict[str, float]:
        """Append a row with the cumulative wall time, resumed parts included."""
        before = self.rows[-1]["seconds"] if self.rows else 0.0
        now = time.monotonic()
        row["seconds"] = before + now - self.started
        self.started = now
        self.rows.append(row)
        return row

    def tensors(self) -> dict[str, Tensor]:
        """Everything but the rows."""
        state = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        for name, optimiser in self.optimisers.items():
            for index, values in optimiser.state_dict()["state"].items():
                state |= {f"optimiser.{name}.{index}.{key}": value for key, value in values.items()}
        state |= {f"stream.{name}": generator.get_state() for name, generator in self.streams.items()}
        return {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}

    def restore(self, tensors: dict[str, Tensor], rows: list[dict[str, float]]) -> None:
        """Go back to a stored state. On another kind of device than it was stored on, random numbers go on from a seed that the state
        gives. Raises KeyError, ValueError or RuntimeError where it does not fit this training.
        """
        parts: dict[str, dict[str, Tensor]] = {"module": {}, "optimiser": {}, "stream": {}}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            parts[kind][rest] = value
        self.module.load_state_dict(parts["module"])
        for name, optimiser in self.optimisers.items():
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in parts["optimiser"].items():
                owner, index, entry = key.rsplit(".", 2)
                if owner == name:
                    state.setdefault(int(index), {})[entry] = value
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        for name, generator in self.streams.items():
            stored = parts["stream"][name]
            if len(stored) in OF_GENERATORS - {len(generator.get_state())}:
                generator.manual_seed(int.from_bytes(hashlib.sha256(stored.numpy().tobytes()).digest()[:7]))
            else:
                generator.set_state(stored)
        self.rows[:] = rows


def require_finite(values: dict[str, float], when: str, remedy: str) -> dict[str, float]:
    """The values as given. Raises DivergenceError naming the first that is not finite, and the setting to make smaller."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise DivergenceError(f"{name} is {value} in {when}; use a smaller {remedy}")
    return values


@dataclass
class EpochMeter:
    """Mean loss of the minibatches seen, and loss and accuracy of the last one."""

    loss: Tensor | float = 0.0
    images: int = 0
    last: tuple[Tensor, Tensor, Tensor] | None = None

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """One more minibatch; ``loss`` is its mean."""
        self.loss = self.loss + loss.detach() * len(labels)
        self.images += len(labels)
        self.last = (loss.detach(), logits.detach(), labels)

    def row(self) -> dict[str, float]:
        """As columns of the history; NaN where nothing was seen."""
        if self.last is None:
            return {"training_loss": math.nan, "last_batch_loss": math.nan, "last_batch_accuracy_percent": math.nan}
        mean = float(self.loss) / self.images
        loss, logits, labels = self.last
        accuracy = 100 * float((logits.argmax(-1) == labels).float().mean())
        return {"training_loss": mean, "last_batch_loss": float(loss), "last_batch_accuracy_percent": accuracy}


def adam(parameters: Iterable[Tensor], lr: float) -> torch.optim.Adam:
    """Adam with torch's defaults, in its fused form; on a GPU its steps can be recorded."""
    moved = list(parameters)
    return torch.optim.Adam(moved, lr=lr, fused=True, capturable=moved[0].device.type == "cuda")
