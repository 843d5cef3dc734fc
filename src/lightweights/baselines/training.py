"""Training of a baseline: Adam over whole epochs on what is free."""

from collections.abc import Iterator

from lightweights.baselines.baseline import Baseline
from lightweights.baselines.small_cnn import OF_TEACHER
from lightweights.params import ClassicalSchedule
from lightweights.training.data import TrainingData, measure, minibatches
from lightweights.training.randomness import module_stream, stream
from lightweights.training.state import EpochMeter, Training, adam, require_finite


def begin_baseline(baseline: Baseline, schedule: ClassicalSchedule, seed: int) -> Training:
    """A training that has not started."""
    parameters = baseline.trained_parameters()
    streams = {"batches": stream(seed, "batches"), "modules": module_stream(seed, parameters[0].device)}
    return Training(baseline, {"network": adam(parameters, schedule.lr)}, streams)


def baseline_epochs(training: Training, data: TrainingData, schedule: ClassicalSchedule) -> Iterator[dict[str, float]]:
    """Train epoch by epoch from where the training stands; yields the history row of each."""
    baseline, optimiser = training.module, training.optimisers["network"]
    assert isinstance(baseline, Baseline)
    if training.rows:
        constant = {name: value for name, value in training.rows[-1].items() if name.endswith(OF_TEACHER)}
    else:
        constant = baseline.prepare(data, schedule.epochs, schedule.lr, schedule.batch_size)
    for epoch in range(len(training.rows) + 1, schedule.epochs + 1):
        meter = EpochMeter()
        baseline.train()
        baseline.start_epoch(epoch)
        for batch in minibatches(len(data.train), schedule.batch_size, training.streams["batches"]):
            images, labels = data.train.at(batch)
            optimiser.zero_grad()
            loss, logits = baseline.objective(images, labels)
            loss.backward()
            optimiser.step()
            meter.add(loss, logits, labels)
        baseline.eval()
        values = meter.row() | measure(baseline.bake(), data)
        row = {"epoch": epoch} | require_finite(values, f"epoch {epoch}", f"schedule.lr (it is {schedule.lr:g})")
        yield training.finish_row(row | constant)
