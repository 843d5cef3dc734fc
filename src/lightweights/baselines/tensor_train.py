"""Quantised tensor train: the whole weight vector, biases included, as a chain of small cores, one for each bit of the index.

Weight i is the product of one matrix a bit, W_i = s_i G_1[b_1] ... G_n[b_n], bits most significant first; n = 13 for 6690 weights, the
2^13 - 6690 entries beyond are not used. Source: Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.baselines.baseline import GeneratedWeights, initial_scale
from lightweights.settings.baselines import TensorTrain


class TensorTrainWeights(GeneratedWeights):
    """The target network with its weight vector in a tensor train of rank ``rank`` (less near the ends, where less is enough).

    The fixed s_i is the usual standard deviation of the layer's initial values; the cores start as random isometries, so that the
    chain has mean square 1 exactly and the weights start at their usual scale.
    """

    scale: Tensor

    def __init__(self, settings: TensorTrain, network: nn.Module, generator: torch.Generator) -> None:
        super().__init__(network)
        self.register_buffer("scale", initial_scale(network))
        bits = max(1, math.ceil(math.log2(len(self.scale))))
        self.ranks = [min(settings.rank, 2**k, 2 ** (bits - k)) for k in range(bits + 1)]
        self.cores = nn.ParameterList()
        for before, after in zip(self.ranks, self.ranks[1:], strict=False):
            drawn = torch.randn(before * 2, after, generator=generator)
            columns, triangle = torch.linalg.qr(drawn)
            isometry = columns * triangle.diagonal().sign()  # the same on every machine: libraries choose signs as they like
            # The factor keeps the mean square at one bit more. Row by row in memory, as a checkpoint keeps it.
            self.cores.append(nn.Parameter((math.sqrt(2) * isometry).contiguous().view(before, 2, after)))

    def chain(self) -> Float[Tensor, " entries"]:
        """All 2^n entries of the tensor train."""
        products = self.cores[0].flatten(0, 1)
        for core in list(self.cores)[1:]:
            products = (products @ core.flatten(1)).view(-1, core.shape[2])
        return products.flatten()

    def weights(self) -> dict[str, Tensor]:
        """The generated weights by name."""
        return self.named(self.scale * self.chain()[: len(self.scale)])

    def effective_count(self) -> int:
        """Trained numbers less r^2 a bond: a matrix and its inverse between two cores change nothing."""
        return self.trained_count() - sum(rank**2 for rank in self.ranks[1:-1])
