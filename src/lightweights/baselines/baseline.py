"""What all baselines share: trained parameters, an objective, how many numbers are trained, and the plain network in the end."""

import copy
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from lightweights.training.data import TrainingData


class Baseline(nn.Module):
    """A network that is trained by minimising :meth:`objective` over :meth:`trained_parameters`."""

    def trained_parameters(self) -> list[nn.Parameter]:
        """What the optimiser moves."""
        return [p for p in self.parameters() if p.requires_grad]

    def prepare(self, data: TrainingData, epochs: int, lr: float, batch_size: int) -> dict[str, float]:
        """What must be done with the data before the first epoch; columns that stand in every row of the history."""
        return {}

    def start_epoch(self, epoch: int) -> None:
        """What changes at the start of an epoch, the first one being 1."""

    def objective(
        self, images: Float[Tensor, "n channels height width"], labels: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n classes"]]:
        """The loss that is minimised, its mean over the images, and the logits."""
        logits = self(images)
        return F.cross_entropy(logits, labels), logits

    def bake(self) -> nn.Module:
        """A plain module with the present weights, for inference."""
        raise NotImplementedError

    def target_count(self) -> int:
        """Weights of the target network."""
        raise NotImplementedError

    def trained_count(self) -> int:
        """Numbers that are trained."""
        return sum(p.numel() for p in self.trained_parameters())

    def effective_count(self) -> int:
        """Numbers that are trained, less those that cannot change the weights on their own."""
        return self.trained_count()

    def parameter_counts(self) -> dict[str, int]:
        """Counts under the names of :meth:`lightweights.quantum_train.QuantumTrain.parameter_counts`."""
        counts = {"target": self.target_count()}
        counts |= dict.fromkeys(("mapping", "phases_published", "phases_used", "phases_effective"), 0)
        trained = self.trained_count()
        return counts | {"trained_published": trained, "trained_used": trained, "trained_effective": self.effective_count()}


class GeneratedWeights(Baseline):
    """A target network whose weights are a function of fewer parameters.

    ``network`` is copied; each of its parameters that requires a gradient is generated, all others and the buffers stay.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.shapes = {name: p.shape for name, p in network.named_parameters() if p.requires_grad}
        self.target = copy.deepcopy(network).requires_grad_(False)

    def weights(self) -> dict[str, Tensor]:
        """The generated weights by name."""
        raise NotImplementedError

    def forward(self, images: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n classes"]:
        """The network's output with the generated weights."""
        return functional_call(self.target, self.weights(), (images,))

    @torch.no_grad()
    def bake(self) -> nn.Module:
        """A copy of the target network that holds the generated weights."""
        network = copy.deepcopy(self.target)
        network.load_state_dict(self.weights(), strict=False)
        return network

    def target_count(self) -> int:
        """Weights of the target network."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def named(self, vector: Float[Tensor, " weights"]) -> dict[str, Tensor]:
        """A weight vector in the order of ``state_dict``, cut into the network's tensors."""
        pieces = vector.split([math.prod(shape) for shape in self.shapes.values()])
        return {name: piece.view(shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)}


def initial_scale(network: nn.Module) -> Float[Tensor, " weights"]:
    """Standard deviation of each weight that requires a gradient where torch's layers start: 1 / sqrt(3 fan-in), biases included.

    A parameter of one dimension takes the fan-in of the weight before it.
    """
    scales, fan_in = [], 1
    for parameter in network.parameters():
        if parameter.requires_grad:
            fan_in = math.prod(parameter.shape[1:]) if parameter.ndim > 1 else fan_in
            scales.append(torch.full((parameter.numel(),), 1 / math.sqrt(3 * fan_in)))
    return torch.cat(scales)


def index_bits(count: int) -> Float[Tensor, "count bits"]:
    """The bits of 0 .. count-1 as -1/+1, most significant first, as many as tell all apart."""
    width = max(1, math.ceil(math.log2(count)))
    places = torch.arange(width - 1, -1, -1)
    return ((torch.arange(count)[:, None] >> places) & 1).float() * 2 - 1
