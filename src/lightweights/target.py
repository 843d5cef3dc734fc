"""The module whose weights are generated: a copy without them, that is called with weights from outside."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lightweights.selection import Slot


class Detached(TorchFunctionMode):
    """Within it, a deep copy of a tensor that has a history is a copy of its values: activations that a module keeps can be copied."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func is Tensor.__deepcopy__ and not args[0].is_leaf:
            copied = args[0].detach().clone()
            args[1][id(args[0])] = copied
            return copied
        return func(*args, **(kwargs or {}))


def copied(module: nn.Module, memo: dict[int, Any] | None = None) -> nn.Module:
    """A deep copy that does not depend on what the module was last called with. Raises ValueError where that cannot be."""
    try:
        with Detached():
            return copy.deepcopy(module, memo)
    except (TypeError, RuntimeError, NotImplementedError) as error:
        raise ValueError(
            f"{type(module).__name__} cannot be copied ({error}); keep what is no tensor or setting out of the module"
        ) from error


def emptied(module: nn.Module, slots: Iterable[Slot], direct: Iterable[str]) -> nn.Module:
    """A copy of the module in whose generated parameters there is nothing, not one number, so that it cannot be called with values that
    nobody meant. Only ``direct`` parameters require a gradient. ``module`` must not have changed since the slots were made.
    """
    parameters = [module.get_parameter(slot.name) for slot in slots]
    nothing = {id(p): nn.Parameter(torch.empty(0, dtype=p.dtype, device=p.device), requires_grad=False) for p in parameters}
    target = copied(module, dict(nothing)).requires_grad_(False)
    for name in direct:
        target.get_parameter(name).requires_grad_(True)
    return target


def filled(target: nn.Module, slots: Iterable[Slot], weights: Iterable[Tensor]) -> nn.Module:
    """A copy of the target with the weights in their places, as parameters that require a gradient."""
    module = copied(target)
    for slot, values in zip(slots, weights, strict=True):
        parameter = nn.Parameter(values.detach().clone(memory_format=torch.contiguous_format))
        for parent, name in slot.places:
            setattr(module.get_submodule(parent), name, parameter)
    return module


def names_in_state(slots: Iterable[Slot], prefix: str) -> list[str]:
    """What the generated parameters are called in a state that holds the target under ``prefix``."""
    return [f"{prefix}{parent}.{name}" if parent else f"{prefix}{name}" for slot in slots for parent, name in slot.places]
