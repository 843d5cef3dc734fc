"""Short runs share processes: starting Python and torch takes seconds, many times as long as some runs."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lightweights.errors import LightweightsError
from lightweights.settings.runs import Run
from lightweights.study.cost import START_SECONDS, estimate
from lightweights.study.faults import RunError
from lightweights.study.layout import RESULTS, data_path, settings_path
from lightweights.study.plan import read_run


def shared(runs: Iterable[Run], seconds: float) -> list[list[Run]]:
    """Which of the runs share a process: in their order, as many as take ``seconds`` together by the table of costs. Left out are those
    that take longer alone, and those of kinds of which one waits for another.
    """
    groups: list[list[Run]] = []
    taken = seconds
    for run in runs:
        own = estimate(run.settings).seconds - START_SECONDS
        if own > seconds or run.settings.work().alone:
            continue
        if taken + own > seconds:
            groups.append([])
            taken = 0.0
        groups[-1].append(run)
        taken += own
    return groups


def key_of(text: str) -> tuple[str, str, int]:
    """Experiment, variant and seed of a run's key, ``EXPERIMENT/VARIANT/seed-K``. Raises RunError for other text."""
    parts = text.split("/")
    if len(parts) != 3 or not re.fullmatch(r"seed-[0-9]+", parts[2]):
        raise RunError(f"{text!r}: expected a run's key, EXPERIMENT/VARIANT/seed-K")
    return parts[0], parts[1], int(parts[2].removeprefix("seed-"))


def train_each(
    study: str, keys: Sequence[str], train: Callable[[Run, Path], str], say: Callable[[str], None], results: Path = RESULTS
) -> None:
    """Train runs of a study one after the other; one that fails leaves the others. Raises RunError naming those that failed, in the end."""
    failed = []
    for text in keys:
        experiment, variant, seed = key_of(text)
        try:
            run = read_run(settings_path(study, experiment, variant, results), seed, results)
            say(train(run, data_path(study, run.settings.dataset.name, results)))
        except LightweightsError as error:
            say(f"{text}: {error}")
            failed.append(text)
    if failed:
        raise RunError(f"{len(failed)} of {len(keys)} runs failed, each with its reason above: {', '.join(failed)}")
