"""What batches of one's own tell before they cost anything: one case left alone at the end, on which a module cannot be trained."""

from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils.data import BatchSampler

from lightweights.quantum_train import QuantumTrain
from lightweights.training.sizes import last_batch
from lightweights.training.task import Call


def with_tensors(batch: Any, change: Callable[[Tensor], Any]) -> Any:
    """A batch with its tensors changed, whatever lists, tuples and dicts it is made of."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, Mapping):
        return type(batch)({key: with_tensors(value, change) for key, value in batch.items()})  # type: ignore[call-arg]
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(with_tensors(value, change) for value in batch))
    if isinstance(batch, tuple | list):
        return type(batch)(with_tensors(value, change) for value in batch)
    return batch


def batch_of_one(batches: Iterable[Any], first: Any) -> tuple[Any, bool]:
    """A batch of one case and whether an epoch has such a one; None where it surely has not. ``first`` is the first of the batches."""
    if isinstance(batches, list | tuple):
        return next((batch for batch in batches if 1 in _lengths(batch)), None), True
    sampler = getattr(batches, "batch_sampler", None)
    sizes = None
    if isinstance(sampler, list | tuple):
        sizes = [len(indices) for indices in sampler]
    elif isinstance(sampler, BatchSampler) and isinstance(sampler.sampler, Sized):
        sizes = [sampler.batch_size if sampler.drop_last else last_batch(len(sampler.sampler), sampler.batch_size)]
    if sizes is not None and 1 not in sizes:
        return None, True
    return with_tensors(first, lambda tensor: tensor[:1] if tensor.dim() else tensor), sizes is not None


def refusal(generated: QuantumTrain, batch: Any, loss: Callable[[Call, Any], Any]) -> str:
    """What keeps the module, in training, from taking a batch of one case; empty if nothing does. It stays as it is."""
    device = generated.phases[0].device
    weights = generated._by_name(torch.zeros(generated.weight_count, device=device))
    buffers = {name: buffer.clone() for name, buffer in generated.target.named_buffers()}
    try:
        with torch.no_grad(), torch.random.fork_rng([device] if device.type == "cuda" else []):
            loss(lambda *args, **kwargs: functional_call(generated.target, weights | buffers, args, kwargs, tie_weights=False), batch)
    except Exception as error:  # whatever else is wrong shows in the training
        said = str(error).partition("\n")[0]
        return said if "more than 1 value per channel" in said else ""
    return ""


def _lengths(batch: Any) -> list[int]:
    found: list[int] = []
    with_tensors(batch, lambda tensor: found.append(len(tensor)) if tensor.dim() else None)
    return found
