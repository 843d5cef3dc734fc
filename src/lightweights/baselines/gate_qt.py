"""Gate-based Quantum-Train: a circuit of qubits in place of the photons.

Source: Liu et al., arXiv 2402.16465 and 2405.11304, and the authors' public toolkit. n qubits, n the bits of the weights' indices (13 for
6690), start as |0...0>; each layer is a rotation RY on every qubit and a ladder of CNOTs from each qubit to the next. The probability
p_i of basis state i becomes x_i = (0.8 tanh(0.1 2^(n-1) p_i))^0.3, less its mean over the weights; the n bits of i as -1/+1 and x_i go
through a mapping to the weight, and the mean of all weights is taken off. The mapping is a chain of linear layers of hidden widths
4, 20, 4 without activations: 249 parameters, of which, being affine, it has the use of 14 (a slope for each input).

The settings that the photonic paper compares with are not public. These give each of its ten sizes exactly, 457 = 249 + 16 x 13 to
2212 = 249 + 151 x 13 in steps of 15 layers; the eleventh, 1365, is not of this form, and 86 layers (1367) come nearest.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.baselines.baseline import GeneratedWeights, index_bits
from lightweights.settings.baselines import GateQuantumTrain

SMALLEST = 1e-12
"""Probabilities below are taken as this: the power 0.3 has no derivative at 0."""


def basis_probabilities(angles: Float[Tensor, "layers qubits"]) -> Float[Tensor, " states"]:
    """Probabilities of the basis states, the first qubit most significant, after layers of RY on each qubit and a ladder of CNOTs.

    Both kinds of gates are real, so the amplitudes are. All rotations of a layer together are a Kronecker product; it is applied in
    three parts, and the ladder is a permutation of the basis states.
    """
    layers, qubits = angles.shape
    sizes = [qubits // 3 + (part < qubits % 3) for part in range(3)]
    cosine, sine = (angles / 2).cos(), (angles / 2).sin()
    rotations = torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], -2)
    first, second, third = (kronecker(part).unbind() for part in rotations.split(sizes, 1))
    a, b, c = (2**size for size in sizes)
    index = torch.arange(2**qubits, device=angles.device)
    ladder = index ^ (index >> 1)  # after the ladder each bit is the parity of those up to it
    state = torch.zeros(2**qubits, dtype=angles.dtype, device=angles.device)
    state[0] = 1
    for layer in range(layers):
        state = (first[layer] @ state.view(a, b * c)).view(a * b, c) @ third[layer].T
        state = (second[layer] @ state.view(a, b, c)).flatten().index_select(0, ladder)
    return state.square()


def kronecker(factors: Float[Tensor, "layers qubits 2 2"]) -> Float[Tensor, "layers size size"]:
    """Kronecker product over the qubits, layer by layer."""
    layers, qubits = factors.shape[:2]
    product = torch.ones(layers, 1, 1, dtype=factors.dtype, device=factors.device)
    for qubit in range(qubits):
        product = torch.einsum("lab,lcd->lacbd", product, factors[:, qubit]).flatten(3).flatten(1, 2)
    return product


def perceptron(inputs: int, widths: list[int], generator: torch.Generator) -> list[nn.Linear]:
    """Linear layers from ``inputs`` over hidden ``widths`` to one output, at torch's initial values, drawn from ``generator``."""
    layers = []
    for before, after in zip([inputs, *widths], [*widths, 1], strict=True):
        layer = nn.Linear(before, after)
        with torch.no_grad():
            for values in (layer.weight, layer.bias):
                values.copy_((2 * torch.rand(values.shape, generator=generator) - 1) / math.sqrt(before))
        layers.append(layer)
    return layers


class GateQuantumTrainWeights(GeneratedWeights):
    """The target network with weights from a circuit of qubits. Angles start uniform in [0, 2 pi), the mapping as torch's layers do."""

    bits: Tensor

    def __init__(self, settings: GateQuantumTrain, network: nn.Module, generator: torch.Generator) -> None:
        super().__init__(network)
        self.register_buffer("bits", index_bits(self.target_count()), persistent=False)
        qubits = self.bits.shape[1]
        self.mapping = nn.Sequential(*perceptron(qubits + 1, settings.widths, generator))
        self.angles = nn.Parameter(2 * torch.pi * torch.rand(settings.layers, qubits, generator=generator))

    def weights(self) -> dict[str, Tensor]:
        """The generated weights by name."""
        count, qubits = self.bits.shape
        probabilities = basis_probabilities(self.angles)[:count].clamp(min=SMALLEST)
        inputs = (0.8 * torch.tanh(0.1 * 2 ** (qubits - 1) * probabilities)) ** 0.3
        raw = self.mapping(torch.cat([self.bits, (inputs - inputs.mean())[:, None]], 1))[:, 0]
        return self.named(raw - raw.mean())

    def parameter_counts(self) -> dict[str, int]:
        """The angles as phases, and the mapping's parameters, of which an affine function of its inputs, less its mean, has the use of one
        an input. All angles count as effective up to the number of weights: the Jacobian has full rank where it was computed.
        """
        count, qubits = self.bits.shape
        mapping, phases = sum(p.numel() for p in self.mapping.parameters()), self.angles.numel()
        effective = min(phases, count)
        counts = super().parameter_counts() | {"mapping": mapping, "phases_published": phases, "phases_used": phases}
        return counts | {"phases_effective": effective, "trained_effective": min(mapping, qubits + 1) + effective}
