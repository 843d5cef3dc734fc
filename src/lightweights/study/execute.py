"""One run: from settings and prepared data to metrics, history and weights.

A run killed at any moment goes on from its last checkpoint to the bit-identical result. Everything is written under a temporary name and
renamed, metrics.json last.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from lightweights.baselines import Baseline, baseline_epochs, begin_baseline, build_baseline
from lightweights.datasets import DataError, Dataset, digest, from_tensors
from lightweights.distillation.student_training import Student
from lightweights.distillation.teacher_training import Taught
from lightweights.errors import LightweightsError
from lightweights.mapping import MPS, LogitTanh, MPSMapping
from lightweights.networks import build_network
from lightweights.params import Run, RunSettings, StudentSchedule, TeacherSchedule
from lightweights.photonics import Circuit
from lightweights.photonics.backends import Backend, Remembered
from lightweights.photonics.remote import Remote
from lightweights.quantum_train import QuantumTrain, smallest_circuits
from lightweights.study.devices import backend_of, hardware_of
from lightweights.study.distillation import begin_distillation, counts_of, distillation_data, inference_of, read_teacher, shown_of
from lightweights.study.files import remove_leftovers, write_atomic
from lightweights.study.layout import checkpoint_folder, history_file, metrics_file, weights_file
from lightweights.study.progress import Progress
from lightweights.study.provenance import now, peak_memory_mb, provenance
from lightweights.training.alternating import begin_rounds, rounds
from lightweights.training.classical import begin_classical, classical_epochs
from lightweights.training.data import on_device
from lightweights.training.influence import photon_influence
from lightweights.training.randomness import stream
from lightweights.training.regeneration import regenerated_accuracies
from lightweights.training.state import DivergenceError, Training

LAST = 10
"""Rounds (epochs) over which the second reported value is averaged."""


class RunError(LightweightsError):
    """A run that cannot be finished; the message names it and says what to do."""


@dataclass(frozen=True)
class RunResult:
    """Final numbers, parameter counts, one history row a round or epoch, the tensors that inference needs; for generators with photons
    how much these matter, for teachers and students what figures show of them.
    """

    final: dict[str, float]
    last10: dict[str, float]
    parameters: dict[str, int]
    history: pd.DataFrame
    weights: dict[str, torch.Tensor]
    photons: dict[str, float] = field(default_factory=dict)
    distillation: dict[str, Any] = field(default_factory=dict)


def read_data(path: Path) -> Dataset:
    """A prepared data set. Raises RunError where the file is missing or not whole; what tells of too little memory is passed on."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
        dataset = from_tensors(load_file(path), metadata)
    except (OSError, SafetensorError, KeyError, ValueError, DataError) as error:
        if out_of_memory(error):
            raise
        raise RunError(f"{path}: not a prepared data set ({error}); delete it and prepare it again with `snakemake prepare`") from error
    return dataset


def build_generator(settings: RunSettings, dataset: Dataset, seed: int, backend: Backend | None = None) -> QuantumTrain:
    """The target network behind its photonic generator, at its initial values."""
    assert settings.photonics and settings.mapping and settings.network
    network = build_network(settings.network, dataset.input_shape, dataset.classes, seed)
    if isinstance(backend, Remote):  # before the generator asks it anything
        shapes = settings.photonics.circuits
        if shapes == "auto":
            shapes = smallest_circuits(sum(p.numel() for p in network.parameters() if p.requires_grad))
        for modes, photons in shapes:
            backend.check(Circuit(modes, photons))
    recipe = LogitTanh() if settings.mapping.kind == "logit-tanh" else MPS(settings.mapping.bond_dim, settings.mapping.init_std)
    return QuantumTrain(
        network,
        settings.photonics.circuits,
        recipe,
        mesh=settings.photonics.mesh,
        input_state=settings.photonics.input_state,
        bunching=settings.photonics.bunching,
        normalisation=settings.photonics.normalisation,
        arm=settings.photonics.arm or "photonic",
        hardware=hardware_of(settings.photonics),
        staleness=settings.photonics.staleness or 0,
        backend=backend,
        generator=stream(seed, "initial-values"),
    )


def begin(
    settings: RunSettings,
    dataset: Dataset,
    seed: int,
    device: torch.device,
    jobs: Path | None = None,
    teacher: nn.Module | None = None,
) -> tuple[Training, Iterator[dict[str, float]], int]:
    """A training at its start, the iterator that carries it on, and the number of its rounds or epochs. A student needs its teacher.
    ``jobs``: where numbers of remote jobs are kept.
    """
    schedule = settings.schedule
    if isinstance(schedule, TeacherSchedule | StudentSchedule):
        return begin_distillation(settings, dataset, seed, device, teacher)
    data = on_device(dataset, device)
    assert settings.network is not None
    if schedule.protocol == "classical" and settings.baseline:
        training = begin_baseline(build_baseline(settings, dataset.input_shape, dataset.classes, seed).to(device), schedule, seed)
        return training, baseline_epochs(training, data, schedule), schedule.epochs
    if schedule.protocol == "classical":
        network = build_network(settings.network, dataset.input_shape, dataset.classes, seed).to(device)
        training = begin_classical(network, schedule, seed)
        return training, classical_epochs(training, data, schedule), schedule.epochs
    assert settings.photonics is not None
    backend = backend_of(settings.photonics, jobs)
    try:
        training = begin_rounds(build_generator(settings, dataset, seed, backend).to(device), schedule, seed)
    except BaseException:
        if backend is not None:
            Remembered(backend).close()
        raise
    return training, rounds(training, data, schedule), schedule.rounds


