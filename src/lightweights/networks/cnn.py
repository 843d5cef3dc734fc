"""The target networks of photonic Quantum-Train: both published variants of one small convolutional network, and MerLin's."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height, width. Raises ValueError where inputs are no images."""
    if len(shape) != 3:
        raise ValueError(f"a convolutional network takes images (channels, height, width), the data's inputs have the shape {shape}")
    return shape[0], shape[1], shape[2]


class TargetCNN(nn.Sequential):
    """conv 5x5 to 8, max-pool 2, conv 5x5 to 12, pool 2, linear to 20, linear to the classes; images (n, channels, height, width).

    The authors' notebooks have two max-pools and no activation: 6690 parameters on 28x28 grey images. With ``relu`` it is the
    variant of their slides: the second pool averages, and a ReLU stands between the linear layers. Other ``channels`` of the
    convolutions and ``hidden`` units make smaller or larger ones.
    """

    layout = torch.channels_last
    """Of images in memory. It makes a training step on a CPU 1.3 to 2 times faster: pooling is vectorised over channels."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        *,
        relu: bool = False,
        channels: tuple[int, int] = (8, 12),
        hidden: int = 20,
    ) -> None:
        entering, height, width = image_shape(input_shape)
        first, second = channels
        rows, columns = (((side - 4) // 2 - 4) // 2 for side in (height, width))
        if min(rows, columns) < 1:
            raise ValueError(f"the target network needs images of at least 16x16 pixels, got {height}x{width}")
        super().__init__(
            nn.Conv2d(entering, first, 5),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 5),
            nn.AvgPool2d(2) if relu else nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(second * rows * columns, hidden),
            nn.ReLU() if relu else nn.Identity(),
            nn.Linear(hidden, classes),
        )

    def forward(self, images: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n classes"]:
        """Logits of the classes."""
        return super().forward(images.to(memory_format=self.layout))


class MerlinCNN(nn.Sequential):
    """conv 4x4 to 4, max-pool 2, conv 4x4 to 4, max-pool 2, linear to the classes: 978 parameters on 28x28 grey images.

    Source: the notebook of the MerLin reproduction of arXiv 2505.08474. Its description lists no activation, so there is none.
    """

    def __init__(self, input_shape: tuple[int, ...], classes: int) -> None:
        channels, height, width = image_shape(input_shape)
        rows, columns = (((side - 3) // 2 - 3) // 2 for side in (height, width))
        if min(rows, columns) < 1:
            raise ValueError(f"MerLin's network needs images of at least 13x13 pixels, got {height}x{width}")
        super().__init__(
            nn.Conv2d(channels, 4, 4),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 4),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * rows * columns, classes),
        )
