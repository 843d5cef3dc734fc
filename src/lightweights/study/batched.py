"""Runs of one shape in one process, trained step by step together (``execution.batch``); what is written of each is as of a single run.

A batch that is killed goes on from its runs' checkpoints, whether they were trained together or alone; a run that fails leaves the others.
"""

import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from lightweights.datasets import Dataset, digest
from lightweights.errors import LightweightsError
from lightweights.files import remove_leftovers
from lightweights.methods.method import method_of
from lightweights.quantum_train import QuantumTrain
from lightweights.settings.own_code import said
from lightweights.settings.runs import Run
from lightweights.settings.schedules import GradientSchedule
from lightweights.study.checkpoint import STATE, resume, save_checkpoint
from lightweights.study.execute import RunResult, execute, finish, place_to_train, told_warnings, write_result
from lightweights.study.faults import RunError, memory_told
from lightweights.study.layout import checkpoint_folder, history_file, metrics_file, model_file, weights_file
from lightweights.study.lock import exclusive
from lightweights.study.provenance import provenance
from lightweights.training.batched import Stack, round_together, why_alone
from lightweights.training.data import on_device
from lightweights.training.state import DivergenceError, Training

Outcome = RunResult | LightweightsError


@dataclass
class Member:
    """A run of a batch under way."""

    run: Run
    training: Training
    state: Path
    sources: list[str]


def execute_batch(
    runs: list[Run], dataset: Dataset, results: Path, *, threads: int, device: str, checkpoint_seconds: float
) -> dict[str, Outcome]:
    """Train runs of one shape to their end and write their folders; the result of each by its key, or why it has none. Those that cannot
    share steps are trained one after the other.
    """
    torch.set_num_threads(threads)
    place, data_sha256 = place_to_train(device), digest(dataset)
    origin = provenance(place, threads)
    outcomes: dict[str, Outcome] = {}
    alone: list[Run] = []
    with ExitStack() as stack, told_warnings():
        members = []
        for run in runs:
            try:
                member = stack.enter_context(_opened(run, dataset, results, place, data_sha256))
                member.training.go_on(origin["device"], origin["commit"])
                if why_alone(_generator(member.training), run.settings.schedule):
                    alone.append(run)
                else:
                    members.append(member)
            except LightweightsError as error:
                outcomes[run.key] = error
        data = on_device(dataset, place)
        saved = time.monotonic()
        stacked: dict[tuple[str, ...], Stack] = {}
        while left := [m for m in members if len(m.training.rows) < m.run.settings.steps and m.run.key not in outcomes]:
            behind = min(len(member.training.rows) for member in left)
            level = [member for member in left if len(member.training.rows) == behind]
            sharing = [member for member in level if _shapes(member) == _shapes(level[0])]
            schedule = sharing[0].run.settings.schedule
            assert isinstance(schedule, GradientSchedule)
            keys = tuple(member.run.key for member in sharing)
            if keys not in stacked:
                stacked[keys] = Stack([member.training for member in sharing])
            for member, row in zip(sharing, round_together(stacked[keys], data, schedule), strict=True):
                if isinstance(row, DivergenceError):
                    outcomes[member.run.key] = RunError(f"run {member.run.study}/{member.run.key} diverged: {row}")
            if time.monotonic() - saved >= checkpoint_seconds:
                for member in sharing:
                    if member.run.key not in outcomes:
                        save_checkpoint(member.training, member.run, member.state, member.sources)
                saved = time.monotonic()
        origin |= {"data_sha256": data_sha256, "batch": len(members)}
        for member in members:
            if member.run.key not in outcomes:
                outcomes[member.run.key] = _finished(member, dataset, results, origin)
    for run in alone:
        try:
            outcomes[run.key] = execute(run, dataset, results, threads=threads, device=device, checkpoint_seconds=checkpoint_seconds)
        except LightweightsError as error:
            outcomes[run.key] = error
    return outcomes


@contextmanager
def _opened(run: Run, dataset: Dataset, results: Path, place: torch.device, data_sha256: str) -> Iterator[Member]:
    """A run at its start or checkpoint, locked against others."""
    folder = checkpoint_folder(run, results)
    with exclusive(folder, run), memory_told(run):
        remove_leftovers(folder / STATE, *(file(run, results) for file in (model_file, weights_file, history_file, metrics_file)))
        training = method_of(run.settings).begin(run.settings, dataset, run.seed, place, teacher=None, jobs=None)
        member = Member(run, training, folder / STATE, [data_sha256])
        resume(training, run, member.state, member.sources)
        try:
            yield member
        finally:
            training.close()


def _finished(member: Member, dataset: Dataset, results: Path, origin: dict) -> Outcome:
    try:
        result = finish(member.training, member.run.settings, dataset, member.run.seed)
    except Exception as error:  # it must not cost this training, nor the others
        save_checkpoint(member.training, member.run, member.state, member.sources)
        if isinstance(error, LightweightsError):
            return error
        traceback.print_exc()
        return RunError(f"run {member.run.study}/{member.run.key}: {said(error)}")
    write_result(member.run, result, results, origin, member.training.places[:-1])
    member.state.unlink(missing_ok=True)
    return result


def _shapes(member: Member) -> list[torch.Size]:
    """Of what it trains. Settings alone do not tell: an arm may have as many numbers as its circuits have effective phases."""
    return [parameter.shape for parameter in member.training.module.parameters()]


def _generator(training: Training) -> QuantumTrain:
    assert isinstance(training.module, QuantumTrain)
    return training.module
