"""A smaller network taught by the target network: knowledge distillation (Hinton et al., arXiv 1503.02531).

The target network is trained first, as the experiment ``classical`` trains it. Its smaller likeness (fewer channels and hidden units)
then minimises a share of the labels' cross-entropy and a share of tau^2 KL(teacher || student) at temperature tau. Where the labels have
the whole share, it is a plain smaller network, and no teacher is trained.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights.baselines.baseline import Baseline
from lightweights.networks import TargetCNN
from lightweights.settings.base import SettingsError
from lightweights.settings.baselines import SmallCNN
from lightweights.settings.network import NetworkSection
from lightweights.settings.schedules import ClassicalSchedule
from lightweights.training.classical import begin_classical, classical_epochs
from lightweights.training.data import TrainingData
from lightweights.training.loss import distillation_loss

OF_TEACHER = "_of_teacher_percent"
"""End of the columns that tell the teacher's accuracies."""


class Distilled(Baseline):
    """A teacher and its student. Only the student counts and is kept; the teacher's training has no checkpoint and no history."""

    def __init__(self, settings: SmallCNN, teacher: nn.Module, name: str, input_shape: tuple[int, ...], classes: int, seed: int) -> None:
        super().__init__()
        self.tau, self.label_share, self.seed = settings.temperature, settings.label_share, seed
        with torch.random.fork_rng(devices=[]):  # torch's layers draw their initial weights from the global generator
            torch.manual_seed(seed)
            first, second, hidden = settings.widths
            self.student = TargetCNN(input_shape, classes, relu=name == "cnn-relu", channels=(first, second), hidden=hidden)
        self.teacher = teacher

    def trained_parameters(self) -> list[nn.Parameter]:
        """The student's."""
        return list(self.student.parameters())

    def prepare(self, data: TrainingData, epochs: int, lr: float, batch_size: int) -> dict[str, float]:
        """Train the teacher; its accuracies in percent, one column a set of images. Labels alone need none."""
        if self.label_share == 1:
            return {}
        schedule = ClassicalSchedule(epochs=epochs, lr=lr, batch_size=batch_size, measure_every=epochs)
        *_, last = classical_epochs(begin_classical(self.teacher, schedule, self.seed), data, schedule)
        ending = "_accuracy_percent"
        names = [name for name in last if name.endswith(ending) and not name.startswith("last_batch")]
        return {name.removesuffix("_percent") + OF_TEACHER: last[name] for name in names}

    def forward(self, images: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n classes"]:
        """The student's logits."""
        return self.student(images)

    def objective(
        self, images: Float[Tensor, "n channels height width"], labels: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n classes"]]:
        """The distillation loss and the student's logits."""
        logits = self.student(images)
        if self.label_share == 1:
            return F.cross_entropy(logits, labels), logits
        with torch.no_grad():
            answers = self.teacher(images)
        return distillation_loss(logits, answers, labels, self.tau, self.label_share), logits

    def bake(self) -> nn.Module:
        """The student."""
        return self.student

    def target_count(self) -> int:
        """Weights of the teacher."""
        return sum(p.numel() for p in self.teacher.parameters())


def distilled(
    settings: SmallCNN, network: NetworkSection, teacher: nn.Module, input_shape: tuple[int, ...], classes: int, seed: int
) -> Distilled:
    """The student of a published network. Raises SettingsError for another: what is smaller of it is not known."""
    if network.name not in ("cnn", "cnn-relu"):
        raise SettingsError(f"baseline.kind = 'small_cnn' knows no smaller {network.name!r}; set network.name to cnn or cnn-relu")
    return Distilled(settings, teacher, network.name, input_shape, classes, seed)
