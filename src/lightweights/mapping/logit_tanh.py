"""The mapping of MerLin's notebook: no parameters, the weight is tanh(logit(P)).

Source: the notebook of the MerLin reproduction of arXiv 2505.08474. tanh(logit(p)) = (p^2 - (1-p)^2) / (p^2 + (1-p)^2) is -1 for
p = 0 and 0 for p = 1/2. Probabilities of a large circuit are all small, so the weights start close to -1, where the gradient vanishes.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

SMALLEST = 1e-6
"""Probabilities are clipped to this and 1 less this."""


@dataclass(frozen=True)
class LogitTanh:
    """Settings of the mapping: none."""

    def build(self, weight_count: int, generator: torch.Generator) -> "LogitTanhMapping":
        """The mapping to ``weight_count`` weights; nothing is drawn."""
        return LogitTanhMapping(weight_count)


class LogitTanhMapping(nn.Module):
    """Weights from probabilities. Called with P (weight_count,) it gives weights (weight_count,), which are not centred."""

    absent: Tensor
    scaled = False

    def __init__(self, weight_count: int) -> None:
        super().__init__()
        self.weight_count = weight_count
        self.register_buffer("absent", torch.zeros(2, weight_count), persistent=False)

    def coefficients(self) -> Float[Tensor, "2 weights"]:
        """Zeros: there is no A and no B."""
        return self.absent

    @staticmethod
    def weights(coefficients: Float[Tensor, "2 weights"], probabilities: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Weights from probabilities alone."""
        return torch.tanh(torch.logit(probabilities, eps=SMALLEST))

    def forward(self, probabilities: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Weights from probabilities."""
        return self.weights(self.absent, probabilities)
