"""What the engine asks of a run of this chapter. Nothing is trained by steps: a round cuts the circuit one more way."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lightweights.datasets import Dataset
from lightweights.methods.method import Told
from lightweights.settings.base import SettingsError
from lightweights.training.randomness import stream
from lightweights.training.state import Training

from .arms import ARMS, circuit_of, cut
from .settings import CuttingRun


def check(settings: CuttingRun, where: str) -> None:
    """Raises SettingsError where more rounds are asked for than there are ways."""
    ways, asked = _ways(settings), settings.schedule.rounds
    if asked > len(ways):
        raise SettingsError(f"{where}: schedule.rounds = {asked}: cutting.ways = {settings.cutting.ways} has {len(ways)}, one a round")


def begin(
    settings: CuttingRun, data: Dataset, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """Nothing cut yet."""
    return Training(nn.Module(), {}, {})


def advance(
    training: Training, settings: CuttingRun, data: Dataset, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """One way a round, over each number of processors; a row holds the entangled pairs of all ways so far."""

    def draw(purpose: str) -> np.random.Generator:
        return np.random.default_rng(stream(seed, purpose).initial_seed())

    circuit = circuit_of(settings.cutting, draw("circuit"))
    names = _ways(settings)
    for number in range(len(training.rows) + 1, settings.schedule.rounds + 1):
        name = names[number - 1]
        row = dict(training.rows[-1]) if training.rows else {"gates": sum(map(len, circuit.layers)), "layers": len(circuit.layers)}
        for processors in settings.cutting.processors:
            found = cut(name, circuit, processors, draw(f"{name} {processors}"))
            if found is not None:
                row[f"{name}_pairs_{processors}"] = found
        yield training.finish_row(row | {"round": number})


def tell(training: Training, settings: CuttingRun, data: Dataset, seed: int) -> Told:
    """Entangled pairs of every way. Nothing is trained."""
    kinds = ("target", "mapping", "phases_published", "phases_used", "phases_effective")
    zero = dict.fromkeys((*kinds, "trained_published", "trained_used", "trained_effective"), 0)
    reported = tuple(name for name in training.rows[-1] if name not in ("round", "seconds"))
    return Told(zero, training.module, reported=reported)


def _ways(settings: CuttingRun) -> list[str]:
    return list(ARMS) if settings.cutting.ways == "all" else [settings.cutting.ways]
