"""The joint distribution of several circuits, as far as it is needed."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Normalisation = Literal["mean", "sum", "none"]


def outer_range(factors: list[Float[Tensor, " outcomes"]], start: int, stop: int) -> Float[Tensor, " count"]:
    """Entries ``start`` to ``stop`` of vec(p1 (x) p2 (x) ...), row-major, from nothing but the factors."""
    position = torch.arange(start, stop, device=factors[0].device)
    found = torch.ones((), dtype=factors[0].dtype, device=factors[0].device)
    for factor in reversed(factors):
        found = found * factor[position % len(factor)]
        position = position // len(factor)
    return found


def outer_product(factors: list[Float[Tensor, " outcomes"]], count: int) -> Float[Tensor, " count"]:
    """First ``count`` entries of vec(p1 (x) p2 (x) ...), row-major (the first factor slowest), without building the rest."""
    size = math.prod(len(factor) for factor in factors)
    if count > size:
        raise ValueError(f"{count} entries asked of an outer product of {size}")
    first, *rest = factors
    if not rest:
        return first[:count]
    row = math.prod(len(factor) for factor in rest)
    whole, part = divmod(count, row)
    pieces = []
    if whole:
        tail = outer_product(rest, row)
        pieces.append((first[:whole, None] * tail).flatten())
        if part:
            pieces.append(first[whole] * tail[:part])
    else:
        pieces.append(first[0] * outer_product(rest, part))
    return torch.cat(pieces) if len(pieces) > 1 else pieces[0]


def normalised(probabilities: Float[Tensor, " outcomes"], way: Normalisation) -> Float[Tensor, " outcomes"]:
    """Probabilities divided by their mean, by their sum, or not at all."""
    if way == "none":
        return probabilities
    return probabilities / (probabilities.mean() if way == "mean" else probabilities.sum())
