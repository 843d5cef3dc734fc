"""From outcome probabilities to weights."""

from lightweights.mapping.arms import ARMS, Arm, FreeProduct, build_arm
from lightweights.mapping.logit_tanh import LogitTanh, LogitTanhMapping
from lightweights.mapping.mps import MPS, MPSMapping
from lightweights.mapping.outer import outer_product

__all__ = ["ARMS", "MPS", "Arm", "FreeProduct", "LogitTanh", "LogitTanhMapping", "MPSMapping", "build_arm", "outer_product"]
