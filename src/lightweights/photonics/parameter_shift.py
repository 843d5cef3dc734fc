"""Exact derivatives from a device: the parameter-shift rule of photons.

A phase shifter multiplies the amplitude of a state with n photons in its mode by exp(i n phi), n = 0..N, so an outcome's probability is a
trigonometric polynomial of degree N in phi: frequencies 0, 1, ..., N. Its derivative follows exactly from 2N values at the shifts
x_m = (2m - 1) pi / (2N), m = 1..2N (Wierichs et al., Quantum 6, 677 (2022), eq. 14, for equidistant frequencies):

    p'(phi) = sum over m of (-1)^(m-1) / (4 N sin^2(x_m / 2)) p(phi + x_m).

A beam splitter BS(theta) acts with theta / 2: it is exp(-i theta / 2) on both its modes after, between two fixed beam splitters, a phase
shifter theta. Amplitudes with k of the N photons in the two modes have frequencies from -k/2 to k/2, for k = 0..N of either parity,
so the probability is a polynomial of degree 2N in theta / 2, and needs 4N values.

The rule is exact for probabilities per cycle: of pure, distinguishable, lost or threshold-detected photons alike, because these are sums of
such probabilities; second photons (g2) raise N to 2N. It does not hold for probabilities given the herald, which are quotients of such
polynomials (take the derivative of numerator and denominator), nor for phases that a device rounds (phase_imprecision).
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lightweights.photonics.backends import Backend
from lightweights.photonics.circuit import Circuit

Function = Callable[[Float[Tensor, " phases"]], Float[Tensor, " outcomes"]]


def shifts(degree: int) -> list[tuple[float, float]]:
    """(shift, weight) of the rule for a trigonometric polynomial of that degree with frequencies 1..degree."""
    points = [((2 * m - 1) * math.pi / (2 * degree), (-1) ** (m - 1)) for m in range(1, 2 * degree + 1)]
    return [(x, sign / (4 * degree * math.sin(x / 2) ** 2)) for x, sign in points]


def degrees(circuit: Circuit, photons: int | None = None) -> list[tuple[int, float]]:
    """Degree and frequency unit of each phase of the circuit: (N, 1) for phase shifters, (2N, 1/2) for beam splitters; (0, 1) for a phase
    that does not enter the circuit. ``photons``: the most that may be in it, 2N where sources emit second ones.
    """
    most, mesh = photons or circuit.photons, circuit.mesh
    kinds = [
        (2 * most, 0.5) if mesh.phases_per_crossing == 3 and k % mesh.phases_per_crossing == 0 else (most, 1.0)
        for k in range(mesh.used_phase_count)
    ]
    return kinds + [(0, 1.0)] * (mesh.phase_count - mesh.used_phase_count)


def jacobian(
    function: Function, circuit: Circuit, phases: Float[Tensor, " phases"], photons: int | None = None
) -> Float[Tensor, "outcomes phases"]:
    """d p / d phi of the circuit's probabilities per cycle, from values of ``function`` at shifted phases alone."""
    columns = []
    for k, (degree, unit) in enumerate(degrees(circuit, photons)):
        column = torch.zeros(circuit.outcome_count, dtype=torch.float64)
        for shift, weight in shifts(degree) if degree else ():
            moved = phases.detach().double().clone()
            moved[k] += shift / unit
            column += unit * weight * function(moved).double()
        columns.append(column)
    return torch.stack(columns, -1)


class _Shifted(torch.autograd.Function):
    @staticmethod
    def forward(ctx, phases: Tensor, answer: Tensor, backend: Backend, circuit: Circuit, photons: int) -> Tensor:
        ctx.save_for_backward(phases)
        ctx.asked = (backend, circuit, photons)
        return answer.to(phases)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:  # type: ignore[override]
        (phases,) = ctx.saved_tensors
        backend, circuit, photons = ctx.asked
        found = jacobian(lambda moved: backend.ask(circuit, moved), circuit, phases.cpu(), photons)
        return (gradient.cpu().double() @ found).to(phases), None, None, None, None


def with_shifted_gradient(
    phases: Float[Tensor, " phases"], answer: Float[Tensor, " outcomes"], backend: Backend, circuit: Circuit, photons: int
) -> Float[Tensor, " outcomes"]:
    """A backend's answer, of the phases' dtype, whose gradient is asked of the backend by the parameter-shift rule when it is needed."""
    return _Shifted.apply(phases, answer, backend, circuit, photons)
