"""Training a generated module on data of one's own: any batches, any loss, any device, by the project's own alternating loop.

A round is epochs of Adam on the mapping with the phases fixed, then the phases with the mapping fixed
(:mod:`lightweights.training.alternating`). :func:`fit` yields a row of numbers after each round, and can stop and go on.
"""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from lightweights.errors import LightweightsError
from lightweights.quantum_train import QuantumTrain
from lightweights.settings.schedules import CobylaSchedule, GradientSchedule, SpsaSchedule
from lightweights.training.alternating import Schedule, alternate, drawn_from, optimisers_of
from lightweights.training.progress import Progress
from lightweights.training.randomness import stream
from lightweights.training.rehearsal import batch_of_one, refusal, with_tensors
from lightweights.training.state import Training
from lightweights.training.task import Call, Task
from lightweights.watch import tell

Callback = Callable[[dict[str, float], QuantumTrain], Mapping[str, float] | None]
Row = dict[str, float]

SCHEDULES: dict[str, type[Schedule]] = {"gradient": GradientSchedule, "cobyla": CobylaSchedule, "spsa": SpsaSchedule}
USUAL = {"mapping_epochs": 1, "mapping_lr": 5e-3, "phase_steps": 5}
"""Where fit's schedule differs from the settings' defaults, which are the paper's study's."""
DECIDED = {
    "batch_size": "the batches themselves",
    "phase_batch_size": "the batches themselves",
    "measure_every": "the callbacks, which are called after each round",
}
"""Settings that mean nothing to fit, and what decides in their place."""


SECONDS = 10.0
"""A state is written when the last one is this old, and when the training ends or is stopped."""


class FitError(LightweightsError, ValueError):
    """A training that cannot be done as asked; says what to change."""


def fit(
    generated: QuantumTrain,
    batches: Iterable[Any],
    *,
    loss: Callable[..., Tensor] = F.cross_entropy,
    objective: Callable[[Call, Any], Tensor] | None = None,
    rounds: int = 20,
    schedule: str | Mapping[str, Any] = "gradient",
    decay: bool = True,
    callbacks: Iterable[Callback] = (),
    state: str | Path | None = None,
    seed: int | None = None,
    progress: bool = True,
) -> Iterator[Row]:
    """Train ``generated`` for ``rounds`` rounds; yields a row after each: ``round``, ``training_loss``, ``phase_loss``, ``seconds``, and
    what the callbacks add. Nothing is trained until rows are asked for.

    ``batches`` is gone through once an epoch: a DataLoader, or a list. A batch is (inputs, targets), with inputs a tensor, or a tuple or
    dict of arguments of the module, and its loss is ``loss(outputs, targets)``, a mean; batches of any other form go to
    ``objective(call, batch)``, which calls the module as ``call(...)`` and returns the loss. Tensors are moved to the generator's device.

    ``schedule``: ``"gradient"``, ``"cobyla"``, ``"spsa"``, or a dict of its settings with the names of ``params.yaml``, such as
    ``{"mapping_lr": 5e-3, "phase_lr": 1e-2, "mapping_epochs": 1, "phase_steps": 5}`` (these are the defaults; batch sizes are those of
    ``batches``). ``decay``: learning rates fall linearly to 0 over the rounds. ``callbacks`` are called as ``callback(row, generated)`` in
    evaluation mode and without gradients; a mapping that they return is added to the row.

    ``state``: a file for the training's whole state. With it a training that was stopped goes on where it was, to the bit-identical result
    where batches depend on torch's global generator or the loader's own alone. ``seed`` decides perturbations and redrawn answers, not the
    order of batches; without it they follow ``torch.manual_seed``.

    Raises FitError where arguments cannot be, ValueError-like and at once, and before the first step where an epoch would end in a batch of
    one case on which the module's norms cannot be trained; DivergenceError where the loss is no longer finite.
    """
    if not isinstance(generated, QuantumTrain):
        raise FitError(f"fit trains a QuantumTrain, not {type(generated).__name__}; wrap the module first: QuantumTrain(module)")
    if isinstance(batches, Iterator):
        raise FitError(
            "batches is an iterator, which is empty after one epoch; give a DataLoader, a list, or something else to go through again"
        )
    if isinstance(batches, Sized) and not len(batches):
        raise FitError("batches is empty: there is nothing to train on")
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise FitError(f"rounds {rounds!r}: expected a whole number, 1 or more")
    settings = schedule_of(schedule, rounds)
    seed = int(torch.randint(2**31, (), device="cpu")) if seed is None else seed
    streams = {purpose: stream(seed, purpose) for purpose in drawn_from(generated, settings)} | _surroundings(generated, batches)
    training = Training(generated, optimisers_of(generated, settings), streams)
    if not training.optimisers and isinstance(settings, GradientSchedule):
        raise FitError("nothing of this generator is trained: its mapping has no parameters and its arm and phases are fixed")
    task = _Batches(generated, batches, loss, objective)
    place = None if state is None else Path(state)
    if place is not None:
        _resume(training, place, _identity(generated, settings))
    return _rows(training, task, settings, tuple(callbacks), decay, place, progress)


