"""Photonic Quantum-Train of several runs at once: what they train stands in one tensor with a leading axis, and one step moves all of them.

Runs of one shape (seeds of a variant) differ in their numbers and batches alone. Under torch.func.vmap their products become batched ones
and their convolutions grouped ones, so that a GPU is filled that one small network leaves idle. Between rounds everything stands in the
trainings themselves, as after a round of :func:`lightweights.training.alternating.alternate`: checkpoints and results are those of single
runs. Each run keeps its streams of randomness, so its batches are the same; its numbers agree with those of a single run to single
precision, not to the bit, because products are summed in another order.
"""

import copy
import math
import time
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional as F

from lightweights.photonics.noise import NoisyCircuit
from lightweights.quantum_train import QuantumTrain
from lightweights.settings.schedules import GradientSchedule
from lightweights.training.alternating import why_unsteady, with_weights
from lightweights.training.data import TrainingData, measure, minibatches, random_batch
from lightweights.training.replay import Replay
from lightweights.training.state import DivergenceError, EpochMeter, Training, adam, require_finite


def why_alone(generator: QuantumTrain, schedule: object) -> str:
    """Why a run cannot share its steps with others of its shape; nothing where it can."""
    reasons = {
        "its phases are not trained by gradients": not isinstance(schedule, GradientSchedule),
        "the gradient of its phases is clipped": isinstance(schedule, GradientSchedule) and schedule.phase_clip is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "") or why_unsteady(generator)


def round_together(stack: "Stack", data: TrainingData, schedule: GradientSchedule) -> list[dict[str, float] | DivergenceError]:
    """One round of each training of a stack; the history row of each, or why it has none.

    A training that diverges leaves the others as they are.
    """
    trainings = stack.trainings
    meters = _mapping_epochs(stack, data, schedule)
    stack.put_back()
    losses = _phase_steps(stack, data, schedule)
    stack.put_back()
    found: list[dict[str, float] | DivergenceError] = []
    for training, meter, loss in zip(trainings, meters, losses, strict=True):
        try:
            found.append(_measured(training, stack, data, schedule, {**meter.row(), "phase_loss": loss}))
        except DivergenceError as error:
            found.append(error)
    now = time.monotonic()
    for training, row in zip(trainings, found, strict=True):
        training.started = now - (now - training.started) / len(trainings)  # each bears its share of the time
        if isinstance(row, dict):
            training.finish_row(row)
    return found


def _measured(
    training: Training, stack: "Stack", data: TrainingData, schedule: GradientSchedule, losses: dict[str, float]
) -> dict[str, float]:
    """The history row of a training that has done a round. Raises DivergenceError where a number of what was trained is not finite."""
    generator, number = training.module, len(training.rows) + 1
    assert isinstance(generator, QuantumTrain)
    when, remedy = f"round {number}", f"schedule.mapping_lr (it is {schedule.mapping_lr:g})"
    if "mapping" in stack.optimisers and schedule.mapping_epochs:
        require_finite({name: value for name, value in losses.items() if name != "phase_loss"}, when, remedy)
    remedy += f" or schedule.phase_lr (it is {schedule.phase_lr:g})"
    if "phases" in stack.optimisers and schedule.phase_steps:
        require_finite({"phase_loss": losses["phase_loss"]}, when, remedy)
    generator.eval()
    with torch.no_grad():
        measured = measure(with_weights(generator, generator.weights()), data) if schedule.measured(number) else {}
    return {"round": number, **losses} | require_finite(measured, when, remedy)


