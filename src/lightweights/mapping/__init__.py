"""From outcome probabilities to weights."""

from lightweights.mapping.arms import ARMS, Arm, FreeProduct, build_arm
from lightweights.mapping.mps import MPS, MPSMapping
from lightweights.mapping.outer import outer_product

__all__ = ["ARMS", "MPS", "Arm", "FreeProduct", "MPSMapping", "build_arm", "outer_product"]