def schedule_of(schedule: str | Mapping[str, Any], rounds: int) -> Schedule:
    """The schedule that a name or a dict of settings means. Raises FitError for an unknown name or setting."""
    told = {"protocol": schedule} if isinstance(schedule, str) else dict(schedule)
    name = told.pop("protocol", "gradient")
    if name not in SCHEDULES:
        raise FitError(f"schedule {name!r}: expected one of {', '.join(SCHEDULES)}, or a dict of settings")
    kind = SCHEDULES[name]
    for unused, decided in DECIDED.items():
        if unused in told:
            raise FitError(f"schedule: {unused} is decided by {decided}; leave it out")
    usual = {setting: value for setting, value in USUAL.items() if setting in kind.model_fields}
    try:
        return kind(**(usual | told | {"rounds": rounds}))  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        known = ", ".join(name for name in kind.model_fields if name not in ("protocol", "rounds", *DECIDED))
        raise FitError(f"schedule: {'.'.join(map(str, first['loc']))}: {first['msg']}; settings are {known}") from error


class _Batches:
    """The user's batches as a task of the loop, and the position of the phases in them."""

    def __init__(self, generated: QuantumTrain, batches: Iterable[Any], loss: Callable, objective: Callable | None) -> None:
        self.batches, self.device = batches, generated.phases[0].device
        self._loss, self._objective = loss, objective
        self._phases: Iterator[Any] = iter(())
        self._generated, self._seen = generated, False

    def new_round(self) -> None:
        """The phases begin anew with the first batch, so that a round does not depend on where the last one stopped."""
        self._phases = iter(())

    def epoch(self) -> Iterator[Any]:
        count = 0
        for count, batch in enumerate(self.batches, 1):  # noqa: B007
            yield self._ready(batch)
        if not count:
            raise FitError("batches gave no batch: there is nothing to train on")

    def batch(self) -> Any:
        for _ in range(2):
            for batch in self._phases:
                return self._ready(batch)
            self._phases = iter(self.batches)
        raise FitError("batches gave no batch: there is nothing to train on")

    def _ready(self, batch: Any) -> Any:
        """A batch on the device. Before the first is trained on, what would end the epoch is told: a last batch of one."""
        if not self._seen:
            self._seen = True
            alone, known = batch_of_one(self.batches, batch)
            why = "" if alone is None else refusal(self._generated, on_device(alone, self.device), self.loss)
            if why and known:
                raise FitError(
                    f"a batch of an epoch has one case alone, on which this module cannot be trained ({why}); "
                    "use drop_last=True of the DataLoader, or batches of another size"
                )
            if why:
                tell(f"should a batch have one case alone, the training ends there: this module cannot be trained on it ({why})")
        return on_device(batch, self.device)

    def loss(self, call: Call, batch: Any) -> tuple[Tensor, Any, Any]:
        if self._objective is not None:
            found = self._objective(call, batch)
            size = 1
        elif isinstance(batch, tuple | list) and len(batch) == 2:
            inputs, targets = batch
            outputs = call(**inputs) if isinstance(inputs, Mapping) else call(*inputs) if isinstance(inputs, tuple | list) else call(inputs)
            if isinstance(targets, Tensor) and isinstance(outputs, Tensor) and targets.dim() and len(targets) != len(outputs):
                raise FitError(f"a batch has {len(targets)} targets, but the module gives {len(outputs)} outputs for it")
            found, size = self._loss(outputs, targets), len(targets) if isinstance(targets, Tensor) and targets.dim() else 1
        else:
            kind = f"{type(batch).__name__} of {len(batch)}" if isinstance(batch, Sized) else type(batch).__name__
            raise FitError(f"a batch is a {kind}, not (inputs, targets); say with objective=function(call, batch) what its loss is")
        if not isinstance(found, Tensor) or found.numel() != 1:
            raise FitError(f"the loss of a batch is {getattr(found, 'shape', found)}; expected one number, the mean over the batch")
        return found.reshape(()), size, None

    def task(self) -> Task:
        """As the loop takes it. Nothing is measured: callbacks do."""
        return Task(self.epoch, self.batch, self.loss, lambda call: {}, MeanLoss)


