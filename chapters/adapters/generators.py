"""Classical generators of one vector of adapter weights, in the photons' place: mappings as photonic Quantum-Train takes them.

Each has ``coefficients()`` whose first row is the vector and whose second is 0, so that the probabilities that multiply it do nothing; the
start, the gates and all else are those of the photonic arm.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.baselines.gate_qt import basis_probabilities
from lightweights.mapping import MPSMapping

BLOCKS = 8
"""Layers of the circuit of the published adapters (arXiv 2410.09846)."""
SMALLEST = 1e-12
"""Probabilities below are taken as this: a power below 1 has no derivative at 0."""


class Generator(nn.Module):
    """A mapping that does not ask the probabilities. Called with them it gives centred weights (weight_count,)."""

    scaled = True
    weights = staticmethod(MPSMapping.weights)

    def __init__(self, weight_count: int) -> None:
        super().__init__()
        self.weight_count = weight_count

    def vector(self) -> Float[Tensor, " weights"]:
        """The generated vector, before centring."""
        raise NotImplementedError

    def coefficients(self) -> Float[Tensor, "2 weights"]:
        """The vector, and nothing that a probability multiplies."""
        found = self.vector()
        return torch.stack([found, torch.zeros_like(found)])

    def forward(self, probabilities: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Centred weights."""
        return self.weights(self.coefficients(), probabilities)


@dataclass(frozen=True)
class Subspace:
    """A random subspace of so many dimensions (Li et al., ICLR 2018, arXiv 1804.08838; for language models Aghajanyan et al., 2020)."""

    dimensions: int

    def build(self, weight_count: int, generator: torch.Generator) -> "SubspaceVector":
        """The vector of ``weight_count`` weights."""
        return SubspaceVector(self.dimensions, weight_count, generator)


class SubspaceVector(Generator):
    """P z with trained z and fixed random P, by the fastfood transform S H G Pi H B (Le, Sarlos and Smola, ICML 2013): H is Hadamard's
    matrix, B random signs, Pi a permutation, G Gaussian numbers; z is filled up with zeros to a power of two, and as many blocks stand
    below each other as the vector needs.
    """

    def __init__(self, dimensions: int, weight_count: int, generator: torch.Generator) -> None:
        super().__init__(weight_count)
        size = 2 ** math.ceil(math.log2(dimensions))
        blocks = -(-weight_count // size)
        self.size = size
        self.z = nn.Parameter(torch.randn(dimensions, generator=generator))
        self.register_buffer("signs", 2 * torch.randint(0, 2, (blocks, size), generator=generator, dtype=torch.int8) - 1, persistent=False)
        self.register_buffer("order", torch.stack([torch.randperm(size, generator=generator) for _ in range(blocks)]), persistent=False)
        self.register_buffer("gaussian", torch.randn(blocks, size, generator=generator), persistent=False)

    def vector(self) -> Float[Tensor, " weights"]:
        """P z; the entries of P have variance 1 / dimensions."""
        filled = nn.functional.pad(self.z, (0, self.size - len(self.z)))
        mixed = hadamard(self.get_buffer("signs") * filled).gather(1, self.get_buffer("order"))
        found = hadamard(self.get_buffer("gaussian") * mixed) * math.sqrt(self.size / len(self.z))
        return found.flatten()[: self.weight_count]


def hadamard(x: Float[Tensor, "n size"]) -> Float[Tensor, "n size"]:
    """x times the orthogonal Hadamard matrix, row by row; the size is a power of two. Sums and differences of pairs, log2(size) times."""
    n, size = x.shape
    half = 1
    while half < size:
        pairs = x.view(n, size // (2 * half), 2, half)
        x = torch.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], 2).view(n, size)
        half *= 2
    return x / math.sqrt(size)


@dataclass(frozen=True)
class LowRankVector:
    """The vector as a matrix of low rank."""

    rank: int

    def build(self, weight_count: int, generator: torch.Generator) -> "FactorisedVector":
        """The vector of ``weight_count`` weights."""
        return FactorisedVector(self.rank, weight_count, generator)


class FactorisedVector(Generator):
    """U V, read row by row; its shape is as square as powers of two are."""

    def __init__(self, rank: int, weight_count: int, generator: torch.Generator) -> None:
        super().__init__(weight_count)
        rows, columns = sides(weight_count)
        self.left = nn.Parameter(torch.randn(rows, rank, generator=generator) / rank**0.25)
        self.right = nn.Parameter(torch.randn(rank, columns, generator=generator) / rank**0.25)

    def vector(self) -> Float[Tensor, " weights"]:
        """The product, cut to the weights."""
        return (self.left @ self.right).flatten()[: self.weight_count]


def sides(weight_count: int) -> tuple[int, int]:
    """Rows and columns of the matrix that holds the vector."""
    columns = 2 ** (math.ceil(math.log2(weight_count)) // 2)
    return -(-weight_count // columns), columns


@dataclass(frozen=True)
class Affine:
    """The generator of the published adapters (arXiv 2410.09846) as its code computes it, with fixed bits: chunks of ``chunk`` weights are
    one affine map of the bits of the chunk's number, as -1/+1, and with ``angles`` of a probability that a circuit of qubits gives it.
    """

    chunk: int
    angles: bool

    def build(self, weight_count: int, generator: torch.Generator) -> "AffineVector":
        """The vector of ``weight_count`` weights."""
        return AffineVector(self, weight_count, generator)


class AffineVector(Generator):
    """W (bits, x) + b for each chunk, where x_i = (0.6 tanh(0.1 2^(n-1) p_i))^0.15 less its mean, and p_i is the probability of basis state
    i behind 8 layers of rotations and CNOTs on n qubits. The published stack of linear layers without nonlinearity is such a map.
    """

    def __init__(self, settings: Affine, weight_count: int, generator: torch.Generator) -> None:
        super().__init__(weight_count)
        chunks = -(-weight_count // settings.chunk)
        qubits = qubits_of(chunks)
        places = torch.arange(qubits - 1, -1, -1)
        self.register_buffer("bits", 2.0 * (torch.arange(chunks)[:, None] >> places & 1) - 1, persistent=False)
        inputs = qubits + settings.angles
        uniform = lambda *shape: (2 * torch.rand(*shape, generator=generator) - 1) / math.sqrt(inputs)  # noqa: E731
        self.slope, self.offset = nn.Parameter(uniform(inputs, settings.chunk)), nn.Parameter(uniform(settings.chunk))
        self.angles = nn.Parameter(2 * torch.pi * torch.rand(BLOCKS, qubits, generator=generator)) if settings.angles else None

    def vector(self) -> Float[Tensor, " weights"]:
        """All chunks below each other, cut to the weights."""
        inputs = self.get_buffer("bits")
        if self.angles is not None:
            chunks, qubits = inputs.shape
            p = basis_probabilities(self.angles)[:chunks].clamp(min=SMALLEST)
            x = (0.6 * torch.tanh(0.1 * 2 ** (qubits - 1) * p)) ** 0.15
            inputs = torch.cat([inputs, (x - x.mean())[:, None]], 1)
        return (inputs @ self.slope + self.offset).flatten()[: self.weight_count]


def qubits_of(chunks: int) -> int:
    """Qubits that tell so many chunks apart; at least three, so that each part of the circuit has one."""
    return max(3, math.ceil(math.log2(chunks)))


def affine_size(chunk: int, weight_count: int, angles: bool) -> int:
    """Trained numbers of an affine generator."""
    qubits = qubits_of(-(-weight_count // chunk))
    return chunk * (qubits + 1 + angles) + BLOCKS * qubits * angles
