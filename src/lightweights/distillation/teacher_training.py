"""Training on hard labels: the teacher, and any network that is to be compared with a student without distillation."""

import copy
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

from lightweights.distillation.data import DistillationData, autocast, measure
from lightweights.params import TeacherSchedule
from lightweights.training.data import minibatches
from lightweights.training.randomness import module_stream, stream
from lightweights.training.state import EpochMeter, Training, adam, require_finite


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
    taught, optimiser = training.module, training.optimisers["network"]
    assert isinstance(taught, Taught)
    for epoch in range(len(training.rows) + 1, schedule.epochs + 1):
        meter = EpochMeter()
        taught.network.train()
        for batch in minibatches(len(data.train), schedule.batch_size, training.streams["batches"]):
            images, labels = data.train.at(batch)
            optimiser.zero_grad()
            with autocast(images.device, schedule.precision):
                logits = taught.network(images)
            loss = F.cross_entropy(logits.float(), labels)
            loss.backward()
            optimiser.step()
            meter.add(loss, logits, labels)
        values = meter.row() | measure(taught.network, data, schedule.precision, schedule.measured_train_images)
        taught.remember(values["validation_accuracy_percent"])
        yield training.finish_row({"epoch": epoch} | require_finite(values, f"epoch {epoch}", f"schedule.lr (it is {schedule.lr:g})"))
