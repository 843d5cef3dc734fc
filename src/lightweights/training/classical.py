"""Direct training of a network's own weights: the classical target of the tables."""

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from lightweights.settings.schedules import ClassicalSchedule
from lightweights.training.data import TrainingData, measure
from lightweights.training.epochs import descend, descent, epochs, too_fast
from lightweights.training.randomness import module_stream, stream
from lightweights.training.state import Training, adam


def begin_classical(network: nn.Module, schedule: ClassicalSchedule, seed: int) -> Training:
    """A training that has not started."""
    streams = {"batches": stream(seed, "batches"), "modules": module_stream(seed, next(network.parameters()).device)}
    return Training(network, {"network": adam(network.parameters(), schedule.lr)}, streams)


def classical_epochs(training: Training, data: TrainingData, schedule: ClassicalSchedule) -> Iterator[dict[str, float]]:
    """Train epoch by epoch from where the training stands; yields the history row of each, which has
    accuracies and the like where the schedule measures.
    """
    network = training.module

    def objective(images: Tensor, labels: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        logits = network(images)
        return F.cross_entropy(logits, labels), logits

    step = descent(training, data.train, objective)

    def one(epoch: int) -> dict[str, float]:
        meter = descend(training, network, data.train, schedule.batch_size, step)
        network.eval()
        return meter.row() | (measure(network, data) if schedule.measured(epoch) else {})

    yield from epochs(training, schedule.epochs, one, too_fast(schedule.lr))
