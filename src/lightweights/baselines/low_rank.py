"""Low rank: each weight tensor, as a matrix of outputs x all else, is a product of two factors."""

import math

import torch
from torch import Tensor, nn

from lightweights.baselines.baseline import GeneratedWeights, initial_scale
from lightweights.settings.baselines import LowRank


class Factorised(GeneratedWeights):
    """The target network with weights U V of rank ``rank``; biases, and layers that this would not make smaller, as they are.

    The entries of both factors start as N(0, s / sqrt(rank)) in variance, s being the standard deviation of the layer's usual initial
    values, so that those of the product have variance s^2.
    """

    def __init__(self, settings: LowRank, network: nn.Module, generator: torch.Generator) -> None:
        super().__init__(network)
        self.rank = settings.rank
        self.factors = nn.ParameterList()
        for name, scale in self.named(initial_scale(network)).items():
            shape = self.shapes[name]
            if self.saves(name):
                spread = math.sqrt(float(scale.flatten()[0])) / self.rank**0.25
                sides = ((shape[0], self.rank), (self.rank, math.prod(shape[1:])))
                self.factors.extend(nn.Parameter(spread * torch.randn(side, generator=generator)) for side in sides)
            else:
                self.factors.append(nn.Parameter(network.get_parameter(name).detach().clone()))

    def saves(self, name: str) -> bool:
        """Whether factors are fewer numbers than the tensor of that name."""
        shape = self.shapes[name]
        rest = math.prod(shape[1:])
        return len(shape) > 1 and self.rank * (shape[0] + rest) < shape[0] * rest

    def weights(self) -> dict[str, Tensor]:
        """The generated weights by name."""
        factors = iter(self.factors)
        return {name: (next(factors) @ next(factors)).view(s) if self.saves(name) else next(factors) for name, s in self.shapes.items()}

    def effective_count(self) -> int:
        """Trained numbers less rank^2 a product: U G and G^-1 V make the same one."""
        return self.trained_count() - self.rank**2 * sum(self.saves(name) for name in self.shapes)
