"""How well a classifier's confidence agrees with its accuracy (Guo et al., ICML 2017)."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

BINS = 15
"""Bins of confidence."""


@dataclass(frozen=True)
class Reliability:
    """Bins of equal width in confidence: images, accuracy and mean confidence of each (NaN where it is empty)."""

    images: Int[Tensor, " bins"]
    accuracy: Float[Tensor, " bins"]
    confidence: Float[Tensor, " bins"]

    @property
    def calibration_error(self) -> float:
        """The expected calibration error: mean over images of |accuracy - confidence| of their bin, between 0 and 1."""
        return float((self.images * (self.accuracy - self.confidence).abs().nan_to_num()).sum() / self.images.sum())


def reliability(logits: Float[Tensor, "n classes"], labels: Int[Tensor, " n"], bins: int = BINS) -> Reliability:
    """Bins (k / bins, (k + 1) / bins] of the largest softmax probability."""
    confidence, predicted = logits.double().softmax(-1).max(-1)
    number = ((confidence * bins).ceil().long() - 1).clamp(0, bins - 1)
    images = number.bincount(minlength=bins)
    correct = (predicted == labels).double()
    return Reliability(
        images.cpu(),
        (number.bincount(correct, minlength=bins) / images).cpu(),
        (number.bincount(confidence, minlength=bins) / images).cpu(),
    )


def scores(logits: Float[Tensor, "n classes"], labels: Int[Tensor, " n"], name: str) -> dict[str, float]:
    """Accuracy and expected calibration error in percent, cross-entropy in nats, as columns of the history."""
    logits = logits.float()
    return {
        f"{name}_accuracy_percent": 100 * float((logits.argmax(-1) == labels).double().mean()),
        f"{name}_cross_entropy": float(F.cross_entropy(logits, labels)),
        f"{name}_calibration_error_percent": 100 * reliability(logits, labels).calibration_error,
    }
