"""Gates of an LSTM cell as photonic circuits: 2n modes and n photons in place of n qubits.

The inputs enter as they enter qubits, in dual rail. Input v_k has two modes and one photon: a beam splitter of angle pi/2 + atan v_k, then
a phase between the two modes, leave the photon in the state that H, RY(atan v_k), RZ(atan v_k^2) would give a qubit. This is the
first layer of a rectangular mesh of 2n modes; the other 2n - 1 layers, all their phases trained, stand where the CNOTs and
rotations of the qubits stood. (MerLin's reproduction of arXiv 2009.01783 has the same 2n modes and n photons, with phases alone as
inputs and a linear layer after each circuit.) A cycle counts when n modes click. Output k is the dual rail's <Z> given that:
P(first mode of pair k clicks) - P(the second does).

Only this condition lets photons show that they interfere: without it, mean photon numbers are sums of |U_ij|^2 whatever the photons are.
``distinguishable`` photons each walk on their own, under the same condition.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.photonics import Circuit

_PER_PAIR = 3
"""Phases of a crossing: its beam splitter's angle, then one phase shifter on either mode."""


def encoding(inputs: Float[Tensor, "*batch pairs"]) -> Float[Tensor, "*batch phases"]:
    """Phases of the mesh's first layer that put each pair's photon into the state of a qubit that v_k has entered."""
    splitter = math.pi / 2 + inputs.atan()
    turned = inputs.square().atan() - math.pi / 2  # the splitter itself turns the second mode by pi/2
    return torch.stack([splitter, torch.zeros_like(inputs), turned], -1).flatten(-2)


class PhotonicCircuits(nn.Module):
    """``count`` circuits of ``segments`` interferometers for ``pairs`` inputs each, with phases of their own, uniform in [0, 2 pi) at
    first; float64. Segments are interferometers of their own, so that no light passes from one to another.
    """

    _outputs: Tensor

    def __init__(self, count: int, segments: int, pairs: int, generator: torch.Generator, *, distinguishable: bool = False) -> None:
        super().__init__()
        if min(count, segments) < 1 or not 2 <= pairs <= 5:
            raise ValueError(f"{count} circuits of {segments} segments with {pairs} photons: both must be at least 1, photons 2 to 5")
        self.segments, self.pairs = segments, pairs
        self.circuit = Circuit(2 * pairs, pairs, "clements", [1, 0] * pairs, distinguishable=distinguishable)
        trained = self.circuit.mesh.used_phase_count - _PER_PAIR * pairs
        self.phases = nn.Parameter(2 * math.pi * torch.rand(count, segments, trained, generator=generator, dtype=torch.float64))
        clicks = torch.zeros(self.circuit.outcome_count, 2 * pairs, dtype=torch.float64)
        for number, outcome in enumerate(self.circuit.outcomes()):
            clicks[number, list(outcome)] = 1
        self.register_buffer("_outputs", clicks[:, 0::2] - clicks[:, 1::2], persistent=False)

    @property
    def inputs(self) -> int:
        """Numbers that enter a circuit, and that come out of it."""
        return self.segments * self.pairs

    def forward(self) -> Float[Tensor, "count segments phases"]:
        """What stands still while sequences pass: the trained phases."""
        return self.phases

    def expectations(
        self, inputs: Float[Tensor, "batch inputs"], held: Float[Tensor, "circuits segments phases"]
    ) -> Float[Tensor, "circuits batch inputs"]:
        """The pairs' differences of click probabilities, given n clicks, for every input."""
        entering = encoding(inputs.unflatten(-1, (self.segments, self.pairs)))  # (batch, segments, phases)
        batch, circuits = len(inputs), len(held)
        phases = torch.cat(
            [entering.expand(circuits, *entering.shape), held[:, None].expand(circuits, batch, *held.shape[1:])], -1
        )  # (circuits, batch, segments, phases)
        joint = self.probabilities(phases)
        given = joint / joint.sum(-1, keepdim=True)
        return (given @ self._outputs).flatten(2)

    def probabilities(self, phases: Float[Tensor, "circuits batch segments phases"]) -> Float[Tensor, "circuits batch segments outcomes"]:
        """Of the outcomes with n clicks, per cycle."""
        return self.circuit(phases)
