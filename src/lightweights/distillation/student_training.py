"""Distillation into a student whose kernels a feature source generates (arXiv 2603.14898).

An epoch: steps of SPSA on the circuit's angles, against the distillation loss on validation batches; then one feature, averaged with
those of the epochs before, generates the mixing tensors and stands still; then one epoch of Adam on all trained weights.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.distillation.data import DistillationData, autocast, logits_of, measure
from lightweights.distillation.feature import smooth
from lightweights.distillation.sources import FeatureSource
from lightweights.networks.dictionary import set_feature
from lightweights.settings.schedules import StudentSchedule
from lightweights.training.data import random_batch
from lightweights.training.epochs import descend, descent, epochs, too_fast
from lightweights.training.loss import distillation_loss
from lightweights.training.randomness import module_stream, stream
from lightweights.training.replay import Step
from lightweights.training.spsa import spsa_step
from lightweights.training.state import Training, adam

FRESH = 3
"""Evaluation with a fresh feature takes so many times the shots, as in the article's code."""


class Student(nn.Module):
    """A network, the source of its feature if it takes one, the circuit's angles, and the averaged feature."""

    def __init__(self, network: nn.Module, source: FeatureSource | None, theta: Float[Tensor, " angles"], feature_size: int) -> None:
        super().__init__()
        self.network, self.source = network, source
        self.register_buffer("theta", theta.double())
        self.register_buffer("smoothed", torch.zeros(feature_size))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def with_average(self, feature: Float[Tensor, " feature"], beta: float) -> Float[Tensor, " feature"]:
        """The average with one more feature in, which is not yet taken over."""
        return smooth(self.get_buffer("smoothed").cpu(), feature, beta, int(self.get_buffer("updates")))

    def take(self, feature: Float[Tensor, " feature"], beta: float) -> None:
        """Take one more feature into the average, and generate the kernels' mixing from it."""
        self.get_buffer("smoothed").copy_(self.with_average(feature, beta))
        self.get_buffer("updates").add_(1)
        set_feature(self.network, self.get_buffer("smoothed"))

    def forward(self, images: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n classes"]:
        """Logits of the classes."""
        return self.network(images)


def begin_student(student: Student, schedule: StudentSchedule, seed: int) -> Training:
    """A training that has not started."""
    purposes = ("batches", "validation-batches", "directions", "shots")
    streams = {purpose: stream(seed, purpose) for purpose in purposes}
    streams["modules"] = module_stream(seed, next(student.parameters()).device)
    return Training(student, {"network": adam(student.network.parameters(), schedule.lr)}, streams)


def student_epochs(training: Training, teacher: nn.Module, data: DistillationData, schedule: StudentSchedule) -> Iterator[dict[str, float]]:
    """Train epoch by epoch from where the training stands; yields the history row of each."""
    student = training.module
    assert isinstance(student, Student)
    targets = logits_of(teacher, data.train.images, schedule.precision)
    validation_targets = logits_of(teacher, data.validation.images, schedule.precision)

    step = distil_step(training, student, targets, data, schedule)

    def one(_: int) -> dict[str, float]:
        row: dict[str, float] = {}
        if student.source is not None:
            row["spsa_loss"] = tune_angles(training, student, validation_targets, data, schedule)
            student.take(student.source.draw(student.get_buffer("theta"), training.streams["shots"]), schedule.ema)
            row |= {"feature_rms": rms(student.get_buffer("smoothed")), "theta_rms": rms(student.get_buffer("theta"))}
        meter = descend(training, student.network, data.train, schedule.batch_size, step)  # the mixing stands as it is
        if student.source is not None and schedule.evaluation == "fresh":
            set_feature(student.network, student.source.draw(student.get_buffer("theta"), training.streams["shots"], FRESH))
        return row | meter.row() | measure(student.network, data, schedule.precision, schedule.measured_train_images)

    yield from epochs(training, schedule.epochs, one, too_fast(schedule.lr), may_be_nan=("spsa_loss",))


def tune_angles(
    training: Training, student: Student, targets: Float[Tensor, "n classes"], data: DistillationData, schedule: StudentSchedule
) -> float:
    """SPSA on the angles, each step on fresh validation batches, the same at both its points. Mean of the objective over all points, NaN
    where nothing is tuned.
    """
    source, theta = student.source, student.get_buffer("theta")
    if source is None or not source.tuned or not schedule.spsa_steps:
        return math.nan
    seen = []
    for _ in range(schedule.spsa_steps):
        chosen = random_batch(len(data.validation), schedule.spsa_batches * schedule.batch_size, training.streams["validation-batches"])
        images, labels = data.validation.at(chosen)
        wanted = targets[chosen.to(targets.device)]

        def objective(angles: Tensor, images: Tensor = images, labels: Tensor = labels, wanted: Tensor = wanted) -> float:
            feature = source.draw(angles, training.streams["shots"])
            set_feature(student.network, feature if schedule.spsa_feature == "raw" else student.with_average(feature, schedule.ema))
            logits = logits_of(student.network, images, schedule.precision)
            return float(distillation_loss(logits, wanted, labels, schedule.temperature, schedule.hard_weight))

        step = spsa_step(theta, objective, schedule.spsa_gain, schedule.spsa_perturbation, training.streams["directions"])
        theta.copy_(step.theta)
        seen += [step.plus, step.minus]
    return sum(seen) / len(seen)


def distil_step(
    training: Training, student: Student, targets: Float[Tensor, "n classes"], data: DistillationData, schedule: StudentSchedule
) -> Step:
    """A step of Adam on the distillation loss of the training images at given positions, with the mixing as it stands. ``targets`` are the
    teacher's logits of all of them.
    """

    def objective(images: Tensor, labels: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        with autocast(images.device, schedule.precision):
            logits = student.network(images)
        return distillation_loss(logits.float(), targets[positions], labels, schedule.temperature, schedule.hard_weight), logits

    return descent(training, data.train, objective)


def rms(values: Tensor) -> float:
    """Root of the mean square."""
    return float(values.double().square().mean().sqrt())
