"""One run: from settings and prepared data to metrics, history and model. What is trained is its method's business.

A run killed at any moment goes on from its last checkpoint to the bit-identical result. Everything is written under a temporary name and
renamed, metrics.json last.
"""

import hashlib
import json
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from lightweights.built import built_digests
from lightweights.datasets import DataError, Dataset, digest, from_tensors
from lightweights.files import remove_leftovers, write_atomic
from lightweights.methods.method import method_of
from lightweights.methods.models import model_of
from lightweights.settings.runs import Run, RunSettings
from lightweights.study.checkpoint import STATE, resume, save_checkpoint
from lightweights.study.faults import RunError, memory_told, out_of_memory
from lightweights.study.layout import checkpoint_folder, history_file, metrics_file, model_file, weights_file
from lightweights.study.lock import exclusive
from lightweights.study.models import packed, place_of
from lightweights.study.progress import Progress
from lightweights.study.provenance import now, peak_memory_mb, provenance
from lightweights.training.state import DivergenceError, Training

LAST = 10
"""Rounds (epochs) over which the second reported value is averaged."""


@dataclass(frozen=True)
class RunResult:
    """Final numbers, parameter counts, one history row a round or epoch, and more sections of metrics.json. Stored of the tensors is the
    ``model``; ``weights``, those that inference needs, follow from it.
    """

    final: dict[str, float]
    last10: dict[str, float]
    parameters: dict[str, int]
    history: pd.DataFrame
    weights: dict[str, torch.Tensor]
    model: dict[str, torch.Tensor]
    details: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_data(path: Path) -> Dataset:
    """A prepared data set. Raises RunError where the file is missing or not whole; what tells of too little memory is passed on."""
    metadata: dict[str, str] = {}
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        dataset = from_tensors(load_file(path), metadata)
    except (OSError, SafetensorError, KeyError, ValueError, DataError) as error:
        if out_of_memory(error):
            raise
        ours = "dataset" in metadata or Path(*path.parts[-4:-3], *path.parts[-2:-1]) == Path(
            "results/data"
        )  # a file named by mistake stays
        remedy = "delete it and prepare it again with" if ours else "expected is results/STUDY/data/NAME.safetensors as it is written by"
        raise RunError(f"{path}: not a prepared data set ({error}); {remedy} `snakemake prepare`") from error
    return dataset


def begin(
    settings: RunSettings, dataset: Dataset, seed: int, device: torch.device, jobs: Path | None = None, teacher: nn.Module | None = None
) -> tuple[Training, Iterator[dict[str, float]], int]:
    """A training at its start, the iterator that carries it on, and the number of its rounds or epochs. ``teacher``: what a run learns
    from, where its kind does. ``jobs``: where numbers of remote jobs are kept.
    """
    method = method_of(settings)
    training = method.begin(settings, dataset, seed, device, teacher=teacher, jobs=jobs)
    try:
        return training, method.advance(training, settings, dataset, seed, teacher=teacher), settings.steps
    except BaseException:
        training.close()
        raise


def finish(training: Training, settings: RunSettings, dataset: Dataset, seed: int) -> RunResult:
    """What is reported of a training that has done all its rounds."""
    told = method_of(settings).tell(training, settings, dataset, seed)
    history = pd.DataFrame(training.rows)
    averaged = [
        name for name in history if str(name).endswith(("_percent", "_entropy", "_error")) and not str(name).startswith("last_batch")
    ]
    columns: Sequence[str] = averaged
    if told.reported is not None:
        columns, averaged = told.reported, []
    last = (len(history) if told.kept is None else told.kept) - 1
    weights = told.beside | {f"network.{name}": value for name, value in told.network.state_dict().items()}
    return RunResult(
        final={name: float(history[name].iloc[last]) for name in columns},
        last10={name: float(history[name].tail(LAST).mean()) for name in averaged},
        parameters=told.parameters,
        history=history,
        weights={name: value.detach().cpu().contiguous() for name, value in weights.items()},
        model=model_of(training.module, settings, dataset, seed),
        details={name: values for name, values in told.details.items() if values},
    )


