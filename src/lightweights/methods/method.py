"""What a kind of run is to the engine: a module with four functions, which its settings name.

The engine (:mod:`lightweights.study.execute`) knows no method. It keeps checkpoints, watches memory and writes files; all that belongs to a
method is behind these four.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from lightweights.datasets import Dataset
from lightweights.settings.own_code import own_code
from lightweights.settings.runs import RunSettings
from lightweights.training.state import Training


@dataclass(frozen=True)
class Told:
    """What is reported of a training that has done all its rounds or epochs."""

    parameters: dict[str, int]
    """Counts: of the target network, and trained, as published, as used, effective."""
    network: nn.Module
    """What inference needs; its tensors are stored as ``network.*``."""
    beside: dict[str, Tensor] = field(default_factory=dict)
    """Other tensors that were trained, stored under their own names."""
    kept: int | None = None
    """The row of the history whose state this is, counted from 1; the last one unless set."""
    reported: tuple[str, ...] | None = None
    """Columns of the history that are reported, as they stand in the kept row; unless set those of accuracies, entropies and errors, with
    their means over the last rows.
    """
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    """More sections of metrics.json, by name; empty ones are left out."""


class Method(Protocol):
    """What a module that trains a kind of run has."""

    def check(self, settings: RunSettings, where: str) -> None:
        """Build what would be trained, without training. Raises SettingsError, which begins with ``where``."""

    def begin(
        self, settings: RunSettings, data: Dataset, seed: int, device: torch.device, *, teacher: nn.Module | None, jobs: Path | None
    ) -> Training:
        """A training that has not started. ``teacher``: what :func:`source` read, for a run that learns from another. ``jobs``: where
        numbers of remote jobs are kept.
        """

    def advance(
        self, training: Training, settings: RunSettings, data: Dataset, seed: int, *, teacher: nn.Module | None
    ) -> Iterator[dict[str, float]]:
        """Train from where the training stands; yields the history row of each round or epoch, one for each of ``settings.steps``."""

    def tell(self, training: Training, settings: RunSettings, data: Dataset, seed: int) -> Told:
        """What is reported of a training, as it stands."""


def method_of(settings: RunSettings) -> Method:
    """The module that trains these settings' kind of run. One whose kind learns from another run (``learns_from``) has a fifth function,
    ``source(run, data, weights)``: the network to learn from, and the SHA-256 of its file. What else it may have, for models that are
    stored and taken up again, is said in :mod:`lightweights.methods.models`.
    """
    trainer = type(settings).trainer
    with own_code(f"{trainer}, which trains method {settings.method}, cannot be imported"):
        return cast(Method, import_module(trainer))


def check_settings(settings: RunSettings, where: str) -> None:
    """Can these settings be trained at all? Asked before any job starts. Raises SettingsError, which begins with ``where``."""
    method_of(settings).check(settings, where)
