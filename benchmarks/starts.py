"""Which start of generated weights learns: four kinds of network on scikit-learn's digits, each form by the same plain Adam loop.

``python -m benchmarks.starts [--networks mlp,cnn,lstm,transformer] [--seeds 3] [--epochs 15]`` prints a row of accuracies a network and
form; the network trained directly has ``epochs``, generated ones twice as many. It takes about an hour on one core.
"""

import argparse
from collections.abc import Iterable
from statistics import mean

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights import MPS, QuantumTrain

RATES = (1e-2,)
FORMS = {
    "published, init_std=1e-9": {"mapping": MPS(8, init_std=1e-9)},
    "published, init_std=0.1": {"mapping": MPS(8, init_std=0.1)},
    "default": {"mapping": MPS(8)},
    "residual": {"mapping": MPS(8), "residual": True},
}


class Recurrent(nn.Module):
    """Reads an image row by row: (n, 1, 8, 8) to (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.lstm(images[:, 0])[0][:, -1])


class Transformer(nn.Module):
    """One layer of attention among the rows of an image: (n, 1, 8, 8) to (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(8, 32)
        self.places = nn.Parameter(0.02 * torch.randn(8, 32))
        self.layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.layer(self.embed(images[:, 0]) + self.places).mean(1))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def cnn() -> nn.Module:
    first = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


NETWORKS = {"mlp": mlp, "cnn": cnn, "lstm": Recurrent, "transformer": Transformer}


def digits() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Three quarters of the images to train on, the rest to test on."""
    data = load_digits()
    images, labels = torch.tensor(data.images / 16, dtype=torch.float32)[:, None], torch.tensor(data.target)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    return (images[order[:1347]], labels[order[:1347]]), (images[order[1347:]], labels[order[1347:]])


def accuracy(module: nn.Module, parameters: Iterable[nn.Parameter], epochs: int, rate: float, seed: int) -> float:
    """Percent of the test images right after a plain Adam loop whose learning rate falls linearly to 0."""
    (images, labels), (test_images, test_labels) = digits()
    optimiser, order = torch.optim.Adam(parameters, lr=rate), torch.Generator().manual_seed(seed)
    steps = epochs * -(-len(labels) // 64)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels), generator=order).split(64):
            optimiser.zero_grad()
            F.cross_entropy(module(images[rows]), labels[rows]).backward()
            optimiser.step()
            falling.step()
    module.eval()
    with torch.no_grad():
        return 100 * float((module(test_images).argmax(-1) == test_labels).double().mean())


def row(network: str, form: str, rate: float, seeds: int, epochs: int) -> str:
    found, trained = [], 0
    for seed in range(seeds):
        torch.manual_seed(seed)
        module, length = NETWORKS[network](), epochs
        if form != "direct":
            beside = ["layer.norm*", "*bias", "places"] if network == "transformer" else None  # one number a feature
            module, length = QuantumTrain(module, direct=beside, **FORMS[form], seed=seed), 2 * epochs
        parameters = [p for p in module.parameters() if p.requires_grad]
        trained = sum(p.numel() for p in parameters)
        found.append(accuracy(module, parameters, length, rate, seed))
    return f"| {network} | {form} | {rate:g} | {trained:,} | {mean(found):.1f} | {min(found):.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--forms", default=";".join(["direct", *FORMS]))
    parser.add_argument("--rates", default=",".join(map(str, RATES)))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=15)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print("| network | form | learning rate | trained numbers | test accuracy, % | least |\n|---|---|---|---|---|---|")
    for network in asked.networks.split(","):
        for form in asked.forms.split(";"):
            for rate in map(float, asked.rates.split(",")):
                print(row(network, form, rate, asked.seeds, asked.epochs), flush=True)


if __name__ == "__main__":
    main()
