"""The module whose weights are generated: a copy without them, that is called with weights from outside."""

import copy
from collections.abc import Iterable, Iterator, Mapping
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


def left_by_calls(module: nn.Module) -> dict[int, Any]:
    """What calls of a module left in its attributes and no copy can hold, such as a node of autograd's graph: a memo for ``copied``, with
    which it stays the same object.
    """
    left: dict[int, Any] = {}
    for _, _, value in _attributes(module):
        try:
            if not isinstance(value, Tensor | nn.Module):
                with Detached():
                    copy.deepcopy(value)
        except (TypeError, RuntimeError, NotImplementedError):
            left[id(value)] = value
    return left


def emptied(module: nn.Module, slots: Iterable[Slot], direct: Iterable[str]) -> nn.Module:
    """A copy of the module in whose generated parameters there is nothing, not one number, so that it cannot be called with values that
    nobody meant. Only ``direct`` parameters require a gradient. ``module`` must not have changed since the slots were made. Raises
    ValueError where it keeps a generated parameter where none can be put, such as in a list.
    """
    parameters = [module.get_parameter(slot.name) for slot in slots]
    nothing = {id(p): nn.Parameter(torch.empty(0, dtype=p.dtype, device=p.device), requires_grad=False) for p in parameters}
    names = dict(zip(nothing, (slot.name for slot in slots), strict=True))
    for part, attribute, value in _attributes(module):
        kept = next((names[id(one)] for one in _within(value) if id(one) in names), None)
        if kept is not None and not isinstance(part, nn.RNNBase):  # torch keeps that list in step by itself
            raise ValueError(
                f"{kept} also lies in the attribute {attribute!r} of {type(part).__name__}, where no generated weight can be put; use the "
                f"parameter itself in forward, register it (nn.ParameterList), or leave it out with only="
            )
    target = copied(module, dict(nothing)).requires_grad_(False)
    for name in direct:
        target.get_parameter(name).requires_grad_(True)
    return target


def filled(target: nn.Module, slots: Iterable[Slot], weights: Iterable[Tensor]) -> nn.Module:
    """A copy of the target with the weights in their places, as parameters that require a gradient."""
    module = copied(target, left_by_calls(target))
    for slot, values in zip(slots, weights, strict=True):
        parameter = nn.Parameter(values.detach().clone(memory_format=torch.contiguous_format))
        for parent, name in slot.places:
            setattr(module.get_submodule(parent), name, parameter)
    return module


def names_in_state(slots: Iterable[Slot], prefix: str) -> list[str]:
    """What the generated parameters are called in a state that holds the target under ``prefix``."""
    return [f"{prefix}{parent}.{name}" if parent else f"{prefix}{name}" for slot in slots for parent, name in slot.places]


def _attributes(module: nn.Module) -> Iterator[tuple[nn.Module, str, Any]]:
    """What a module and those in it keep beside parameters, buffers and modules."""
    for part in module.modules():
        for name, value in vars(part).items():
            if name not in ("_parameters", "_buffers", "_modules"):
                yield part, name, value


def _within(value: Any, levels: int = 4) -> Iterator[Any]:
    """A value, and those in its lists, tuples, sets and dicts."""
    yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple | set) else ()
    for one in inner if levels else ():
        yield from _within(one, levels - 1)
