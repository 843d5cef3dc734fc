"""The one loop over epochs: everything that is trained on whole epochs of minibatches goes through it."""

from collections.abc import Callable, Iterator

from torch import Tensor, nn

from lightweights.training.data import Examples, minibatches
from lightweights.training.replay import Replay, Step
from lightweights.training.state import EpochMeter, Training, require_finite

Objective = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""Images, labels and positions of a minibatch to its loss, a mean, and the logits."""


def epochs(
    training: Training, count: int, one: Callable[[int], dict[str, float]], remedy: str, may_be_nan: tuple[str, ...] = ()
) -> Iterator[dict[str, float]]:
    """Train epoch by epoch from where the training stands; yields the history row of each, which ``one`` gives for its number. Raises
    DivergenceError naming ``remedy`` where a value is not finite.
    """
    for epoch in range(len(training.rows) + 1, count + 1):
        row = one(epoch)
        require_finite({name: value for name, value in row.items() if name not in may_be_nan}, f"epoch {epoch}", remedy)
        yield training.finish_row({"epoch": epoch} | row)


def descent(training: Training, images: Examples, objective: Objective) -> Step:
    """A step of the optimiser ``network`` on the images at given positions: loss before it, logits, labels. On a GPU it is recorded and
    played back, so that what it gives holds until the next one.
    """
    optimiser = training.optimisers["network"]

    def one(positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pictures, labels = images.at(positions)
        optimiser.zero_grad()
        loss, logits = objective(pictures, labels, positions)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return loss.detach(), logits.detach(), labels

    return Replay(one, training.module)


def descend(training: Training, module: nn.Module, images: Examples, batch_size: int, step: Step) -> EpochMeter:
    """One epoch of steps over all minibatches, in an order of the stream ``batches``, with the module in training."""
    meter = EpochMeter()
    module.train()
    for batch in minibatches(len(images), batch_size, training.streams["batches"]):
        meter.add(*step(batch.to(images.labels.device)))
    return meter


def too_fast(lr: float) -> str:
    """The setting to make smaller where a training on epochs diverges."""
    return f"schedule.lr (it is {lr:g})"
