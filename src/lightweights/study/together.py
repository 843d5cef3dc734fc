"""Short runs share processes: starting Python and torch takes seconds, many times as long as some runs."""

import json
import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lightweights.errors import LightweightsError
from lightweights.settings.own_code import said
from lightweights.settings.runs import Run
from lightweights.settings.schedules import GradientSchedule
from lightweights.study.cost import START_SECONDS, estimate
from lightweights.study.faults import RunError
from lightweights.study.layout import RESULTS, data_path, settings_path
from lightweights.study.plan import read_run


def groups(runs: Iterable[Run], batch: int, seconds: float) -> list[list[Run]]:
    """Which runs of a study share a process: first batches of one shape, then short ones. By the settings alone, as jobs of a cluster ask
    again, each at its own time: it must not depend on which runs are done.
    """
    runs = list(runs)
    batched = batches(runs, batch)
    taken = {run.key for group in batched for run in group}
    return [*batched, *shared((run for run in runs if run.key not in taken), seconds)]


def shared(runs: Iterable[Run], seconds: float) -> list[list[Run]]:
    """Which of the runs share a process: in their order, as many of an experiment as take ``seconds`` together by the table of costs, so
    that an experiment is trained without others. Left out are those that take longer alone, and those of kinds of which one waits for
    another.
    """
    groups: list[list[Run]] = []
    taken = seconds
    for run in runs:
        own = estimate(run.settings).seconds - START_SECONDS
        if own > seconds or run.settings.work().alone:
            continue
        if taken + own > seconds or run.experiment != groups[-1][-1].experiment:
            groups.append([])
            taken = 0.0
        groups[-1].append(run)
        taken += own
    return groups


def batches(runs: Iterable[Run], size: int) -> list[list[Run]]:
    """Runs of one shape, at most ``size`` in each batch: photonic Quantum-Train by gradients in one experiment with the same settings, but
    for the scale of initial values. Left out are those that are alone.
    """
    shapes: dict[str, list[Run]] = {}
    for run in runs:
        if isinstance(run.settings.schedule, GradientSchedule) and run.settings.photonics is not None:
            settings = run.settings.plain()
            settings.get("mapping", {}).pop("init_std", None)
            shapes.setdefault(run.experiment + json.dumps(settings, sort_keys=True), []).append(run)
    cut = (one[start : start + size] for one in shapes.values() for start in range(0, len(one), size))
    return [batch for batch in cut if len(batch) > 1]


def key_of(text: str) -> tuple[str, str, int]:
    """Experiment, variant and seed of a run's key, ``EXPERIMENT/VARIANT/seed-K``. Raises RunError for other text."""
    parts = text.split("/")
    if len(parts) != 3 or not re.fullmatch(r"seed-[0-9]+", parts[2]):
        raise RunError(f"{text!r}: expected a run's key, EXPERIMENT/VARIANT/seed-K")
    return parts[0], parts[1], int(parts[2].removeprefix("seed-"))


Train = Callable[[Run, Path], str]
"""Trains a run on prepared data, and says what it found."""
TrainBatch = Callable[[list[Run], Path], dict[str, str | LightweightsError]]
"""The same of runs of one shape, by their keys; what failed has its error."""


def train_each(
    study: str,
    keys: Sequence[str],
    train: Train,
    say: Callable[[str], None],
    results: Path = RESULTS,
    *,
    batch: int = 1,
    train_batch: TrainBatch | None = None,
) -> None:
    """Train runs of a study one after the other, or up to ``batch`` of one shape together; one that fails leaves the others. Raises
    RunError naming those that failed, in the end.
    """
    failed, runs = [], []
    for text in keys:
        experiment, variant, seed = key_of(text)
        try:
            runs.append(read_run(settings_path(study, experiment, variant, results), seed, results))
        except LightweightsError as error:
            say(f"{text}: {error}")
            failed.append(text)
    together = batches(runs, batch) if train_batch is not None and batch > 1 else []
    shares = {run.key for group in together for run in group}
    for group in [*together, *([run] for run in runs if run.key not in shares)]:
        data = data_path(study, group[0].settings.dataset.name, results)
        for key, outcome in (train_batch(group, data) if train_batch and len(group) > 1 else _alone(group[0], data, train)).items():
            if isinstance(outcome, LightweightsError):
                failed.append(key)
                say(f"{key}: {outcome}")
            else:
                say(outcome)
    if failed:
        raise RunError(f"{len(failed)} of {len(keys)} runs failed, each with its reason above: {', '.join(failed)}")


def _alone(run: Run, data: Path, train: Train) -> dict[str, str | LightweightsError]:
    try:
        return {run.key: train(run, data)}
    except LightweightsError as error:
        return {run.key: error}
    except Exception as error:  # whatever a network of the user's own raises
        traceback.print_exc()
        return {run.key: RunError(said(error))}
