"""Photonic Quantum-Train in rounds: the mapping with the phases fixed, then the phases with the mapping fixed.

Three protocols. ``gradient``: Adam on the phases, exact gradients, each step on a fresh random batch. ``cobyla``: one run of SciPy's COBYLA
over all phases on one random batch, its best point taken over, as in the notebooks of arXiv 2505.08474. ``spsa``: simultaneous
perturbations, two evaluations a step, each step on a fresh batch, with the gains of Spall, IEEE Trans. Aerosp. Electron. Syst. 34, 817
(1998). The mapping's part is the same in all: Adam over whole epochs. Adam's moments are kept from round to round.
"""

import math
from collections.abc import Iterator

import torch
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from lightweights.quantum_train import QuantumTrain
from lightweights.settings.schedules import CobylaSchedule, GradientSchedule, SpsaSchedule
from lightweights.training.data import TrainingData, measure, minibatches, random_batch
from lightweights.training.randomness import module_stream, stream
from lightweights.training.state import EpochMeter, Training, adam, adam_step, require_finite

Schedule = GradientSchedule | CobylaSchedule | SpsaSchedule


def begin_rounds(generator: QuantumTrain, schedule: Schedule, seed: int) -> Training:
    """A training that has not started."""
    optimisers: dict[str, torch.optim.Optimizer] = {}
    mapping, trained = list(generator.mapping.parameters()), generator.trained_beside_mapping()
    if mapping:
        optimisers["mapping"] = adam(mapping, schedule.mapping_lr)
    if isinstance(schedule, GradientSchedule) and trained:
        optimisers["phases"] = adam(trained, schedule.phase_lr)
        if schedule.phase_clip is not None:
            longest = schedule.phase_clip
            optimisers["phases"].register_step_pre_hook(lambda *_: clip_gradient(trained, longest))
    drawn = generator.arm.resampled or generator.answers_vary
    purposes = ["batches", "phase-batches"] + ["redraws"] * drawn + ["perturbations"] * isinstance(schedule, SpsaSchedule)
    streams = {purpose: stream(seed, purpose) for purpose in purposes}
    return Training(generator, optimisers, streams | {"modules": module_stream(seed, generator.phases[0].device)})


def clip_gradient(parameters: list[nn.Parameter], longest: float) -> None:
    """Scale the gradient of all parameters together down to the norm ``longest`` where it is longer."""
    nn.utils.clip_grad_norm_(parameters, longest)


def rounds(training: Training, data: TrainingData, schedule: Schedule) -> Iterator[dict[str, float]]:
    """Train round by round from where the training stands; yields the history row of each."""
    generator = training.module
    assert isinstance(generator, QuantumTrain)
    for number in range(len(training.rows) + 1, schedule.rounds + 1):
        generator.train()
        meter = train_mapping(training, generator, data, schedule)
        remedy = f"schedule.mapping_lr (it is {schedule.mapping_lr:g})"
        row = {"round": number, **meter.row()}
        if schedule.mapping_epochs:
            require_finite(row, f"round {number}", remedy)
        with torch.no_grad():
            coefficients = generator.coefficients()
        if isinstance(schedule, CobylaSchedule):
            row["phase_loss"] = minimise_phases(training, generator, data, schedule, coefficients)
        elif isinstance(schedule, SpsaSchedule):
            row["phase_loss"] = perturb_phases(training, generator, data, schedule, coefficients)
        else:
            row["phase_loss"] = train_phases(training, generator, data, schedule, coefficients)
        if isinstance(schedule, GradientSchedule):
            remedy += f" or schedule.phase_lr (it is {schedule.phase_lr:g})"
        generator.eval()
        redraw(training, generator)
        ask_anew(training, generator)
        generator.end_round()
        with torch.no_grad():
            weights = generator.weights()
        measured = measure(lambda x, w=weights: generator.call(w, x), data)  # type: ignore[misc]
        trained = isinstance(schedule, CobylaSchedule | SpsaSchedule) or (schedule.phase_steps > 0 and "phases" in training.optimisers)
        require_finite(({"phase_loss": row["phase_loss"]} if trained else {}) | measured, f"round {number}", remedy)
        yield training.finish_row(row | measured)


