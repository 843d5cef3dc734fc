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

LARGEST_BOND = 4096
"""Largest bond dimension."""

PUBLISHED = 1e-9
"""Spread of the initial values in the notebooks."""

START = 0.3
"""Spread of the initial values where none is given, times the square root of the bond dimension."""


@dataclass(frozen=True)
class MPS:
    """Settings of the mapping: bond dimension, and spread of the initial values around the identity.

    ``init_std``: None is a start that learns: matrices spread a little around random rotations, and what they give is added to fixed
    random weights of each layer's own level (:class:`~lightweights.quantum_train.QuantumTrain`). A number is the published form, around the
    identity and without these (1e-9 in the notebooks). ``bits`` is the number of bit sites, by default the
    smallest that tells all weights apart.

    Raises ValueError for what cannot be.
    """

    bond_dim: int = 4
    init_std: float | None = None
    bits: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("bond_dim", self.bond_dim), ("bits", self.bits)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
                raise ValueError(f"MPS: {name} {value!r}: expected a whole number")
        if self.bond_dim > LARGEST_BOND:
            raise ValueError(f"MPS: bond_dim {self.bond_dim}: at most {LARGEST_BOND} is possible")
        if self.init_std is not None and not 0 <= self.init_std <= 10:
            raise ValueError(f"MPS: init_std {self.init_std!r}: expected a number from 0 to 10, or None for a start that learns")

    def build(self, weight_count: int, generator: torch.Generator) -> "MPSMapping":
        """The mapping to ``weight_count`` weights, drawn from ``generator`` on its device, float32."""
        return MPSMapping(self, weight_count, generator)


class MPSMapping(nn.Module):
    """Weights from probabilities. Called with P (weight_count,) it gives centred weights (weight_count,). ``scaled``: they are meant to be
    added to weights of the layers' own level.
    """

    def __init__(self, settings: MPS, weight_count: int, generator: torch.Generator) -> None:
        super().__init__()
        chi = settings.bond_dim
        needed = max(1, math.ceil(math.log2(weight_count))) if weight_count > 0 else 0
        self.bits = settings.bits or needed
        if chi < 1 or not 1 <= needed <= self.bits:
            raise ValueError(f"MPS: bond_dim {chi}, bits {settings.bits}, {weight_count} weights; need bond_dim >= 1 and bits >= {needed}")
        self.weight_count = weight_count
        self.scaled = settings.init_std is None
        spread = START / chi**0.5 if settings.init_std is None else settings.init_std

        def normal(*shape: int) -> Tensor:
            return spread * torch.randn(*shape, generator=generator, device=generator.device, dtype=torch.float32)

        def centre() -> Tensor:
            """What a matrix starts around. Rotations keep lengths as the identity does, and mix all of the bond's values."""
            if settings.init_std is not None:
                return torch.eye(chi, device=generator.device, dtype=torch.float32)
            drawn = torch.randn(chi, chi, generator=generator, device=generator.device, dtype=torch.float32)
            return torch.linalg.qr(drawn).Q.contiguous()  # optimisers' states are, after a resume

        self.cores = nn.Parameter(normal(self.bits + 1, 2, chi, chi))
        self.bias_left = nn.Parameter(centre() + normal(chi, chi))
        self.bias_right = nn.Parameter(centre() + normal(chi, chi))
        self.output = nn.Parameter(centre() + normal(chi, chi))

    def extra_repr(self) -> str:
        """Bond dimension and sites."""
        return f"bond_dim={self.output.shape[0]}, {self.bits} bits"

    def coefficients(self) -> Float[Tensor, "2 weights"]:
        """A and B of w = A + B P before centring. They do not depend on the probabilities."""
        prefixes, suffixes = self.halves()
        return (prefixes @ suffixes).flatten(1)[:, : self.weight_count]

    def halves(self) -> tuple[Float[Tensor, "prefixes chi"], Float[Tensor, "2 chi suffixes"]]:
        """L O for each prefix of the bits in use, and U and V for each suffix."""
        half, chi = (self.bits + 1) // 2, len(self.output)
        suffix_bits = self.bits - half
        prefixes = -(-self.weight_count // 2**suffix_bits)
        bias = torch.cat([self.bias_left.expand(half, -1, -1), self.bias_right.expand(suffix_bits, -1, -1)])
        first, second = self.cores[:-1].unbind(1)
        sites = torch.stack([bias - first + 2 * second, bias + first], 2)  # (bits, chi, 2, chi): bit -1, bit +1

        # The products that torch.einsum would form of "pi,ibj->pbj" and "ibj,jcs->icbs", without what it does around them at every step.
        left = sites[0, 0]
        for site in sites[1:half].flatten(2).unsqueeze(1).unbind():
            left = torch.bmm(left.unsqueeze(0), site).view(-1, chi)
        first, second = self.cores[-1]
        right = torch.stack([self.bias_right + second, first - second])[:, :, 0].t().unsqueeze(0)  # (1, chi, constant and slope)
        for site in reversed(sites[half:].flatten(1, 2).unsqueeze(1).unbind()):
            right = torch.bmm(site, right).view(chi, 2, 2, -1).transpose(1, 2).reshape(1, chi, -1)
        return left[:prefixes] @ self.output, right.view(chi, 2, -1).transpose(0, 1).contiguous()

    @staticmethod
    def weights(coefficients: Float[Tensor, "2 weights"], probabilities: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Centred weights from coefficients and probabilities."""
        raw = torch.addcmul(coefficients[0], coefficients[1], probabilities)
        return raw - raw.mean()

    def forward(self, probabilities: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Centred weights from probabilities."""
        return self.weights(self.coefficients(), probabilities)
