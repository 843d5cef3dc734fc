"""The one loop over epochs: everything that is trained on whole epochs of minibatches goes through it."""

from collections.abc import Callable, Iterator

from torch import Tensor, nn

from lightweights.training.data import Examples, minibatches
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


def descend(training: Training, module: nn.Module, images: Examples, batch_size: int, objective: Objective) -> EpochMeter:
    """One epoch of the optimiser ``network`` over all minibatches, in an order of the stream ``batches``, with the module in training."""
    meter, optimiser = EpochMeter(), training.optimisers["network"]
    module.train()
    for batch in minibatches(len(images), batch_size, training.streams["batches"]):
        pictures, labels = images.at(batch)
        optimiser.zero_grad()
        loss, logits = objective(pictures, labels, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        meter.add(loss, logits, labels)
    return meter


def too_fast(lr: float) -> str:
    """The setting to make smaller where a training on epochs diverges."""
    return f"schedule.lr (it is {lr:g})"
