"""Photonic Quantum-Train in rounds: the mapping with the phases fixed, then the phases with the mapping fixed.

Three protocols. ``gradient``: Adam on the phases, exact gradients, each step on a fresh random batch. ``cobyla``: one run of SciPy's COBYLA
over all phases on one random batch, its best point taken over, as in the notebooks of arXiv 2505.08474. ``spsa``: simultaneous
perturbations, two evaluations a step, each step on a fresh batch, with the gains of Spall, IEEE Trans. Aerosp. Electron. Syst. 34, 817
(1998). The mapping's part is the same in all: Adam over whole epochs. Adam's moments are kept from round to round.

What is trained on, and by which loss, is the task's affair (:mod:`lightweights.training.task`): the study and
:func:`lightweights.fitting.fit` share this loop.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from lightweights.quantum_train import QuantumTrain
from lightweights.settings.schedules import CobylaSchedule, GradientSchedule, SpsaSchedule
from lightweights.training.cobyla import powell_cobyla
from lightweights.training.data import TrainingData
from lightweights.training.randomness import module_stream, stream
from lightweights.training.replay import Replay
from lightweights.training.spsa import spsa_step
from lightweights.training.state import Training, adam, require_finite
from lightweights.training.task import Call, Meter, Task, classification

Schedule = GradientSchedule | CobylaSchedule | SpsaSchedule


def begin_rounds(generator: QuantumTrain, schedule: Schedule, seed: int) -> Training:
    """A training that has not started, with all its streams of randomness."""
    streams = {purpose: stream(seed, purpose) for purpose in ["batches", "phase-batches", *drawn_from(generator, schedule)]}
    streams["modules"] = module_stream(seed, generator.phases[0].device)
    return Training(generator, optimisers_of(generator, schedule), streams)


def drawn_from(generator: QuantumTrain, schedule: Schedule) -> list[str]:
    """Purposes of randomness beside batches: answers of devices and arms, and perturbations."""
    drawn = generator.arm.resampled or generator.answers_vary
    return ["redraws"] * drawn + ["perturbations"] * isinstance(schedule, SpsaSchedule)


def optimisers_of(generator: QuantumTrain, schedule: Schedule) -> dict[str, torch.optim.Optimizer]:
    """Adam for the mapping and what is trained with it, and in the gradient protocol for the phases."""
    optimisers: dict[str, torch.optim.Optimizer] = {}
    mapping, trained = generator.trained_with_mapping(), generator.trained_beside_mapping()
    if mapping:
        optimisers["mapping"] = adam(mapping, schedule.mapping_lr)
    if isinstance(schedule, GradientSchedule) and trained:
        optimisers["phases"] = adam(trained, schedule.phase_lr)
        if schedule.phase_clip is not None:
            longest = schedule.phase_clip
            optimisers["phases"].register_step_pre_hook(lambda *_: clip_gradient(trained, longest))
    return optimisers


def clip_gradient(parameters: list[nn.Parameter], longest: float) -> None:
    """Scale the gradient of all parameters together down to the norm ``longest`` where it is longer."""
    nn.utils.clip_grad_norm_(parameters, longest)


def rounds(training: Training, data: TrainingData, schedule: Schedule) -> Iterator[dict[str, float]]:
    """Train on images and classes, round by round from where the training stands; yields the history row of each."""
    yield from alternate(training, classification(data, schedule.batch_size, schedule.phase_batch_size, training.streams), schedule)


def alternate(training: Training, task: Task, schedule: Schedule) -> Iterator[dict[str, float]]:
    """Train round by round from where the training stands; yields the history row of each. Raises DivergenceError where a loss is no longer
    finite.
    """
    generator = training.module
    assert isinstance(generator, QuantumTrain)
    for number in range(len(training.rows) + 1, schedule.rounds + 1):
        generator.train()
        meter = train_mapping(training, generator, task, schedule)
        remedy = f"schedule.mapping_lr (it is {schedule.mapping_lr:g})"
        row = {"round": number, **meter.row()}
        if schedule.mapping_epochs and "mapping" in training.optimisers:
            require_finite(row, f"round {number}", remedy)
        with torch.no_grad():
            coefficients = generator.coefficients()
        if isinstance(schedule, CobylaSchedule):
            row["phase_loss"] = minimise_phases(training, generator, task, schedule, coefficients)
        elif isinstance(schedule, SpsaSchedule):
            row["phase_loss"] = perturb_phases(training, generator, task, schedule, coefficients)
        else:
            row["phase_loss"] = train_phases(training, generator, task, schedule, coefficients)
        if isinstance(schedule, GradientSchedule):
            remedy += f" or schedule.phase_lr (it is {schedule.phase_lr:g})"
        generator.eval()
        redraw(training, generator)
        ask_anew(training, generator)
        generator.end_round()
        with torch.no_grad():
            measured = task.measured(with_weights(generator, generator.weights())) if schedule.measured(number) else {}
        trained = isinstance(schedule, CobylaSchedule | SpsaSchedule) or (schedule.phase_steps > 0 and "phases" in training.optimisers)
        require_finite(({"phase_loss": row["phase_loss"]} if trained else {}) | measured, f"round {number}", remedy)
        yield training.finish_row(row | measured)


def with_weights(generator: QuantumTrain, weights: Tensor) -> Call:
    """The module as these weights make it."""
    return lambda *args, **kwargs: generator.call(weights, *args, **kwargs)


CHANGING = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
"""Layers that change their buffers or draw numbers while they train."""


def why_unsteady(generator: QuantumTrain) -> str:
    """Why a step does not do the same each time; nothing where it does."""
    reasons = {
        "its arm draws at every step": generator.arm.resampled,
        "its devices answer differently each time": generator.answers_vary,
        "a backend answers": generator.backend is not None,
        "its devices are late": generator.staleness > 0,
        "its weights are made in pieces": generator.chunk is not None,
        "its network changes or draws while it trains": any(isinstance(module, CHANGING) for module in generator.modules()),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def repeated(generator: QuantumTrain, task: Task, one: Callable[[Any], tuple]) -> Callable[[Any], tuple]:
    """What is done over and over with a tuple of tensors, as a GPU does it fastest: recorded where it does the same each time. What it
    gives holds until the next one.
    """
    if not task.steady or why_unsteady(generator):
        return one
    replay = Replay(lambda *given: tuple(found.detach() for found in one(given)), generator)
    return lambda given: replay(*given)


def step(optimiser: torch.optim.Optimizer, task: Task, weights: Callable[[], Tensor], generator: QuantumTrain, batch: object) -> tuple:
    """One step on a batch: the loss before it, the outputs and the labels."""
    optimiser.zero_grad()
    seen = task.loss(with_weights(generator, weights()), batch)
    seen[0].backward()
    optimiser.step()
    return seen


def train_mapping(training: Training, generator: QuantumTrain, task: Task, schedule: Schedule) -> Meter:
    """Epochs of Adam on the mapping. The phases stand still, so the devices are asked once for all of them. The last epoch's losses."""
    ask_anew(training, generator)
    with torch.no_grad():
        probabilities = generator.probabilities()
    meter = task.meter()
    if "mapping" not in training.optimisers:
        return meter

    def weights() -> Tensor:
        return generator.weights() if generator.chunk else generator.composed(generator.coefficients(), probabilities)

    one = repeated(generator, task, partial(step, training.optimisers["mapping"], task, weights, generator))
    for _ in range(schedule.mapping_epochs):
        meter = task.meter()
        for batch in task.epoch():
            if generator.arm.resampled:
                redraw(training, generator)
                probabilities = generator.probabilities()
            meter.add(*one(batch))
    return meter