def finish(training: Training) -> RunResult:
    """What is reported of a training that has done all its rounds."""
    history = pd.DataFrame(training.rows)
    columns = [
        name for name in history if str(name).endswith(("_percent", "_entropy", "_error")) and not str(name).startswith("last_batch")
    ]
    last = history
    if isinstance(training.module, Taught | Student):
        parameters = counts_of(training.module)
        inference, weights = inference_of(training.module)
        if isinstance(training.module, Taught) and training.module.best is not None:
            last = history[: history["validation_accuracy_percent"].idxmax() + 1]  # of the epoch whose network is kept
    elif isinstance(training.module, QuantumTrain | Baseline):
        parameters = training.module.parameter_counts()
        inference = training.module.bake()
        weights = {
            f"generator.{name}": p for name, p in training.module.state_dict().items() if not name.startswith(("target.", "student."))
        }
    else:
        total = sum(p.numel() for p in training.module.parameters())
        zero = dict.fromkeys(("mapping", "phases_published", "phases_used", "phases_effective"), 0)
        parameters = {"target": total, **zero, **dict.fromkeys(("trained_published", "trained_used", "trained_effective"), total)}
        inference, weights = training.module, {}
    weights |= {f"network.{name}": value for name, value in inference.state_dict().items()}
    return RunResult(
        final={name: float(last[name].iloc[-1]) for name in columns},
        last10={name: float(history[name].tail(LAST).mean()) for name in columns},
        parameters=parameters,
        history=history,
        weights={name: value.detach().cpu().contiguous() for name, value in weights.items()},
    )


def execute(
    run: Run, dataset: Dataset, results: Path, *, threads: int, device: str, checkpoint_seconds: float, teacher: Path | None = None
) -> RunResult:
    """Train a run to its end and write its folder. ``teacher``: weights of a student's teacher, as its run has written them. Progress
    goes to stderr where that is a terminal.
    """
    torch.set_num_threads(threads)
    place = torch.device("cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu")
    if place.type == "cuda" and not torch.cuda.is_available():
        raise RunError("execution.device = 'cuda', but torch sees no GPU here; set it to cpu or auto")
    origin, network = provenance(place, threads), None
    if run.settings.method == "student":
        with memory_told(run):
            network, origin["teacher_sha256"] = read_teacher(run, dataset, teacher)
    origin["data_sha256"] = digest(dataset)
    sources = [origin[name] for name in ("data_sha256", "teacher_sha256") if name in origin]
    folder = checkpoint_folder(run, results)
    with exclusive(folder, run), memory_told(run):
        written = (file(run, results) for file in (weights_file, history_file, metrics_file))
        remove_leftovers(folder / "state.safetensors", *written)
        training, progressing, total = begin(run.settings, dataset, run.seed, place, folder / "jobs.jsonl", network)
        try:
            resume(training, run, folder / "state.safetensors", sources)
            saved = time.monotonic()
            with Progress(run.key, total, done=len(training.rows)) as progress:
                for row in progressing:
                    progress.advance(row)
                    if time.monotonic() - saved >= checkpoint_seconds and len(training.rows) < total:
                        save_checkpoint(training, run, folder / "state.safetensors", sources)
                        saved = time.monotonic()
        except DivergenceError as error:
            raise RunError(f"run {run.study}/{run.key} diverged: {error}") from error
        finally:
            if isinstance(training.module, QuantumTrain) and training.module.backend is not None:
                training.module.backend.close()
        result = replace(finish(training), photons=photons_of(training, run, dataset), distillation=distillation_of(training, run, dataset))
        write_result(run, result, results, origin)
        (folder / "state.safetensors").unlink(missing_ok=True)
    return result


def photons_of(training: Training, run: Run, dataset: Dataset) -> dict[str, float]:
    """How much the photons matter in a trained generator, on the data set's last test set; nothing where there are none."""
    module = training.module
    if not isinstance(module, QuantumTrain) or not module.arm.phases_matter or module.backend is not None:
        return {}
    if not isinstance(module.mapping, MPSMapping):
        return {}
    device = module.phases[0].device
    initial = build_generator(run.settings, dataset, run.seed).to(device)
    test = list(on_device(dataset, device).tests.values())[-1]
    found = photon_influence(module, initial, test, stream(run.seed, "influence"))
    if run.settings.regenerate is not None:
        devices = {name: hardware_of(section) for name, section in run.settings.regenerate.devices().items()}
        found |= regenerated_accuracies(module, devices, test, stream(run.seed, "regeneration"))
    return found


