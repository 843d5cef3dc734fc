"""Training of a baseline: Adam over whole epochs on what is free."""

from collections.abc import Iterator

from lightweights.baselines.baseline import Baseline
from lightweights.baselines.small_cnn import OF_TEACHER
from lightweights.settings.schedules import ClassicalSchedule
from lightweights.training.data import TrainingData, measure
from lightweights.training.epochs import descend, descent, epochs, too_fast
from lightweights.training.randomness import module_stream, stream
from lightweights.training.state import Training, adam


def begin_baseline(baseline: Baseline, schedule: ClassicalSchedule, seed: int) -> Training:
    """A training that has not started."""
    parameters = baseline.trained_parameters()
    streams = {"batches": stream(seed, "batches"), "modules": module_stream(seed, parameters[0].device)}
    return Training(baseline, {"network": adam(parameters, schedule.lr)}, streams)


def baseline_epochs(training: Training, data: TrainingData, schedule: ClassicalSchedule) -> Iterator[dict[str, float]]:
    """Train epoch by epoch from where the training stands; yields the history row of each, which has
    accuracies and the like where the schedule measures.
    """
    baseline = training.module
    assert isinstance(baseline, Baseline)
    if training.rows:
        constant = {name: value for name, value in training.rows[-1].items() if name.endswith(OF_TEACHER)}
    else:
        constant = baseline.prepare(data, schedule.epochs, schedule.lr, schedule.batch_size)

    step = descent(training, data.train, lambda images, labels, _: baseline.objective(images, labels))

    def one(epoch: int) -> dict[str, float]:
        baseline.start_epoch(epoch)
        meter = descend(training, baseline, data.train, schedule.batch_size, step)
        baseline.eval()
        return meter.row() | (measure(baseline.bake(), data) if schedule.measured(epoch) else {}) | constant

    yield from epochs(training, schedule.epochs, one, too_fast(schedule.lr))
