"""The target networks of photonic Quantum-Train: both published variants of one small convolutional network."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class TargetCNN(nn.Sequential):
    """conv 5x5 to 8, max-pool 2, conv 5x5 to 12, pool 2, linear to 20, linear to the classes; images (n, channels, height, width).

    The authors' notebooks have two max-pools and no activation: 6690 parameters on 28x28 grey images. With ``relu`` it is the
    variant of their slides: the second pool averages, and a ReLU stands between the linear layers.
    """

    def __init__(self, input_shape: tuple[int, int, int], classes: int, *, relu: bool = False) -> None:
        channels, height, width = input_shape
        rows, columns = (((side - 4) // 2 - 4) // 2 for side in (height, width))
        if min(rows, columns) < 1:
            raise ValueError(f"the target network needs images of at least 16x16 pixels, got {height}x{width}")
        super().__init__(
            nn.Conv2d(channels, 8, 5),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 12, 5),
            nn.AvgPool2d(2) if relu else nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(12 * rows * columns, 20),
            nn.ReLU() if relu else nn.Identity(),
            nn.Linear(20, classes),
        )

    def forward(self, images: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n classes"]:
        """Logits of the classes."""
        # Channels-last makes a training step on a CPU 1.3 to 2 times faster: pooling is vectorised over channels.
        return super().forward(images.to(memory_format=torch.channels_last))