def distillation_of(training: Training, run: Run, dataset: Dataset) -> dict[str, Any]:
    """What figures show of a teacher or student; nothing of any other run."""
    if not isinstance(training.module, Taught | Student):
        return {}
    return shown_of(training.module, distillation_data(run.settings, dataset, run.seed, device_of(training)), run.settings)


def device_of(training: Training) -> torch.device:
    """Where a training's module lies."""
    return next(training.module.parameters()).device


def write_result(run: Run, result: RunResult, results: Path, origin: dict[str, Any]) -> None:
    """The run's folder and weights, metrics.json last."""
    weights = save(result.weights)
    metrics = {
        "run": run.model_dump(mode="json", exclude={"settings"}),
        "settings": run.settings.plain(),
        "final": result.final,
        "last10": result.last10,
        "parameters": result.parameters,
        **({"photons": result.photons} if result.photons else {}),
        **({"distillation": result.distillation} if result.distillation else {}),
        "provenance": origin
        | {"finished": now(), "wall_seconds": float(result.history["seconds"].iloc[-1]), "peak_memory_mb": peak_memory_mb()}
        | {"weights_sha256": hashlib.sha256(weights).hexdigest()},
    }
    write_atomic(weights_file(run, results), weights)
    write_atomic(history_file(run, results), result.history.to_csv(index=False, lineterminator="\n"))
    write_atomic(metrics_file(run, results), json.dumps(metrics, indent=2) + "\n")


@contextmanager
def exclusive(folder: Path, run: Run) -> Iterator[None]:
    """Hold the run's lock: two processes never train the same run. The system frees the lock of a killed process."""
    lock = filelock.FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    except filelock.Timeout:
        raise RunError(f"run {run.study}/{run.key} is being trained by another process; wait for it, or stop it and start again") from None
    except OSError as error:
        raise RunError(f"{folder} cannot be written to: {error}; set permissions or make room, then start again") from error
    with held:
        yield


@contextmanager
def memory_told(run: Run) -> Iterator[None]:
    """Say what to do where memory does not suffice; Python and torch tell of it in different ways."""
    try:
        yield
    except (MemoryError, RuntimeError, ImportError, OSError, SafetensorError) as error:
        if isinstance(error, LightweightsError) or not out_of_memory(error):
            raise
        raise RunError(
            f"run {run.study}/{run.key}: not enough memory ({(str(error) or 'MemoryError').splitlines()[0]}); "
            "run fewer at once or give its job more (mem_mb), then start again: it goes on from its checkpoint"
        ) from error


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory did not suffice. Torch loads some of its libraries when it first needs them."""
    words = r"out of memory|(not enough|insufficient|allocat\w*|create a) memory|memory allocation|failed to map segment|bad_?alloc"
    return isinstance(error, MemoryError) or re.search(words, str(error), re.IGNORECASE) is not None


def save_checkpoint(training: Training, run: Run, path: Path, sources: Sequence[str] = ()) -> None:
    """The whole state in one file. ``sources``: digests of what the run is made from, its data and its teacher."""
    metadata = {"identity": identity(run, sources), "rows": json.dumps(training.rows)}
    write_atomic(path, save(training.tensors(), metadata))


def resume(training: Training, run: Run, path: Path, sources: Sequence[str] = ()) -> None:
    """Take up the checkpoint if there is one that belongs to this run and its sources; one that is damaged is set aside and told of. One
    that cannot be read for want of memory or of a disk stays where it is.
    """
    if not path.is_file():
        return
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
        if metadata["identity"] != identity(run, sources):
            print(f"{path}: the checkpoint belongs to other settings, data or teacher; starting from the beginning")
            return
        training.restore(load_file(path), json.loads(metadata["rows"]))
        print(f"{run.key}: going on from its checkpoint, with {len(training.rows)} rounds or epochs done", flush=True)
    except OSError as error:
        if out_of_memory(error):
            raise
        raise RunError(f"{path}: the checkpoint cannot be read now ({error}) and is left as it is; mend that, then start again") from error
    except (SafetensorError, KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        if out_of_memory(error):
            raise
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        raise RunError(
            f"{path}: the checkpoint cannot be read ({error}). It has been set aside as {aside.name}; "
            "start the run again and it trains from the beginning"
        ) from error


def identity(run: Run, sources: Sequence[str]) -> str:
    """Seed, settings and digests of the sources as text: a checkpoint belongs to the run whose identity it carries."""
    return json.dumps([run.seed, run.settings.plain(), *sources], sort_keys=True)
