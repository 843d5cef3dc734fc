"""Photonic Quantum-Train on a small transformer: which page of Python's language reference are these sixteen words from?

    python examples/text_classifier.py           # a few minutes
    python examples/text_classifier.py --quick   # seconds

The text ships with Python: three pages of what ``help()`` prints (module pydoc_data), so nothing is downloaded. It is a toy: a few hundred
snippets. The words' vectors and the norms stay as they were drawn, in both trainings; all other weights are generated, or trained directly.
"""

import argparse
import re
from collections import Counter
from pydoc_data.topics import topics

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights import MPS, QuantumTrain

PAGES = ("compound", "formatstrings", "debugger")
WORDS, VOCABULARY, WIDTH = 16, 400, 32


class Classifier(nn.Module):
    """One transformer layer on words (n, WORDS), averaged over the words: logits (n, pages)."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, WIDTH)
        self.layer = nn.TransformerEncoderLayer(WIDTH, nhead=2, dim_feedforward=2 * WIDTH, dropout=0.0, batch_first=True)
        self.pages = nn.Linear(WIDTH, len(PAGES))
        for kept in (self.words, self.layer.norm1, self.layer.norm2):
            kept.requires_grad_(False)  # what requires no gradient is not generated

    def forward(self, words: Tensor) -> Tensor:
        return self.pages(self.layer(self.words(words)).mean(1))


def snippets() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Snippets and the numbers of their pages, equally many of each: for training, and every fourth one for testing."""
    pages = [re.findall(r"[a-z]+", topics[page].lower()) for page in PAGES]
    count = min(map(len, pages)) // WORDS
    pages = [page[: count * WORDS] for page in pages]
    common = Counter(word for page in pages for word in page).most_common(VOCABULARY - 1)
    numbers = {word: 1 + rank for rank, (word, _) in enumerate(common)}  # 0: any other word
    words = torch.tensor([[numbers.get(word, 0) for word in page] for page in pages]).view(len(PAGES), count, WORDS)
    labels = torch.arange(len(PAGES))[:, None].expand(-1, count)
    tested = torch.arange(count) % 4 == 0
    train, test = ((words[:, part].flatten(0, 1), labels[:, part].flatten()) for part in (~tested, tested))
    return train, test


def train(module: nn.Module, groups: list[dict], data: tuple[Tensor, Tensor], steps: int) -> None:
    words, labels = data
    optimiser, batches = torch.optim.Adam(groups), torch.Generator().manual_seed(0)
    for _ in range(steps):
        rows = torch.randint(len(labels), (64,), generator=batches)
        optimiser.zero_grad()
        F.cross_entropy(module(words[rows]), labels[rows]).backward()
        optimiser.step()


@torch.no_grad()
def accuracy(module: nn.Module, data: tuple[Tensor, Tensor]) -> float:
    words, labels = data
    return 100 * (module(words).argmax(-1) == labels).double().mean().item()


def main(quick: bool) -> None:
    training, test = snippets()
    torch.manual_seed(0)
    network = Classifier()
    generated = QuantumTrain(network, circuits="auto", mapping=MPS(bond_dim=4), seed=0)

    steps = 300 if quick else 3000
    train(
        generated,
        [{"params": generated.trained_with_mapping(), "lr": 3e-3}, {"params": generated.trained_beside_mapping(), "lr": 1e-2}],
        training,
        steps,
    )
    train(network, [{"params": [p for p in network.parameters() if p.requires_grad], "lr": 3e-3}], training, steps)

    counts = generated.parameter_counts()
    found = {"chance": 100 / len(PAGES), "generated": accuracy(generated.bake(), test), "plain": accuracy(network, test)}
    print(f"{len(training[1])} snippets to train on, {len(test[1])} to test on, {steps} steps; chance is {found['chance']:.1f} %")
    print(f"trained directly:   {counts['target']:>5} parameters, {found['plain']:.1f} % right")
    print(f"generated:          {counts['trained_used']:>5} parameters, {found['generated']:.1f} % right")
    print(f"of these, {counts['mapping']} are the mapping's and {counts['phases_used']} phases ({counts['phases_effective']} effective)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    main(parser.parse_args().quick)
