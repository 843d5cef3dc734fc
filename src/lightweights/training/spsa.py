"""Simultaneous perturbation stochastic approximation (Spall, IEEE Trans. Autom. Control 37, 332 (1992)): one step."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class SpsaStep(NamedTuple):
    """The point after a step, and the objective's two values that decided it."""

    theta: Tensor
    plus: float
    minus: float


def spsa_step(
    theta: Float[Tensor, " angles"],
    objective: Callable[[Float[Tensor, " angles"]], float],
    gain: float,
    perturbation: float,
    generator: torch.Generator,
    bound: float = math.pi,
) -> SpsaStep:
    """One step downhill: theta - gain (f(theta + c d) - f(theta - c d)) / (2 c) d, d random signs, clipped to [-bound, bound].

    The two points themselves are not clipped: angles are periodic, and a clipped difference would be a wrong slope.
    """
    signs = (2 * torch.randint(0, 2, theta.shape, generator=generator) - 1).to(theta)
    plus, minus = objective(theta + perturbation * signs), objective(theta - perturbation * signs)
    slope = (plus - minus) / (2 * perturbation)
    return SpsaStep((theta - gain * slope * signs).clamp(-bound, bound), plus, minus)
