"""What the engine asks of a run of this chapter. Nothing is trained by steps: a round cuts the graph one more way."""

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

from .arms import ARMS, Contest
from .graphs import random_graph
from .settings import MaxcutRun


def check(settings: MaxcutRun, where: str) -> None:
    """Raises SettingsError where the parts do not make up the graph, or the optimiser cannot start."""
    section, least = settings.maxcut, 2 * settings.maxcut.layers + 2
    if section.evaluations < least:
        raise SettingsError(f"{where}: maxcut.evaluations = {section.evaluations}: {2 * section.layers} angles need at least {least}")
    if section.parts and (sum(section.parts) != section.nodes or max(section.parts) > section.capacity):
        raise SettingsError(
            f"{where}: maxcut.parts = {section.parts}: expected sizes of at most {section.capacity} (maxcut.capacity) that add up to "
            f"{section.nodes} (maxcut.nodes)"
        )


def begin(
    settings: MaxcutRun, data: Dataset, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """Nothing cut yet."""
    return Training(nn.Module(), {}, {})


def advance(
    training: Training, settings: MaxcutRun, data: Dataset, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """One way to cut a round; a row holds what all ways so far have reached, in percent of the largest cut."""

    def draw(purpose: str) -> np.random.Generator:
        return np.random.default_rng(stream(seed, purpose).initial_seed())

    section = settings.maxcut
    contest = Contest(section, random_graph(section.nodes, section.degree, draw("graph")), draw)
    names = list(ARMS)
    for number in range(len(training.rows) + 1, settings.schedule.rounds + 1):
        name = names[number - 1]
        found = contest.cut(name)
        row = dict(training.rows[-1]) if training.rows else {"reference_cut": contest.reference, "looks": contest.looks}
        if found is not None:
            row[f"{name}_cut_percent"] = 100 * found.value / contest.reference
            if found.largest:
                row[f"{name}_mean_percent"] = 100 * found.mean / found.largest
        if contest.bound:
            row["bound_percent"] = 100 * contest.bound / contest.reference
        yield training.finish_row(row | {"round": number})


def tell(training: Training, settings: MaxcutRun, data: Dataset, seed: int) -> Told:
    """What every way has reached. Two angles a layer and part are trained."""
    zero = dict.fromkeys(("target", "mapping", "phases_published", "phases_used", "phases_effective"), 0)
    trained = dict.fromkeys(("trained_published", "trained_used", "trained_effective"), 2 * settings.maxcut.layers)
    reported = tuple(name for name in training.rows[-1] if name not in ("round", "seconds"))
    return Told(zero | trained, training.module, reported=reported)
