"""The loss of knowledge distillation (Hinton et al., arXiv 1503.02531, weighted as in arXiv 2603.14898)."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def distillation_loss(
    student: Float[Tensor, "n classes"],
    teacher: Float[Tensor, "n classes"],
    labels: Int[Tensor, " n"],
    temperature: float,
    hard_weight: float,
) -> Float[Tensor, ""]:
    """hard_weight CE(student, labels) + (1 - hard_weight) temperature^2 KL(teacher || student), mean over images, in nats.

    ``student`` and ``teacher`` are logits; both are divided by the temperature in the divergence, not in the cross-entropy.
    """
    hard = F.cross_entropy(student, labels)
    soft = F.kl_div(
        (student / temperature).log_softmax(-1), (teacher / temperature).log_softmax(-1), reduction="batchmean", log_target=True
    )
    return hard_weight * hard + (1 - hard_weight) * temperature**2 * soft
