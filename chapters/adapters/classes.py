"""Adapters in the last layers of MiniLM, told glosses of 26 classes apart from few of each (:mod:`lightweights.methods.method`)."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights import QuantumTrain
from lightweights.adapters import merged
from lightweights.datasets import DataError, Text
from lightweights.datasets.text import TextSplit
from lightweights.datasets.wordnet import few_shots
from lightweights.methods.method import Told
from lightweights.settings.base import SettingsError
from lightweights.training.randomness import stream
from lightweights.training.state import Training

from . import minilm
from .arms import build
from .decoder import trimmed
from .method import told_best
from .package import missing
from .settings import ClassesRun
from .tuning import Kept, rounds

DIRECT = ("head.weight", "head.bias")
"""Trained in every arm, beside its budget."""
BATCH = 64


class Few:
    """Few texts of each class, drawn by the seed. What the layers below the adapters make of them is computed once."""

    def __init__(self, settings: ClassesRun, data: Text, seed: int, device: torch.device) -> None:
        section, adapted = settings.adapter, settings.encoder.adapted_layers
        each, held = (-(-number // data.classes) for number in (section.shots, section.validation))
        drawn = few_shots(data.train.labels.numpy(), each, held, int(stream(seed, "shots").initial_seed() % 2**32))
        shots, validation = (_part(data.train, torch.from_numpy(rows)) for rows in drawn)
        test = list(data.tests.values())[-1]
        self.shots, self.validation, self.test = (below(part, adapted, device) for part in (shots, validation, test))
        self.count = len(shots)

    def loss(self, module: nn.Module, rows: Tensor) -> Tensor:
        """Mean cross-entropy."""
        x, mask, labels = self.shots
        real = mask[rows]
        longest = int(real.sum(1).max())
        return F.cross_entropy(module(x[rows, :longest], real[:, :longest]), labels[rows])

    def validated(self, module: nn.Module) -> dict[str, float]:
        """Cross-entropy of the texts held out."""
        logits, labels = logits_of(module, *self.validation)
        return {"validation_nats": float(F.cross_entropy(logits, labels))}

    def tested(self, module: nn.Module) -> dict[str, float]:
        """Accuracy on the test set."""
        return scores(*logits_of(module, *self.test))


Below = tuple[Tensor, Tensor, Tensor]
"""What the lower layers give (n, length, width), the mask (n, length), labels (n,)."""


def below(split: TextSplit, adapted_layers: int, device: torch.device) -> Below:
    """A split behind the layers that stay as they are."""
    tokens, mask = trimmed(split.tokens, split.mask)
    key = (tuple(tokens.flatten().tolist()), len(tokens), adapted_layers)
    found = _KNOWN.get(key)
    if found is None:
        found = _KNOWN[key] = _computed(tokens, mask, _lower(adapted_layers))
        while len(_KNOWN) > MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)))
    return found.to(device), mask.to(device), split.labels.to(device)


_KNOWN: dict[tuple, Tensor] = {}
MOST_KNOWN = 3
"""Splits that are remembered: runs that share a process mostly share their texts."""


@torch.no_grad()
def _computed(tokens: Tensor, mask: Tensor, lower: nn.Module) -> Tensor:
    found = torch.zeros(*tokens.shape, minilm.WIDTH)
    for rows in mask.sum(1).argsort(stable=True).split(BATCH):
        longest = int(mask[rows].sum(1).max())
        found[rows, :longest] = lower(tokens[rows, :longest], mask[rows, :longest])
    return found


@lru_cache(maxsize=1)
def _lower(adapted_layers: int) -> nn.Module:
    return minilm.read(adapted_layers, 1)[0]


def _part(split: TextSplit, rows: Tensor) -> TextSplit:
    return TextSplit(split.tokens[rows], split.mask[rows], split.labels[rows])


@torch.no_grad()
def logits_of(module: nn.Module, x: Tensor, mask: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, classes) and labels (n,), the shortest texts first."""
    module.eval()
    order = mask.sum(1).argsort(stable=True)
    parts = [module(x[rows, : (longest := int(mask[rows].sum(1).max()))], mask[rows, :longest]) for rows in order.split(BATCH)]
    return torch.cat(parts), labels[order]


def scores(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy in percent."""
    return {"test_accuracy_percent": 100 * float((logits.argmax(-1) == labels).double().mean())}


def check(settings: ClassesRun, where: str) -> None:
    """Raises SettingsError where the arm cannot be as small as its budget."""
    try:
        build(settings.adapter, _shape(settings), places(settings), (), stream(0, "check"))
    except (SettingsError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from error


def _shape(settings: ClassesRun) -> nn.Module:
    """Weights that adapters stand beside, and no others."""
    linear = lambda: nn.Linear(minilm.WIDTH, minilm.WIDTH)  # noqa: E731
    base = nn.Module()
    base.layers = nn.ModuleList(nn.ModuleDict({"query": linear(), "value": linear()}) for _ in range(settings.encoder.adapted_layers))
    return base


def places(settings: ClassesRun) -> list[str]:
    """Query and value of the adapted layers, the last layer's first."""
    layers = range(settings.encoder.adapted_layers - 1, -1, -1)
    return [f"layers.{layer}.{part}.weight" for layer in layers for part in ("value", "query")]


def adapted(settings: ClassesRun, base: nn.Module, seed: int) -> nn.Module:
    """The last layers with what the arm trains, at initial values."""
    return build(settings.adapter, base, places(settings), DIRECT, stream(seed, "adapters"))


def begin(
    settings: ClassesRun, data: Text, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """The adapters at their initial values. Raises DataError where MiniLM is not here, or its tokens are not those of the data."""
    if not isinstance(data, Text) or data.vocabulary != minilm.VOCABULARY:
        raise DataError(f"dataset.name = {data.name!r}: expected a text in MiniLM's {minilm.VOCABULARY:,} tokens")
    base = minilm.read(settings.encoder.adapted_layers, data.classes)[1]
    return Training(Kept(adapted(settings, base, seed).to(device)), {}, {})


def advance(
    training: Training, settings: ClassesRun, data: Text, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """One learning rate a row."""
    base = minilm.read(settings.encoder.adapted_layers, data.classes)[1]
    device = next(training.module.parameters()).device
    new = lambda: adapted(settings, base, seed).to(device)  # noqa: E731
    return rounds(training, new, Few(settings, data, seed, device), settings.schedule, lambda: stream(seed, "batches"))


def tell(training: Training, settings: ClassesRun, data: Text, seed: int) -> Told:
    """What was measured with the learning rate that is kept."""
    return told_best(training, "test_accuracy_percent")


def aside(module: nn.Module) -> tuple[str, ...]:
    """MiniLM is no part of the model."""
    return tuple(name for name, parameter in module.named_parameters() if not parameter.requires_grad)


def plain(module: nn.Module) -> nn.Module:
    """The last layers with the adapters added to their weights."""
    assert isinstance(module, Kept)
    return module.kept.bake() if isinstance(module.kept, QuantumTrain) else merged(module.kept)


def measured(network: nn.Module, settings: ClassesRun, data: Text, device: torch.device) -> dict[str, float]:
    """Accuracy on the test set."""
    test = below(list(data.tests.values())[-1], settings.encoder.adapted_layers, device)
    return scores(*logits_of(network.to(device), *test))


def unrepeatable(settings: ClassesRun) -> str:
    """Why the numbers do not give the network again, if they do not."""
    return missing()
