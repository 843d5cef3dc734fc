"""Very many weights, a piece at a time: memory is bounded by the weights themselves, not by what generates them."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lightweights.mapping.arms import Arm, FreeProduct
from lightweights.mapping.mps import MPSMapping
from lightweights.mapping.outer import outer_range


def weights_in_chunks(
    mapping: nn.Module, arm: Arm, factors: Callable[[], list[Float[Tensor, " outcomes"]]], chunk: int
) -> Float[Tensor, " weights"]:
    """The centred weights (weight_count,) of a matrix product state, about ``chunk`` of them at a time (whole rows of suffixes).

    Each piece's coefficients and probabilities are thrown away and made again for its gradient, so that beside the weights and their
    gradient only one piece is held. Raises ValueError for another mapping.
    """
    if not isinstance(mapping, MPSMapping):
        raise ValueError(f"chunk: {type(mapping).__name__} gives its weights only all at once; use MPS, or chunk=None")
    prefixes, suffixes = mapping.halves()
    row = suffixes.shape[-1]
    step = max(1, chunk // row)
    if type(arm).forward in (Arm.forward, FreeProduct.forward) and type(arm).through is Arm.through:
        vectors = list(arm.vectors) if isinstance(arm, FreeProduct) else factors()
        numbers = lambda start, stop: outer_range(vectors, start, stop)  # noqa: E731
    else:
        whole = arm(factors)
        numbers = lambda start, stop: whole[start:stop]  # noqa: E731
    through = type(arm).through is not Arm.through
    coefficients = arm.through(mapping.coefficients()) if through else None

    def piece(first: int, prefixes: Tensor, suffixes: Tensor) -> Tensor:
        start = first * row
        stop = min(start + step * row, mapping.weight_count)
        if coefficients is not None:
            own = coefficients[:, start:stop]
        else:
            own = (prefixes[first : first + step] @ suffixes).flatten(1)[:, : stop - start]
        return torch.addcmul(own[0], own[1], numbers(start, stop))

    pieces = [checkpoint(piece, first, prefixes, suffixes, use_reentrant=False) for first in range(0, len(prefixes), step)]
    raw = torch.cat(pieces)
    return raw - raw.mean()
