"""From outcome probabilities to weights."""

from lightweights.mapping.mps import MPS, MPSMapping
from lightweights.mapping.outer import outer_product

__all__ = ["MPS", "MPSMapping", "outer_product"]
