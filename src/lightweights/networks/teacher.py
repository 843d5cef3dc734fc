"""The teacher of photonic knowledge distillation (arXiv 2603.14898): three convolutions, global average pooling, one linear layer."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights.networks.dictionary import compress_convolutions
from lightweights.settings.distillation import MixingKind


class Teacher(nn.Module):
    """conv 5x5 to c1, max-pool 2; conv 3x3 to c2, max-pool 2; conv 3x3 to c3, dropout; mean over pixels; linear to the classes.

    A ReLU follows each convolution, and padding keeps the size of the pictures. ``widths`` are c1, c2, c3; the default has 224,394
    parameters on 28x28 grey images and ten classes. Initial weights are torch's, from the global generator.
    """

    def __init__(
        self, input_shape: tuple[int, int, int], classes: int, widths: tuple[int, int, int] = (64, 128, 128), dropout: float = 0.25
    ) -> None:
        super().__init__()
        channels, height, width = input_shape
        if min(height, width) < 4:
            raise ValueError(f"the teacher needs images of at least 4x4 pixels, got {height}x{width}")
        if len(widths) != 3 or min(widths) < 1:
            raise ValueError(f"widths {widths}: expected three numbers of channels, each at least 1")
        first, second, third = widths
        self.conv1 = nn.Conv2d(channels, first, 5, padding=2)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.conv3 = nn.Conv2d(second, third, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(third, classes)

    def forward(self, images: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n classes"]:
        """Logits of the classes."""
        pictures = images.to(memory_format=torch.channels_last)
        # The ReLU of a maximum is the maximum of the ReLUs, with a quarter of the work.
        pictures = F.max_pool2d(self.conv1(pictures), 2).relu()
        pictures = F.max_pool2d(self.conv2(pictures), 2).relu()
        pictures = self.dropout(self.conv3(pictures).relu())
        return self.linear(pictures.mean((2, 3)))


COMPRESSED = {"none": (), "conv1": ("conv1",), "partial": ("conv1", "conv2"), "extreme": ("conv1", "conv2", "conv3")}
"""Convolutions of a student that are dictionary convolutions, by the name of the student."""


def build_student(
    input_shape: tuple[int, int, int],
    classes: int,
    compressed: str = "partial",
    rank: int = 8,
    widths: tuple[int, int, int] = (64, 128, 128),
    dropout: float = 0.25,
    *,
    feature_size: int = 512,
    mixing: MixingKind = "generated",
    generator: torch.Generator,
) -> nn.Module:
    """A network of the teacher's shape with compressed convolutions. All initial values come from ``generator``: students of one seed
    share those of the layers that they have in common, whatever is compressed or generated.
    """
    if compressed not in COMPRESSED:
        raise ValueError(f"compressed {compressed!r}: expected one of {', '.join(COMPRESSED)}")
    network: nn.Module = seeded_teacher(input_shape, classes, widths, dropout, generator=generator)
    seed = torch.randint(2**62, (), generator=generator)
    for number, name in enumerate(COMPRESSED[compressed]):
        draws = torch.Generator().manual_seed((int(seed) + number) % 2**62)
        network = compress_convolutions(network, [name], rank, feature_size=feature_size, mixing=mixing, generator=draws)
    return network


def seeded_teacher(
    input_shape: tuple[int, int, int],
    classes: int,
    widths: tuple[int, int, int] = (64, 128, 128),
    dropout: float = 0.25,
    *,
    generator: torch.Generator,
) -> Teacher:
    """A teacher whose initial weights come from ``generator``; the global one is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        return Teacher(input_shape, classes, widths, dropout)


def trained_counts(network: nn.Module, theta: int = 0) -> dict[str, int]:
    """Trained parameters of a teacher or student: of its convolutions, of all layers, and both with the circuit's ``theta``."""
    everything = sum(p.numel() for p in network.parameters() if p.requires_grad)
    convolutions = sum(
        p.numel() for name, p in network.named_parameters() if p.requires_grad and name.partition(".")[0] in COMPRESSED["extreme"]
    )
    return {
        "convolutions": convolutions,
        "all": everything,
        "convolutions_with_theta": convolutions + theta,
        "all_with_theta": everything + theta,
    }


def matched_widths(
    count: int, input_shape: tuple[int, int, int], classes: int, shape: tuple[int, int, int] = (1, 2, 2)
) -> tuple[int, int, int]:
    """Widths of the ordinary network whose parameter count is closest to ``count``: c1 free, c2 and c3 in proportion ``shape`` to it, c3
    then moved one by one. For a plain student of a compressed one's size.
    """
    channels = input_shape[0]

    def total(widths: tuple[int, int, int]) -> int:
        first, second, third = widths
        return (25 * channels + 1) * first + (9 * first + 1) * second + (9 * second + 1) * third + (third + 1) * classes

    def scaled(first: int) -> tuple[int, int, int]:
        return first, max(1, round(first * shape[1] / shape[0])), max(1, round(first * shape[2] / shape[0]))

    first = 1
    while total(scaled(first + 1)) <= count:
        first += 1
    candidates = [(a, b, c) for a, b, _ in (scaled(first), scaled(first + 1)) for c in range(1, 2 * scaled(first + 1)[2] + 1)]
    return min(candidates, key=lambda widths: (abs(total(widths) - count), widths))
