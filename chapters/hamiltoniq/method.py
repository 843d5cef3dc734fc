"""What the engine asks of a run of this chapter. A round is one attempt; each has randomness of its own, so that none depends on others."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lightweights.datasets import Dataset
from lightweights.errors import LightweightsError
from lightweights.methods.method import Told
from lightweights.settings.base import SettingsError
from lightweights.training.randomness import stream
from lightweights.training.state import Training

from .attempts import attempt
from .instances import energies
from .qaoa import Circuit, Noise
from .score import distance, h_score, published_curve
from .settings import HamiltoniqRun


def check(settings: HamiltoniqRun, where: str) -> None:
    """Raises SettingsError where no published curve is there to compare with."""
    try:
        published_curve(settings.benchmark.qubits, settings.benchmark.layers)
    except LightweightsError as error:
        raise SettingsError(f"{where}: {error}") from None


def begin(
    settings: HamiltoniqRun, data: Dataset, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """No attempt made yet."""
    return Training(nn.Module(), {}, {})


def advance(
    training: Training, settings: HamiltoniqRun, data: Dataset, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """One attempt a round; a row holds its accuracy and the scores of all attempts so far."""
    section = settings.benchmark
    circuit = Circuit(energies(section.qubits), Noise(section.layer_error, section.readout_error))
    for number in range(len(training.rows) + 1, settings.schedule.rounds + 1):
        rng = np.random.default_rng(stream(seed, f"attempt {number}").initial_seed())
        made = attempt(circuit, section.layers, section.optimiser, section.shots, rng)
        row: dict[str, float] = {"round": number} | {f"attempt_{name}": value for name, value in made._asdict().items()}
        so_far = [*training.rows, row]
        found, at_start, asked = (np.array([each[f"attempt_{name}"] for each in so_far]) for name in made._fields)
        row |= {
            "ground_state_share": float(found.mean()),
            "h_score": h_score(found, section.qubits, section.layers),
            "curve_distance": distance(found, section.qubits, section.layers),
            "idle_h_score": h_score(at_start, section.qubits, section.layers),
            "energies_asked": float(asked.mean()),
        }
        yield training.finish_row(row)


def tell(training: Training, settings: HamiltoniqRun, data: Dataset, seed: int) -> Told:
    """The scores of all attempts. Two angles a layer are trained."""
    angles = 2 * settings.benchmark.layers
    zero = dict.fromkeys(("target", "mapping", "phases_published", "phases_used", "phases_effective"), 0)
    trained = dict.fromkeys(("trained_published", "trained_used", "trained_effective"), angles)
    reported = ("ground_state_share", "h_score", "curve_distance", "idle_h_score", "energies_asked")
    return Told(zero | trained, training.module, reported=reported)