def redraw(training: Training, generator: QuantumTrain) -> None:
    """New numbers for an arm that draws them at every step; nothing for all others."""
    if generator.arm.resampled:
        generator.arm.redraw(training.streams["redraws"])


def ask_anew(training: Training, generator: QuantumTrain) -> None:
    """New answers of devices with shot noise or random phases; nothing for all others."""
    if generator.answers_vary:
        generator.ask_anew(training.streams["redraws"])


def train_phases(training: Training, generator: QuantumTrain, task: Task, schedule: GradientSchedule, coefficients: Tensor) -> float:
    """Adam steps on the phases. The mapping stands still, so its coefficients are given. The last step's loss, NaN without steps
    and for an arm that trains nothing here.
    """
    loss = torch.tensor(math.nan)
    if "phases" not in training.optimisers:
        return float(loss)

    def weights() -> Tensor:
        return generator.weights() if generator.chunk else generator.composed(coefficients, generator.probabilities())

    one = repeated(generator, task, partial(step, training.optimisers["phases"], task, weights, generator))
    for _ in range(schedule.phase_steps):
        batch = task.batch()
        ask_anew(training, generator)
        loss, *_ = one(batch)
    return float(loss.detach())


def at_phases(training: Training, generator: QuantumTrain, task: Task, coefficients: Tensor, batch: Any, phases: Tensor) -> Tensor:
    """Loss of a batch with all phases at the values of a vector, where they are left."""
    vector_to_parameters(phases, generator.phases)
    ask_anew(training, generator)
    return task.loss(with_weights(generator, generator.composed(coefficients, generator.probabilities())), batch)[0]


@torch.no_grad()
def minimise_phases(training: Training, generator: QuantumTrain, task: Task, schedule: CobylaSchedule, coefficients: Tensor) -> float:
    """COBYLA on one random batch's loss over all phases, the unused ones included as in the notebooks. The value where it stops."""
    batch = task.batch()
    start = parameters_to_vector(generator.phases)
    one = repeated(generator, task, lambda given: (at_phases(training, generator, task, coefficients, batch, *given),))

    def loss(phases) -> float:
        return float(one((torch.from_numpy(phases).to(start),))[0])

    point = start.double().cpu().numpy()
    if schedule.implementation == "powell":
        stopped = powell_cobyla(loss, point, schedule.evaluations)
        value = loss(stopped)
    else:
        best = minimize(loss, point, method="COBYLA", options={"maxiter": schedule.evaluations})
        stopped, value = best.x, float(best.fun)
    vector_to_parameters(torch.from_numpy(stopped).to(start), generator.phases)
    return value


@torch.no_grad()
def perturb_phases(training: Training, generator: QuantumTrain, task: Task, schedule: SpsaSchedule, coefficients: Tensor) -> float:
    """SPSA on all phases: steps against the slope along random signs. The mean loss of the last step's two points."""
    done, found = schedule.phase_steps * len(training.rows), math.nan

    for number in range(done + 1, done + 1 + schedule.phase_steps):
        gain, perturbation = schedule.gain / number**0.602, schedule.perturbation / number**0.101
        here, batch, signs = parameters_to_vector(generator.phases), task.batch(), training.streams["perturbations"]
        objective = lambda phases: float(at_phases(training, generator, task, coefficients, batch, phases))  # noqa: B023, E731
        moved = spsa_step(here, objective, gain, perturbation, signs, bound=math.inf)
        vector_to_parameters(moved.theta, generator.phases)
        found = (moved.plus + moved.minus) / 2
    return found
