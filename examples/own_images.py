"""Photonic Quantum-Train on images of one's own, from a CSV file.

    python examples/own_images.py                                            # writes digits to a file first, then reads it as a user would
    python examples/own_images.py --quick                                    # the same in seconds
    python examples/own_images.py --file mine.csv --height 28 --width 28     # your file: a column `label`, all others pixels from 0 to 255

In a study the same file is a setting:
    dataset: {name: "lightweights.datasets.own:csv", arguments: {file: mine.csv, height: 28, width: 28}}
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from lightweights import MPS, QuantumTrain
from lightweights.datasets import Dataset, Split, own


def write_digits(path: Path) -> None:
    """scikit-learn's 1797 digits of 8 x 8 pixels, one a row."""
    digits = load_digits()
    rows = np.column_stack([digits.target, np.round(digits.data * 255 / 16)])
    np.savetxt(path, rows, fmt="%d", delimiter=",", comments="", header=",".join(["label", *(f"pixel{i}" for i in range(64))]))


def network_for(dataset: Dataset) -> nn.Module:
    channels, height, width = dataset.input_shape
    pixels = channels * height * width
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, 32), nn.ReLU(), nn.Linear(32, dataset.classes))


def train(module: nn.Module, groups: list[dict], split: Split, epochs: int) -> None:
    optimiser, order = torch.optim.Adam(groups), torch.Generator().manual_seed(0)
    images = split.images.float() / 255
    for _ in range(epochs):
        for rows in torch.randperm(len(split), generator=order).split(64):
            optimiser.zero_grad()
            F.cross_entropy(module(images[rows]), split.labels[rows]).backward()
            optimiser.step()


@torch.no_grad()
def accuracy(module: nn.Module, split: Split) -> float:
    return 100 * (module(split.images.float() / 255).argmax(-1) == split.labels).double().mean().item()


def main(dataset: Dataset, quick: bool) -> None:
    torch.manual_seed(0)
    network = network_for(dataset)
    generated = QuantumTrain(network, circuits="auto", mapping=MPS(bond_dim=5), seed=0)

    epochs = 15 if quick else 100
    groups = [{"params": generated.trained_with_mapping(), "lr": 5e-3}, {"params": generated.trained_beside_mapping(), "lr": 1e-2}]
    train(generated, groups, dataset.train, epochs)
    train(network, [{"params": network.parameters(), "lr": 3e-3}], dataset.train, epochs)

    counts, test = generated.parameter_counts(), dataset.tests["test"]
    found = {"chance": 100 / dataset.classes, "generated": accuracy(generated.bake(), test), "plain": accuracy(network, test)}
    print(f"{dataset.name}: {len(dataset.train)} images to train on, {len(test)} to test on; {epochs} epochs")
    print(f"chance is {found['chance']:.1f} %")
    print(f"trained directly:   {counts['target']:>5} parameters, {found['plain']:.1f} % right")
    print(f"generated:          {counts['trained_used']:>5} parameters, {found['generated']:.1f} % right")
    print(f"of these, {counts['mapping']} are the mapping's and {counts['phases_used']} phases ({counts['phases_effective']} effective)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs")
    parser.add_argument("--file", help="CSV file; digits are written to a temporary one without")
    parser.add_argument("--height", type=int, default=8)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--channels", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.file is None:
            asked.file = f"{folder}/digits.csv"
            write_digits(Path(asked.file))
        main(own.csv(asked.file, asked.height, asked.width, asked.channels), asked.quick)