class Loss(nn.Module):
    """Cross-entropy of a generator's network, as a function of what is trained and of the part of its weights that stands still."""

    def __init__(self, generator: QuantumTrain) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, fixed: Tensor, mapping: bool, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss and logits; ``fixed`` are the probabilities where the mapping is trained, else its coefficients."""
        made = self.generator
        weights = made.composed(made.coefficients(), fixed) if mapping else made.composed(fixed, made.probabilities())
        logits = made.call(weights, images)
        return F.cross_entropy(logits, labels), logits


class Stack:
    """The parameters of trainings that stand at the same round, and buffers that differ, each with a leading axis; Adam with the trainings'
    moments over them. It holds for as many rounds as nothing else changes the trainings.
    """

    def __init__(self, trainings: Sequence[Training]) -> None:
        self.trainings = trainings
        generators = [training.module for training in trainings]
        assert all(isinstance(generator, QuantumTrain) for generator in generators)
        mould = copy.deepcopy(generators[0]).train()
        for module in mould.modules():
            if hasattr(module, "layout"):
                module.layout = torch.contiguous_format  # type: ignore[assignment]  # vmap's extra axis knows no other
            if isinstance(module, NoisyCircuit):
                module.checks_herald = False  # that of each training still does, once a round
        self.loss = Loss(mould)  # type: ignore[arg-type]
        self.owners = [dict(generator.named_parameters()) for generator in generators]
        self.parameters = {name: _stacked([own[name].detach() for own in self.owners]) for name in self.owners[0]}
        buffers = [dict(generator.named_buffers()) for generator in generators]
        differ = (name for name, first in buffers[0].items() if any(not torch.equal(first, own[name]) for own in buffers[1:]))
        self.buffers = {name: torch.stack([own[name] for own in buffers]) for name in differ}
        self.optimisers = {name: self._adam(name) for name in trainings[0].optimisers}
        self._steps = {name: Replay(partial(self._step, name), self.loss) for name in self.optimisers}

    def _names(self, optimiser: str) -> list[str]:
        """Of the parameters that an optimiser moves, in its order."""
        names = {id(parameter): name for name, parameter in self.owners[0].items()}
        return [names[id(parameter)] for parameter in self.trainings[0].optimisers[optimiser].param_groups[0]["params"]]

    def _adam(self, name: str) -> torch.optim.Adam:
        own = [training.optimisers[name] for training in self.trainings]
        names = self._names(name)
        made = adam([self.parameters[parameter].requires_grad_() for parameter in names], own[0].param_groups[0]["lr"])
        for parameter in names:
            states = [optimiser.state[owner[parameter]] for optimiser, owner in zip(own, self.owners, strict=True)]
            if states[0]:
                moments = {key: torch.stack([state[key] for state in states]) for key in states[0] if key != "step"}
                made.state[self.parameters[parameter]] = {"step": states[0]["step"].clone(), **moments}
        return made

    @torch.no_grad()
    def put_back(self) -> None:
        """Everything that was trained into the trainings."""
        for index, (training, owner) in enumerate(zip(self.trainings, self.owners, strict=True)):
            for name, parameter in owner.items():
                parameter.copy_(self.parameters[name][index])
            for kind, made in self.optimisers.items():
                for name in self._names(kind):
                    state = made.state[self.parameters[name]]
                    if state:
                        moments = {key: value[index].clone() for key, value in state.items() if key != "step"}
                        training.optimisers[kind].state[owner[name]] = {"step": state["step"].clone(), **moments}

    @torch.no_grad()
    def each(self, part: str) -> Tensor:
        """What a method of the generators gives, below each other; they are as they were last put back."""
        return torch.stack([getattr(training.module, part)() for training in self.trainings])

    def step(self, optimiser: str, fixed: Tensor, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """One step of Adam for all runs; losses and logits before it, which hold until the next one."""
        losses, logits = self._steps[optimiser](fixed, images, labels)
        return losses, logits

    def _step(self, optimiser: str, fixed: Tensor, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        mapping = optimiser == "mapping"

        def one(own: dict[str, Tensor], fixed: Tensor, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            named = {f"generator.{name}": value for name, value in own.items()}
            return functional_call(self.loss, named, (fixed, mapping, images, labels))

        self.optimisers[optimiser].zero_grad()
        losses, logits = vmap(one)({**self.parameters, **self.buffers}, fixed, images, labels)
        losses.sum().backward()  # runs share no number, so each gets the gradient of its own loss
        self.optimisers[optimiser].step()
        return losses.detach(), logits.detach()


def _stacked(tensors: list[Tensor]) -> nn.Parameter:
    return nn.Parameter(torch.stack(tensors), requires_grad=False)


def _at(data: TrainingData, positions: list[Int[Tensor, " k"]]) -> tuple[Float[Tensor, "runs k ..."], Int[Tensor, "runs k"]]:
    return data.train.at(torch.stack(positions))


def _epoch(stack: Stack, data: TrainingData, schedule: GradientSchedule) -> Iterator[tuple[Tensor, Tensor]]:
    """The minibatches of an epoch, each run's by its own stream."""
    count = len(data.train)
    own = [minibatches(count, schedule.batch_size, training.streams["batches"]) for training in stack.trainings]
    for positions in zip(*own, strict=True):
        yield _at(data, list(positions))


def _mapping_epochs(stack: Stack, data: TrainingData, schedule: GradientSchedule) -> list[EpochMeter]:
    """Epochs of Adam on the mappings, the phases fixed; what the last one showed of each run."""
    meters = [EpochMeter() for _ in stack.trainings]
    probabilities = stack.each("probabilities")
    for _ in range(schedule.mapping_epochs if "mapping" in stack.optimisers else 0):
        total, images = torch.zeros(len(meters), device=probabilities.device), 0
        for inputs, labels in _epoch(stack, data, schedule):
            losses, logits = stack.step("mapping", probabilities, inputs, labels)
            total, images = total + losses * labels.shape[1], images + labels.shape[1]
        meters = [EpochMeter(total[run], images, (losses[run], logits[run], labels[run])) for run in range(len(meters))]
    return meters


def _phase_steps(stack: Stack, data: TrainingData, schedule: GradientSchedule) -> list[float]:
    """Steps of Adam on the phases, the mappings fixed; each run's last loss."""
    losses = torch.full((len(stack.trainings),), math.nan)
    if "phases" not in stack.optimisers:
        return losses.tolist()
    coefficients = stack.each("coefficients")
    for _ in range(schedule.phase_steps):
        positions = [random_batch(len(data.train), schedule.phase_batch_size, t.streams["phase-batches"]) for t in stack.trainings]
        losses, _ = stack.step("phases", coefficients, *_at(data, positions))
    return losses.tolist()
