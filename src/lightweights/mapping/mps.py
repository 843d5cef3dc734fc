"""The matrix-product-state mapping from outcome probabilities to weights, in factorised form.

The published mapping (arXiv 2505.08474; site by site in the authors' notebooks) sends weight i through n+1 sites: the n bits of i as -1/+1,
most significant first, then the probability P_i. An input x is embedded as (x, 1-x); the matrix of a site is
``bias + x core[0] + (1-x) core[1]``; an output core stands in the middle. Only the last site sees P, and linearly, so the output is

    w_i = A_i + B_i P_i,     A = (L O) U,  B = (L O) V  as (prefixes x suffixes) matrices,

with L the products of the left sites for every prefix of the bits and U, V those of the right sites for every suffix.
That costs O(m chi) in place of O(m n chi^2).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class MPS:
    """Settings of the mapping: bond dimension, and spread of the initial values around the identity.

    ``bits`` is the number of bit sites, by default the smallest that tells all weights apart.
    """

    bond_dim: int = 4
    init_std: float = 1e-9
    bits: int | None = None

    def build(self, weight_count: int, generator: torch.Generator) -> "MPSMapping":
        """The mapping to ``weight_count`` weights, drawn from ``generator`` on its device, float32."""
        return MPSMapping(self, weight_count, generator)


class MPSMapping(nn.Module):
    """Weights from probabilities. Called with P (weight_count,) it gives centred weights (weight_count,)."""

    def __init__(self, settings: MPS, weight_count: int, generator: torch.Generator) -> None:
        super().__init__()
        chi = settings.bond_dim
        needed = max(1, math.ceil(math.log2(weight_count))) if weight_count > 0 else 0
        self.bits = settings.bits or needed
        if chi < 1 or not 1 <= needed <= self.bits:
            raise ValueError(f"MPS: bond_dim {chi}, bits {settings.bits}, {weight_count} weights; need bond_dim >= 1 and bits >= {needed}")
        self.weight_count = weight_count

        def normal(*shape: int) -> Tensor:
            return settings.init_std * torch.randn(*shape, generator=generator, device=generator.device)

        eye = torch.eye(chi, device=generator.device)
        self.cores = nn.Parameter(normal(self.bits + 1, 2, chi, chi))
        self.bias_left = nn.Parameter(eye + normal(chi, chi))
        self.bias_right = nn.Parameter(eye + normal(chi, chi))
        self.output = nn.Parameter(eye + normal(chi, chi))

    def coefficients(self) -> Float[Tensor, "2 weights"]:
        """A and B of w = A + B P before centring. They do not depend on the probabilities."""
        half = (self.bits + 1) // 2
        suffix_bits = self.bits - half
        prefixes = -(-self.weight_count // 2**suffix_bits)
        bias = torch.cat([self.bias_left.expand(half, -1, -1), self.bias_right.expand(suffix_bits, -1, -1)])
        first, second = self.cores[:-1].unbind(1)
        sites = torch.stack([bias - first + 2 * second, bias + first], 1)  # (bits, 2, chi, chi): bit -1, bit +1

        left = sites[0, :, 0]
        for site in sites[1:half]:
            left = torch.einsum("pi,bij->pbj", left, site).flatten(0, 1)
        first, second = self.cores[-1]
        right = torch.stack([self.bias_right + second, first - second])[:, :, :1]  # (constant and slope, chi, suffixes)
        for site in sites[half:].flip(0):
            right = torch.einsum("bij,cjs->cibs", site, right).flatten(2)
        return ((left[:prefixes] @ self.output) @ right).flatten(1)[:, : self.weight_count]

    @staticmethod
    def weights(coefficients: Float[Tensor, "2 weights"], probabilities: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Centred weights from coefficients and probabilities."""
        raw = torch.addcmul(coefficients[0], coefficients[1], probabilities)
        return raw - raw.mean()

    def forward(self, probabilities: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Centred weights from probabilities."""
        return self.weights(self.coefficients(), probabilities)