def execute(
    run: Run, dataset: Dataset, results: Path, *, threads: int, device: str, checkpoint_seconds: float, teacher: Path | None = None
) -> RunResult:
    """Train a run to its end and write its folder. ``teacher``: weights that the run learns from, as their run has written them. Progress
    goes to stderr where that is a terminal.
    """
    torch.set_num_threads(threads)
    place = place_to_train(device)
    origin, network = provenance(place, threads), None
    if run.settings.learns_from is not None:
        with memory_told(run):
            network, origin["teacher_sha256"] = method_of(run.settings).source(run, dataset, teacher)  # type: ignore[attr-defined]
    origin["data_sha256"] = digest(dataset)
    sources = [origin[name] for name in ("data_sha256", "teacher_sha256") if name in origin]
    folder = checkpoint_folder(run, results)
    with exclusive(folder, run), memory_told(run), told_warnings():
        written = (file(run, results) for file in (model_file, weights_file, history_file, metrics_file))
        remove_leftovers(folder / STATE, *written)
        training, progressing, total = begin(run.settings, dataset, run.seed, place, folder / "jobs.jsonl", network)
        with closing(training):
            built = built_digests(run.settings, dataset, training.module, run.seed)
            if built:
                origin["built_sha256"] = built
                sources += built.values()
            advance(training, progressing, total, run, folder / STATE, sources, checkpoint_seconds, origin)
        try:
            result = finish(training, run.settings, dataset, run.seed)
        except BaseException:  # must not cost the training
            save_checkpoint(training, run, folder / STATE, sources)
            raise
        write_result(run, result, results, origin, training.places[:-1])
        (folder / STATE).unlink(missing_ok=True)
    return result


def place_to_train(device: str) -> torch.device:
    """Where ``execution.device`` has runs train; float32 is float32 there. Raises RunError where that is not here."""
    place = torch.device("cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu")
    if place.type == "cuda" and not torch.cuda.is_available():
        raise RunError("execution.device = 'cuda', but torch sees no GPU here; set it to cpu or auto")
    if place.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False  # convolutions, by default, would take ten bits of each number
    return place


@contextmanager
def told_warnings() -> Iterator[None]:
    """Warnings are told, whatever the surroundings make of them: a run is not given up for one."""
    with warnings.catch_warnings():
        if any(action == "error" for action, *_ in warnings.filters):
            warnings.simplefilter("default")
        yield


def advance(
    training: Training,
    progressing: Iterator[dict[str, float]],
    total: int,
    run: Run,
    state: Path,
    sources: list[str],
    checkpoint_seconds: float,
    origin: dict[str, Any],
) -> None:
    """Take up the checkpoint if there is one, and train to the end with new ones in between."""
    try:
        resume(training, run, state, sources)
        training.go_on(origin["device"], origin["commit"])
        saved = time.monotonic()
        with Progress(run.key, total, done=len(training.rows)) as progress:
            for row in progressing:
                progress.advance(row)
                if time.monotonic() - saved >= checkpoint_seconds and len(training.rows) < total:
                    save_checkpoint(training, run, state, sources)
                    saved = time.monotonic()
    except DivergenceError as error:
        raise RunError(f"run {run.study}/{run.key} diverged: {error}") from error


def write_result(run: Run, result: RunResult, results: Path, origin: dict[str, Any], begun: list[dict[str, str | None]]) -> None:
    """The run's folder, metrics.json last, with the digests of all else. ``begun``: where it was trained before, if that was elsewhere."""
    content, told = packed(result.model)
    history = result.history.to_csv(index=False, lineterminator="\n")
    metrics = {
        "run": run.model_dump(mode="json", exclude={"settings"}),
        "settings": run.settings.plain(),
        "final": result.final,
        "last10": result.last10,
        "parameters": result.parameters,
        **result.details,
        "model": told,
        "provenance": origin
        | ({"begun": begun} if begun else {})
        | {"finished": now(), "wall_seconds": float(result.history["seconds"].iloc[-1]), "peak_memory_mb": peak_memory_mb()}
        | {"history_sha256": hashlib.sha256(history.encode()).hexdigest()},
    }
    place = place_of(run, len(content), results)
    if content:
        write_atomic(place, content)
    for other in {model_file(run, results), weights_file(run, results)} - ({place} if content else set()):
        other.unlink(missing_ok=True)  # of an earlier training of this run
    write_atomic(history_file(run, results), history)
    write_atomic(metrics_file(run, results), json.dumps(metrics, indent=2) + "\n")