def train_mapping(training: Training, generator: QuantumTrain, data: TrainingData, schedule: Schedule) -> EpochMeter:
    """Epochs of Adam on the mapping. The phases stand still, so the devices are asked once for all of them. The last epoch's losses."""
    ask_anew(training, generator)
    with torch.no_grad():
        probabilities = generator.probabilities()
    meter = EpochMeter()
    for _ in range(schedule.mapping_epochs):
        meter = EpochMeter()
        for batch in minibatches(len(data.train), schedule.batch_size, training.streams["batches"]):
            images, labels = data.train.at(batch)
            if generator.arm.resampled:
                redraw(training, generator)
                probabilities = generator.probabilities()
            forward = lambda x: generator.call(generator.mapping.weights(generator.coefficients(), probabilities), x)  # noqa: B023, E731
            loss, logits = adam_step(training.optimisers["mapping"], forward, images, labels)
            meter.add(loss, logits, labels)
    return meter


def redraw(training: Training, generator: QuantumTrain) -> None:
    """New numbers for an arm that draws them at every step; nothing for all others."""
    if generator.arm.resampled:
        generator.arm.redraw(training.streams["redraws"])


def ask_anew(training: Training, generator: QuantumTrain) -> None:
    """New answers of devices with shot noise or random phases; nothing for all others."""
    if generator.answers_vary:
        generator.ask_anew(training.streams["redraws"])


def train_phases(
    training: Training, generator: QuantumTrain, data: TrainingData, schedule: GradientSchedule, coefficients: Tensor
) -> float:
    """Adam steps on the phases. The mapping stands still, so its coefficients are given. The last step's loss, NaN without steps
    and for an arm that trains nothing here.
    """
    loss = torch.tensor(math.nan)
    if "phases" not in training.optimisers:
        return float(loss)
    for _ in range(schedule.phase_steps):
        images, labels = data.train.at(random_batch(len(data.train), schedule.phase_batch_size, training.streams["phase-batches"]))
        ask_anew(training, generator)
        forward = lambda x: generator.call(generator.mapping.weights(coefficients, generator.probabilities()), x)  # noqa: E731
        loss, _ = adam_step(training.optimisers["phases"], forward, images, labels)
    return float(loss.detach())


@torch.no_grad()
def minimise_phases(
    training: Training, generator: QuantumTrain, data: TrainingData, schedule: CobylaSchedule, coefficients: Tensor
) -> float:
    """COBYLA on one random batch's cross-entropy over all phases, the unused ones included as in the notebooks. The best value."""
    images, labels = data.train.at(random_batch(len(data.train), schedule.phase_batch_size, training.streams["phase-batches"]))
    start = parameters_to_vector(generator.phases)

    def loss(phases) -> float:
        vector_to_parameters(torch.from_numpy(phases).to(start), generator.phases)
        ask_anew(training, generator)
        weights = generator.mapping.weights(coefficients, generator.probabilities())
        return float(F.cross_entropy(generator.call(weights, images), labels))

    best = minimize(loss, start.double().cpu().numpy(), method="COBYLA", options={"maxiter": schedule.evaluations})
    vector_to_parameters(torch.from_numpy(best.x).to(start), generator.phases)
    return float(best.fun)


@torch.no_grad()
def perturb_phases(training: Training, generator: QuantumTrain, data: TrainingData, schedule: SpsaSchedule, coefficients: Tensor) -> float:
    """SPSA on all phases: steps against the slope along random signs. The mean loss of the last step's two points."""
    done, found = schedule.phase_steps * len(training.rows), math.nan
    for step in range(done + 1, done + 1 + schedule.phase_steps):
        images, labels = data.train.at(random_batch(len(data.train), schedule.phase_batch_size, training.streams["phase-batches"]))
        centre = parameters_to_vector(generator.phases)
        signs = 2 * torch.randint(0, 2, centre.shape, generator=training.streams["perturbations"]).to(centre) - 1
        width, losses = schedule.perturbation / step**0.101, []
        for side in (1, -1):
            vector_to_parameters(centre + side * width * signs, generator.phases)
            ask_anew(training, generator)
            weights = generator.mapping.weights(coefficients, generator.probabilities())
            losses.append(float(F.cross_entropy(generator.call(weights, images), labels)))
        slope = (losses[0] - losses[1]) / (2 * width)
        vector_to_parameters(centre - schedule.gain / step**0.602 * slope * signs, generator.phases)
        found = sum(losses) / 2
    return found
