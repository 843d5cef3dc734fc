"""The arms: what changes the frozen weights, each as large as a budget of trained numbers allows."""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import nn

from lightweights import MPS, QuantumTrain, adapt
from lightweights.settings.base import SettingsError

from .generators import Affine, LowRankVector, Subspace, affine_size, sides
from .settings import GENERATED, AdapterSection
from .vera import adapt_by_vectors

LARGEST_BOND = 64
"""Bond dimensions beyond are not tried."""


def build(section: AdapterSection, base: nn.Module, places: Sequence[str], direct: Sequence[str], generator: torch.Generator) -> nn.Module:
    """A copy of the frozen network with what the arm trains; what is trained requires a gradient, and nothing else does.

    ``places``: weights that are adapted, all of one shape, the last layer's first. ``direct``: what every arm trains besides, such as a
    head; it is not part of the budget. Raises SettingsError for a budget that is too small for the arm.
    """
    rows, columns = base.get_parameter(places[0]).shape
    matrices, budget = len(places), section.budget
    if section.arm == "frozen":
        return _opened(copy.deepcopy(base), direct)
    if section.arm == "lora":
        kept = min(matrices, budget // (rows + columns))
        _enough(section, kept, rows + columns)
        return adapt(base, places[:kept], budget // (kept * (rows + columns)), train=direct, gate=False, generator=generator)
    if section.arm == "vera":
        kept = min(matrices, budget // (2 * rows))
        _enough(section, kept, 2 * rows)
        return adapt_by_vectors(_opened(copy.deepcopy(base), direct), places[:kept], budget // kept - rows, generator)
    adapted = adapt(base, places, section.rank, train=direct, generator=generator)
    count, gates = matrices * section.rank * (rows + columns), 3 * matrices  # of up and down, and of the adapter
    return QuantumTrain(
        adapted,
        mapping=_recipe(section, count, budget - gates, adapted, direct),
        arm=section.arm if section.arm in GENERATED else "mps-only",
        direct=direct or None,
        generator=generator,
    )


def trained_count(module: nn.Module, direct: Sequence[str] = ()) -> int:
    """Numbers that an arm trains, without those that all arms train (``direct``)."""
    if isinstance(module, QuantumTrain):
        shared = sum(module.target.get_parameter(name).numel() for name in direct)
        return module.parameter_counts()["trained_used"] - shared
    shared = sum(module.get_parameter(name).numel() for name in direct)
    return sum(p.numel() for p in module.parameters() if p.requires_grad) - shared


def _recipe(section: AdapterSection, count: int, budget: int, adapted: nn.Module, direct: Sequence[str]):
    """The largest mapping of the arm that the budget allows."""
    if section.arm == "subspace":
        _enough(section, budget, 1)
        return Subspace(min(budget, count))
    if section.arm == "low-rank":
        rank = budget // sum(sides(count))
        _enough(section, rank, sum(sides(count)))
        return LowRankVector(rank)
    if section.arm in ("affine", "affine-angles"):
        angles = section.arm == "affine-angles"
        chunk = _largest(lambda size: affine_size(size, count, angles) <= budget, min(budget, count))
        _enough(section, chunk, affine_size(1, count, angles))
        return Affine(chunk, angles)
    beside = _beside_mapping(section, adapted, direct)
    sites = 2 * ((count - 1).bit_length() + 1) + 3  # matrices of chi^2 numbers
    bond = _largest(lambda chi: sites * chi**2 + beside <= budget, LARGEST_BOND)
    _enough(section, bond, sites + beside)
    return MPS(bond)


def _beside_mapping(section: AdapterSection, adapted: nn.Module, direct: Sequence[str]) -> int:
    """Numbers that the arm trains besides mapping and gates, which do not depend on the mapping."""
    probe = QuantumTrain(adapted, mapping=MPS(1), arm=section.arm, direct=direct or None, seed=0)
    counts = probe.parameter_counts()
    return counts["phases_used"]


def _largest(fits: Callable[[int], bool], most: int) -> int:
    """The largest number from 1 to ``most`` that fits, 0 where none does."""
    return next((size for size in range(most, 0, -1) if fits(size)), 0)


def _opened(module: nn.Module, direct: Sequence[str]) -> nn.Module:
    module.requires_grad_(False)
    for name in direct:
        module.get_parameter(name).requires_grad_(True)
    return module


def _enough(section: AdapterSection, size: int, least: int) -> None:
    if size < 1:
        raise SettingsError(f"adapter.budget = {section.budget} is too small for arm {section.arm}, which needs about {least} numbers more")