class MeanLoss:
    """Mean loss of an epoch, each batch with as much weight as it has targets."""

    def __init__(self) -> None:
        self.loss: Tensor | float = 0.0
        self.size = 0

    def add(self, loss: Tensor, size: int, _: Any) -> None:
        """One more batch."""
        self.loss = self.loss + loss.detach() * size
        self.size += size

    def row(self) -> dict[str, float]:
        """``training_loss``; NaN where nothing was seen."""
        return {"training_loss": float(self.loss) / self.size if self.size else math.nan}


def _rows(
    training: Training, batches: _Batches, schedule: Schedule, callbacks: tuple[Callback, ...], decay: bool, place: Path | None, shown: bool
) -> Iterator[Row]:
    generated = training.module
    assert isinstance(generated, QuantumTrain)
    identity, was_training = _identity(generated, schedule), generated.training
    rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in training.optimisers.items()}
    loop = alternate(training, batches.task(), schedule)
    written, saved, whole = len(training.rows), time.monotonic(), True
    try:
        with Progress("fit", schedule.rounds, len(training.rows), shown) as bar:
            while len(training.rows) < schedule.rounds:
                for name, optimiser in training.optimisers.items():
                    optimiser.param_groups[0]["lr"] = rates[name] * (1 - len(training.rows) / schedule.rounds if decay else 1)
                batches.new_round()
                whole = False
                row = next(loop)
                with torch.no_grad():
                    for callback in callbacks:
                        row |= callback(row, generated) or {}
                whole = True
                bar.advance(row)
                if place is not None and time.monotonic() - saved >= SECONDS:
                    _write(training, place, identity)
                    written, saved = len(training.rows), time.monotonic()
                yield row
    finally:
        # Between two rounds the state is whole, whatever stops the training there.
        if place is not None and whole and len(training.rows) > written:
            _write(training, place, identity)
        generated.train(was_training)


def _surroundings(generated: QuantumTrain, batches: Iterable[Any]) -> dict[str, torch.Generator]:
    """The generators that the module's layers and the batches draw from, as they are: part of a state that can be taken up again."""
    found = {"modules": torch.default_generator}
    device = generated.phases[0].device
    if device.type == "cuda":
        found["device"] = torch.cuda.default_generators[device.index or 0]
    for owner, name in ((batches, "loader"), (getattr(batches, "sampler", None), "sampler")):
        own = getattr(owner, "generator", None)
        if isinstance(own, torch.Generator):
            found[name] = own
    return found


def _identity(generated: QuantumTrain, schedule: Schedule) -> str:
    slots = [[slot.name, list(slot.shape)] for slot in generated.selection.generated]
    shapes = [[c.modes, c.photons] for c in generated.circuits]
    return json.dumps([slots, shapes, generated.arm_name, repr(generated.recipe), schedule.model_dump(mode="json", exclude={"rounds"})])


def _write(training: Training, place: Path, identity: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.part")
    temporary.write_bytes(save(training.tensors(), {"identity": identity, "rows": json.dumps(training.rows)}))
    temporary.replace(place)


def _resume(training: Training, place: Path, identity: str) -> None:
    if not place.exists():
        return
    try:
        with safe_open(place, framework="pt") as file:
            told = file.metadata() or {}
        if told.get("identity") != identity:
            raise FitError(f"state {place} belongs to another training (other weights, circuits, mapping or schedule); name another file")
        training.restore(load_file(place), json.loads(told["rows"]))
    except (SafetensorError, KeyError, RuntimeError, OSError) as error:
        raise FitError(f"state {place} cannot be taken up ({error}); name another file to start anew") from error


def on_device(batch: Any, device: torch.device) -> Any:
    """A batch with its tensors on a device."""
    return with_tensors(batch, lambda tensor: tensor.to(device, non_blocking=True))
