"""Gates of an LSTM cell as qubit circuits: exact state vectors of all circuits at once, differentiable.

The circuit of the QLSTM (Chen et al., arXiv 2009.01783, and the code of arXiv 2312.14309). An input v of n numbers enters n qubits as
H, RY(atan v_q), RZ(atan v_q^2) on qubit q. Each of L layers is a ring of CNOTs q -> q+1, a ring q -> q+2, and
Rot(a, b, c) = RZ(c) RY(b) RZ(a) on every qubit. The outputs are the <Z_q>.

Split into M segments, v is cut into M pieces, each enters a circuit of its own with rings of its own, and the outputs are put side by
side: nothing is entangled across segments. Two qubits have no q+2, so that their second ring is left out.

The state that enters is a product of single qubits, and all that follows is one unitary that no input changes, so that it is built once a
forward pass, for all steps of all sequences.
"""

import math

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor, nn


def ring(qubits: int, reach: int) -> list[tuple[int, int]]:
    """(control, target) of the CNOTs q -> q + reach, in order; none where a qubit would control itself."""
    return [(q, (q + reach) % qubits) for q in range(qubits)] if reach % qubits else []


def entangling_order(qubits: int) -> Int[Tensor, " states"]:
    """Where each amplitude after both rings stood before them: CNOTs only permute the basis. Qubit 0 is the highest bit."""
    order = torch.arange(2**qubits)
    for control, target in ring(qubits, 1) + ring(qubits, 2):
        states = torch.arange(2**qubits)
        flipped = states ^ ((states >> (qubits - 1 - control) & 1) << (qubits - 1 - target))
        order = order[flipped]
    return order


def _turned(length: Tensor, angle: Tensor) -> Tensor:
    # Not torch.polar: its derivative has the wrong sign where the length is negative.
    return torch.complex(length * angle.cos(), length * angle.sin())


def rotations(angles: Float[Tensor, "*batch 3"]) -> Complex[Tensor, "*batch 2 2"]:
    """Rot(a, b, c) = RZ(c) RY(b) RZ(a)."""
    a, b, c = (angles / 2).unbind(-1)
    outer, inner = _turned(b.cos(), a + c), _turned(b.sin(), a - c)
    return torch.stack([outer.conj(), -inner, inner.conj(), outer], -1).unflatten(-1, (2, 2))


def side_by_side(matrices: Complex[Tensor, "*batch qubits 2 2"]) -> Complex[Tensor, "*batch states states"]:
    """The Kronecker product of the qubits' matrices."""
    first, *rest = matrices.unbind(-3)
    for matrix in rest:
        first = torch.einsum("...ij,...kl->...ikjl", first, matrix).flatten(-2).flatten(-3, -2)
    return first


def unitaries(
    angles: Float[Tensor, "*batch layers qubits 3"], order: Int[Tensor, " states"] | None
) -> Complex[Tensor, "*batch states states"]:
    """All layers as one matrix; ``order`` None leaves out the CNOTs."""
    layers = side_by_side(rotations(angles)).unbind(-3)
    identity = torch.eye(layers[0].shape[-1], dtype=layers[0].dtype, device=angles.device)
    whole = layers[0] @ (identity if order is None else identity[order])
    for layer in layers[1:]:
        whole = layer @ (whole if order is None else whole[..., order, :])
    return whole


def entered(inputs: Float[Tensor, "*batch qubits"]) -> Complex[Tensor, "*batch states"]:
    """RZ(atan v^2) RY(atan v) H |0> on every qubit."""
    tilt, turn = inputs.atan() / 2, inputs.square().atan() / 2
    cos, sin = tilt.cos() / math.sqrt(2), tilt.sin() / math.sqrt(2)
    qubits = torch.stack([_turned(cos - sin, -turn), _turned(cos + sin, turn)], -1)
    first, *rest = qubits.unbind(-2)
    for qubit in rest:
        first = (first[..., :, None] * qubit[..., None, :]).flatten(-2)
    return first


def signs(qubits: int) -> Float[Tensor, "states qubits"]:
    """Eigenvalue of Z_q in each basis state, float64."""
    bits = torch.arange(2**qubits)[:, None] >> torch.arange(qubits - 1, -1, -1) & 1
    return 1.0 - 2.0 * bits.double()


class QubitCircuits(nn.Module):
    """``count`` circuits of ``segments`` times ``qubits`` qubits, each with angles of its own, float64.

    Angles are drawn as 0.01 N(0, 1), or uniform in [0, 2 pi) and not trained where the circuits are ``frozen``. Without ``entangled`` the
    CNOTs are left out, and a qubit's output depends on its own input alone.
    """

    _order: Tensor
    _signs: Tensor

    def __init__(
        self,
        count: int,
        segments: int,
        qubits: int,
        generator: torch.Generator,
        *,
        layers: int = 2,
        entangled: bool = True,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        if min(count, segments, layers) < 1 or not 2 <= qubits <= 10:
            raise ValueError(
                f"{count} circuits of {segments} segments with {qubits} qubits and {layers} layers: all must be at least 1, qubits 2 to 10"
            )
        self.segments, self.qubits, self.entangled = segments, qubits, entangled
        shape = (count, segments, layers, qubits, 3)
        if frozen:
            drawn = 2 * math.pi * torch.rand(shape, generator=generator, dtype=torch.float64)
        else:
            drawn = 0.01 * torch.randn(shape, generator=generator, dtype=torch.float64)
        self.angles = nn.Parameter(drawn, requires_grad=not frozen)
        self.register_buffer("_order", entangling_order(qubits), persistent=False)
        self.register_buffer("_signs", signs(qubits), persistent=False)

    @property
    def inputs(self) -> int:
        """Numbers that enter a circuit, and that come out of it."""
        return self.segments * self.qubits

    def forward(self) -> Complex[Tensor, "count segments states states"]:
        """What stands still while sequences pass: the circuits' unitaries."""
        return unitaries(self.angles, self._order if self.entangled else None)

    def expectations(
        self, inputs: Float[Tensor, "batch inputs"], held: Complex[Tensor, "circuits segments states states"]
    ) -> Float[Tensor, "circuits batch inputs"]:
        """<Z> of every qubit of the circuits and segments whose unitaries are given, for every input."""
        states = entered(inputs.unflatten(-1, (held.shape[1], self.qubits)))  # (batch, segments, states)
        amplitudes = states.transpose(0, 1) @ held.mT  # (circuits, segments, batch, states)
        probabilities = amplitudes.real.square() + amplitudes.imag.square()
        return (probabilities @ self._signs).transpose(1, 2).flatten(2)
