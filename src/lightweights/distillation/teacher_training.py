"""Training on hard labels: the teacher, and any network that is to be compared with a student without distillation."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights.distillation.data import DistillationData, autocast, measure
from lightweights.settings.schedules import TeacherSchedule
from lightweights.training.epochs import descend, descent, epochs, too_fast
from lightweights.training.randomness import module_stream, stream
from lightweights.training.state import Training, adam


class Taught(nn.Module):
    """A network in training, and a copy of its best state so far where that is asked for."""

    def __init__(self, network: nn.Module, keep: str) -> None:
        super().__init__()
        self.network = network
        self.best = copy.deepcopy(network).requires_grad_(False) if keep == "best" else None
        self.register_buffer("best_accuracy", torch.tensor(-1.0, dtype=torch.float64))

    def remember(self, accuracy: float) -> None:
        """Keep the present state if its validation accuracy is the best yet (the first of equals)."""
        if self.best is not None and accuracy > float(self.get_buffer("best_accuracy")):
            self.best.load_state_dict(self.network.state_dict())
            self.get_buffer("best_accuracy").fill_(accuracy)

    def result(self) -> nn.Module:
        """The network to keep."""
        return self.network if self.best is None else self.best


def begin_teacher(network: nn.Module, schedule: TeacherSchedule, seed: int) -> Training:
    """A training that has not started."""
    streams = {"batches": stream(seed, "batches"), "modules": module_stream(seed, next(network.parameters()).device)}
    return Training(Taught(network, schedule.keep), {"network": adam(network.parameters(), schedule.lr)}, streams)


def teacher_epochs(training: Training, data: DistillationData, schedule: TeacherSchedule) -> Iterator[dict[str, float]]:
    """Train epoch by epoch from where the training stands; yields the history row of each."""
    taught = training.module
    assert isinstance(taught, Taught)

    def objective(images: Tensor, labels: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        with autocast(images.device, schedule.precision):
            logits = taught.network(images)
        return F.cross_entropy(logits.float(), labels), logits

    step = descent(training, data.train, objective)

    def one(_: int) -> dict[str, float]:
        meter = descend(training, taught.network, data.train, schedule.batch_size, step)
        values = meter.row() | measure(taught.network, data, schedule.precision, schedule.measured_train_images)
        taught.remember(values["validation_accuracy_percent"])
        return values

    return epochs(training, schedule.epochs, one, too_fast(schedule.lr))
