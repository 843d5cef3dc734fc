"""Dictionary convolutions in a residual network of one's own, mixed by light.

    python examples/resnet_block.py           # a few minutes
    python examples/resnet_block.py --quick   # seconds

The blocks' 3 x 3 kernels are mixed from a few trained basis filters by coefficients that are generated from a photonic feature, not trained
(arXiv 2603.14898). Data: scikit-learn's digits. Beside it stand the same network with plain convolutions, and the same dictionary with
fixed random numbers in the photons' place: what the photons add must show in that difference. Angles are not tuned and no teacher helps;
the study does both.
"""

import argparse
from collections.abc import Callable

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights import DictionaryConv2d, TimeBin
from lightweights.distillation import build_source, feature_size
from lightweights.networks.dictionary import expand_convolutions, set_feature

WIDTH, BLOCKS, RANK = 16, 2, 4
CIRCUIT = TimeBin(modes=12)

Convolution = Callable[[int, int], nn.Module]


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), normalised; your block, with the convolutions handed in."""

    def __init__(self, width: int, convolution: Convolution) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width), convolution(width, width)
        self.norm1, self.norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm2(self.second(F.relu(self.norm1(self.first(x))))))


def network(convolution: Convolution) -> nn.Module:
    stem = nn.Conv2d(1, WIDTH, 3, padding=1)
    blocks = [ResidualBlock(WIDTH, convolution) for _ in range(BLOCKS)]
    return nn.Sequential(stem, nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * WIDTH, 10))


def plain(entering: int, leaving: int) -> nn.Module:
    return nn.Conv2d(entering, leaving, 3, padding=1)


def dictionary(draws: torch.Generator) -> Convolution:
    """Convolutions whose basis filters and fixed projections are drawn one after the other."""
    size = feature_size(CIRCUIT.modes)
    return lambda entering, leaving: DictionaryConv2d(entering, leaving, 3, RANK, padding=1, feature_size=size, generator=draws)


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images (n, 1, 8, 8) in [0, 1] and labels, then those for testing."""
    data = load_digits()
    images, labels = torch.tensor(data.images / 16, dtype=torch.float32)[:, None], torch.tensor(data.target)
    train, test = train_test_split(torch.arange(len(labels)).numpy(), test_size=0.25, random_state=0, stratify=data.target)
    return images[train], labels[train], images[test], labels[test]


def train(module: nn.Module, images: Tensor, labels: Tensor, epochs: int) -> None:
    optimiser, order = torch.optim.Adam(module.parameters(), lr=3e-3), torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels), generator=order).split(64):
            optimiser.zero_grad()
            F.cross_entropy(module(images[rows]), labels[rows]).backward()
            optimiser.step()


def main(quick: bool) -> None:
    images, labels, test_images, test_labels = digits()
    found: dict[str, float] = {}
    for name in ("plain", "photonic", "gaussian-fixed"):
        torch.manual_seed(0)
        module = network(plain if name == "plain" else dictionary(torch.Generator().manual_seed(1)))
        kind = "plain" if name == "plain" else "dictionary"
        found[f"{kind}_parameters"] = sum(p.numel() for p in module.parameters())
        if name != "plain":
            draws = torch.Generator().manual_seed(0)
            source = build_source(name, CIRCUIT, shots=1000, fit_draws=64, generator=draws)
            set_feature(module, source.draw(CIRCUIT.random_angles(draws), draws))
        train(module, images, labels, epochs=3 if quick else 40)
        module = expand_convolutions(module.eval())  # plain convolutions again: nothing but torch is needed for inference
        with torch.no_grad():
            found[name] = 100 * (module(test_images).argmax(-1) == test_labels).double().mean().item()
    print(f"{len(labels)} digits to train on, {len(test_labels)} to test on; chance is 10 %")
    print(f"plain convolutions:              {found['plain_parameters']:>5} trained parameters, {found['plain']:.1f} % right")
    print(f"dictionary, photonic feature:    {found['dictionary_parameters']:>5} trained parameters, {found['photonic']:.1f} % right")
    print(f"dictionary, fixed random vector: {found['dictionary_parameters']:>5} trained parameters, {found['gaussian-fixed']:.1f} % right")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs")
    main(parser.parse_args().quick)
