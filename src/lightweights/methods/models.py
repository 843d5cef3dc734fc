"""A model is the numbers that were trained: what a run keeps of its module, and from these numbers to the module and its accuracies again.

All else follows from settings and seed: a method rebuilds its module as it was before training, and the model holds the tensors of its
state that were trained, or differ from there (masks of pruning, the draw of a random device, numbers that an arm drew last).

A method's module may have, besides the four functions of :mod:`lightweights.methods.method`:

``rebuild(settings, data, seed)``
    The module at its initial values; unless there is one, that of ``begin``.
``aside(module)``
    How names in its state begin that are no part of the model; unless there is one, none.
``plain(module)``
    The network for inference; unless there is one, ``module.bake()`` where the module has that, else the module.
``measured(network, settings, data, device)``
    Accuracies and the like on the test sets, named as in the history; unless there is one, accuracy and cross-entropy.
``example(settings, data)``
    Input of two cases, as a network takes it; unless there is one, zeros of the data set's shape.
``unrepeatable(settings)``
    Why the numbers do not give the network again, if they do not.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lightweights.datasets import Data, Dataset, Split, load, shape_of
from lightweights.errors import LightweightsError
from lightweights.methods.method import method_of
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.runs import RunSettings
from lightweights.training.data import Examples, TrainingData, on_device
from lightweights.training.data import measure as measure_on


class ModelError(LightweightsError):
    """Numbers that do not make the module of a run; names the tensor."""


class UnmeasuredError(LightweightsError):
    """A method that does not say how its networks are measured."""


CPU = torch.device("cpu")


def rebuilt(settings: RunSettings, data: Any, seed: int) -> nn.Module:
    """The module of a run before its training, on the CPU."""
    own = _function(settings, "rebuild")
    if own is not None:
        return own(settings, data, seed)
    with torch.random.fork_rng(devices=[]):  # a training seeds the global generator
        training = method_of(settings).begin(settings, data, seed, CPU, teacher=None, jobs=None)
    training.close()
    return training.module


def model_of(module: nn.Module, settings: RunSettings, data: Any, seed: int) -> dict[str, Tensor]:
    """The model of a trained module: tensors by their names in its state. A tensor that stands in several places is there once."""
    start = rebuilt(settings, data, seed).state_dict()
    own = _function(settings, "aside")
    left_out = own(module) if own is not None else ()
    trained = {name for name, parameter in module.named_parameters(remove_duplicate=False) if parameter.requires_grad}
    kept: dict[str, Tensor] = {}
    places: set[tuple[int, torch.Size]] = set()
    for name, value in module.state_dict().items():
        if not isinstance(value, Tensor) or name.startswith(tuple(left_out)):
            continue
        moved, before = value.detach().cpu(), start.get(name)
        same = before is not None and before.dtype == moved.dtype and torch.equal(before.cpu(), moved)
        place = (value.data_ptr(), value.shape)
        if (name in trained or not same) and not (value.numel() and place in places):
            kept[name] = moved.contiguous().clone()
            places.add(place)
    return kept


def taken_up(settings: RunSettings, data: Any, seed: int, model: Mapping[str, Tensor]) -> nn.Module:
    """The module of a run with the numbers of its model, for evaluation. Raises ModelError where they are not those of such a module."""
    module = rebuilt(settings, data, seed)
    state = module.state_dict()
    for name, value in model.items():
        if name not in state:
            raise ModelError(f"{name} is no tensor of this method's module; the settings are others, or the code has changed")
        there = state[name]
        if (there.shape, there.dtype) != (value.shape, value.dtype):
            raise ModelError(f"{name} is {tuple(value.shape)} {value.dtype}; the module has {tuple(there.shape)} {there.dtype}")
        if value.is_floating_point() and not value.isfinite().all():
            raise ModelError(f"{name} holds numbers that are not finite")
    module.load_state_dict(state | dict(model))
    return module.eval()


def plain(settings: RunSettings, module: nn.Module) -> nn.Module:
    """The network for inference that a module makes."""
    own = _function(settings, "plain")
    if own is not None:
        return own(module).eval()
    bake = getattr(module, "bake", None)
    return (module if bake is None else bake()).eval()


def measured(network: nn.Module, settings: RunSettings, data: Any, device: torch.device = CPU) -> dict[str, float]:
    """What a network reaches on the test sets, named as in the history. Raises UnmeasuredError where the method does not say how."""
    own = _function(settings, "measured")
    if own is not None:
        return own(network, settings, data, device)
    if not isinstance(data, Dataset):
        raise UnmeasuredError(f"method {settings.method} does not say how its networks are measured on a {data.TASK} data set")
    sets = on_device(Dataset(data.name, data.classes, _first(data.train), data.tests), device)
    found = measure_on(network, TrainingData(Examples(sets.train.images, sets.train.labels), sets.tests))
    return {name: value for name, value in found.items() if not name.startswith("train_") and not name.endswith("_generalisation_error")}


def unrepeatable(settings: RunSettings) -> str:
    """Why a model does not give its network again; empty where it does."""
    own = _function(settings, "unrepeatable")
    return own(settings) if own is not None else ""


def example(settings: RunSettings, data: Any) -> Tensor:
    """Input of two cases, (2, ...), as the networks of these settings take it. ``data``: such as :func:`blank` gives."""
    own = _function(settings, "example")
    return torch.zeros(2, *data.input_shape) if own is None else own(settings, data)


def blank(section: DatasetSection) -> Data:
    """Data of the right shape, to build modules for: one black image; what has no images is loaded."""
    shape, classes = shape_of(section)
    if len(shape) != 3:
        return load(section)
    one = Split(torch.zeros(1, *shape, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))
    return Dataset(section.name, classes, one, {})


def numbers(model: Mapping[str, Tensor]) -> int:
    """How many numbers a model is."""
    return sum(math.prod(value.shape) for value in model.values())


def _first(split: Split) -> Split:
    return Split(split.images[:1], split.labels[:1])


def _function(settings: RunSettings, name: str) -> Any:
    return getattr(method_of(settings), name, None)
