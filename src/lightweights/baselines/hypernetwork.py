"""Hypernetwork: a small perceptron gives each weight from the bits of its index (Ha et al., arXiv 1609.09106, on the inputs of
Quantum-Train's mapping). The classical control of every Quantum-Train: its bits, without anything quantum beside them.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.baselines.baseline import GeneratedWeights, index_bits, initial_scale
from lightweights.settings.baselines import Hypernetwork


class HypernetworkWeights(GeneratedWeights):
    """Weight i is s_i f(bits of i), f less its mean over all weights.

    f has sines between its layers (Sitzmann et al., arXiv 2006.09661) and starts with weights N(0, 4 / fan-in) and biases N(0, 1): with
    torch's usual initial values, or with tanh, f starts almost linear in the bits and trains far more slowly. s_i is fixed,
    such that the weights of each layer start at their usual standard deviation.
    """

    bits: Tensor
    scale: Tensor

    def __init__(self, settings: Hypernetwork, network: nn.Module, generator: torch.Generator) -> None:
        super().__init__(network)
        scale = initial_scale(network)
        self.register_buffer("bits", index_bits(len(scale)), persistent=False)
        self.layers = nn.ModuleList()
        for before, after in zip([self.bits.shape[1], *settings.widths], [*settings.widths, 1], strict=True):
            layer = nn.Linear(before, after)
            layer.weight.data = 2 / math.sqrt(before) * torch.randn(after, before, generator=generator)
            layer.bias.data = torch.randn(after, generator=generator)
            self.layers.append(layer)
        with torch.no_grad():
            start = self.outputs()
        self.register_buffer("scale", scale / start.square().mean().sqrt())

    def outputs(self) -> Float[Tensor, " weights"]:
        """f of all indices, less its mean."""
        values = self.bits
        *hidden, last = self.layers
        for layer in hidden:
            values = torch.sin(layer(values))
        raw = last(values)[:, 0]
        return raw - raw.mean()

    def effective_count(self) -> int:
        """Trained numbers less the last bias, which the mean takes away."""
        return self.trained_count() - 1

    def weights(self) -> dict[str, Tensor]:
        """The generated weights by name."""
        return self.named(self.scale * self.outputs())
