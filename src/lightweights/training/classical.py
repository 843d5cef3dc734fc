"""Direct training of a network's own weights: the classical target of the tables."""

from collections.abc import Iterator

from torch import nn

from lightweights.settings.schedules import ClassicalSchedule
from lightweights.training.data import TrainingData, measure, minibatches
from lightweights.training.randomness import module_stream, stream
from lightweights.training.state import EpochMeter, Training, adam, adam_step, require_finite


def begin_classical(network: nn.Module, schedule: ClassicalSchedule, seed: int) -> Training:
    """A training that has not started."""
    streams = {"batches": stream(seed, "batches"), "modules": module_stream(seed, next(network.parameters()).device)}
    return Training(network, {"network": adam(network.parameters(), schedule.lr)}, streams)


def classical_epochs(training: Training, data: TrainingData, schedule: ClassicalSchedule) -> Iterator[dict[str, float]]:
    """Train epoch by epoch from where the training stands; yields the history row of each, which has
    accuracies and the like where the schedule measures.
    """
    network, optimiser = training.module, training.optimisers["network"]
    for epoch in range(len(training.rows) + 1, schedule.epochs + 1):
        meter = EpochMeter()
        network.train()
        for batch in minibatches(len(data.train), schedule.batch_size, training.streams["batches"]):
            images, labels = data.train.at(batch)
            loss, logits = adam_step(optimiser, network, images, labels)
            meter.add(loss, logits, labels)
        network.eval()
        values = meter.row() | (measure(network, data) if schedule.measured(epoch) else {})
        yield training.finish_row({"epoch": epoch} | require_finite(values, f"epoch {epoch}", f"schedule.lr (it is {schedule.lr:g})"))
