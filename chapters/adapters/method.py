"""Adapters beside a frozen language model, as the engine trains them (:mod:`lightweights.methods.method`)."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from lightweights import QuantumTrain
from lightweights.adapters import merged
from lightweights.datasets import Text
from lightweights.errors import LightweightsError
from lightweights.files import read_json
from lightweights.methods.method import Told
from lightweights.methods.models import ModelError, taken_up
from lightweights.settings.base import SettingsError
from lightweights.settings.runs import Run
from lightweights.study.layout import RESULTS
from lightweights.training.randomness import stream
from lightweights.training.state import Training

from .arms import build, trained_count
from .decoder import masked_loss, nats_a_token, trimmed
from .pretraining import new_decoder
from .settings import AdapterRun
from .tuning import Kept, rounds


class FrozenError(LightweightsError):
    """A frozen network that is missing, or not the one that a run's settings ask for; names the file and the remedy."""


class NextToken:
    """Shots of a text, drawn by the seed from its pool, and what foretelling their tokens costs."""

    def __init__(self, settings: AdapterRun, data: Text, seed: int, device: torch.device) -> None:
        section, pool = settings.adapter, data.tests["pool"]
        drawn = torch.randperm(len(pool), generator=stream(seed, "shots"))
        self.shots, self.held = drawn[: section.shots], drawn[section.shots : section.shots + section.validation]
        self.count = len(self.shots)
        self.tokens, self.mask = pool.tokens.to(device), pool.mask.to(device)
        self.test = data.tests["living"].tokens.to(device), data.tests["living"].mask.to(device)

    def loss(self, module: nn.Module, rows: Tensor) -> Tensor:
        """Mean over the real tokens."""
        tokens, mask = trimmed(self.tokens[self.shots[rows]], self.mask[self.shots[rows]])
        return masked_loss(module(tokens), tokens, mask)

    def validated(self, module: nn.Module) -> dict[str, float]:
        """Nats a real token of the texts held out."""
        return {"validation_nats": nats_a_token(module, self.tokens[self.held], self.mask[self.held])}

    def tested(self, module: nn.Module) -> dict[str, float]:
        """Nats a real token of the test set."""
        return {"test_nats": nats_a_token(module, *self.test)}


def check(settings: AdapterRun, where: str) -> None:
    """Raises SettingsError where the arm cannot be as small as its budget."""
    try:
        build(settings.adapter, Shape(settings.language.layers, settings.language.width), places(settings), (), stream(0, "check"))
    except (SettingsError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from error


class Shape(nn.Module):
    """Query and value of every layer and nothing else: what sizes of adapters follow from."""

    def __init__(self, layers: int, width: int) -> None:
        super().__init__()
        linear = lambda: nn.Linear(width, width)  # noqa: E731
        self.blocks = nn.ModuleList(nn.ModuleDict({"query": linear(), "value": linear()}) for _ in range(layers))


def places(settings: AdapterRun) -> list[str]:
    """The weights that are adapted: query and value of every layer, the last layer's first."""
    layers = range(settings.language.layers - 1, -1, -1)
    return [f"blocks.{layer}.{part}.weight" for layer in layers for part in ("value", "query")]


def adapted(settings: AdapterRun, base: nn.Module, seed: int) -> nn.Module:
    """The frozen network with what the arm trains, at its initial values."""
    return build(settings.adapter, base, places(settings), (), stream(seed, "adapters"))


def begin(
    settings: AdapterRun, data: Text, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """The adapters at their initial values."""
    base = frozen(settings, data) if teacher is None else teacher
    return Training(Kept(adapted(settings, base, seed).to(device)), {}, {})


def advance(
    training: Training, settings: AdapterRun, data: Text, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """One learning rate a row."""
    if teacher is None:
        raise FrozenError("adapters stand beside a frozen network, and none was given")
    device = next(training.module.parameters()).device
    new = lambda: adapted(settings, teacher, seed).to(device)  # noqa: E731
    return rounds(training, new, NextToken(settings, data, seed, device), settings.schedule, lambda: stream(seed, "batches"))


def tell(training: Training, settings: AdapterRun, data: Text, seed: int) -> Told:
    """What was measured with the learning rate that is kept."""
    return told_best(training, "test_nats")


def told_best(training: Training, measure: str) -> Told:
    """What is reported with the learning rate that is kept, ``measure`` of the test part first."""
    kept = training.module.kept
    assert isinstance(kept, nn.Module)
    best = min(range(len(training.rows)), key=lambda row: training.rows[row]["validation_nats"])
    names = (measure, "validation_nats", "learning_rate", "epoch")
    return Told(told_counts(kept, trained_count(kept)), Trained(kept), kept=best + 1, reported=names)


def told_counts(kept: nn.Module, count: int) -> dict[str, int]:
    """Counts under the names that all runs have; what stands beside a mapping, such as the gates of adapters, is told with it."""
    if isinstance(kept, QuantumTrain):
        counts = kept.parameter_counts()
        return counts | {"mapping": counts["mapping"] + counts.pop("direct", 0)}
    zero = dict.fromkeys(("mapping", "phases_published", "phases_used", "phases_effective"), 0)
    return {"target": count, **zero} | dict.fromkeys(("trained_published", "trained_used", "trained_effective"), count)


class Trained(nn.Module):
    """What is stored of a network for inference: the numbers that were trained; the frozen ones are in the run that it learns from."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        for number, parameter in enumerate(p for p in module.parameters() if p.requires_grad):
            self.register_buffer(f"trained_{number}", parameter.detach().clone())
        self.register_buffer("count", torch.tensor(sum(p.numel() for p in module.parameters() if p.requires_grad)))


def source(run: Run, dataset: Text, weights: Path | None) -> tuple[nn.Module, str]:
    """The frozen network, and the SHA-256 of its file; where no file is named, that of the landed run with the settings that are asked for.
    Raises FrozenError where it is not here or is another.
    """
    assert isinstance(run.settings, AdapterRun)
    path, remedy = weights or found(run.settings), "`snakemake --cores N adapters` pretrains it, `dvc pull` brings a landed one"
    name = f"run {run.study}/{run.key}"
    if path is None:
        raise FrozenError(f"{name}: its frozen network is not here; {remedy}")
    if not fits(path, run.settings):
        raise FrozenError(f"{name}: {path} is not its frozen network, or not as its run has written it; {remedy}")
    return network_of(path, run.settings, dataset), hashlib.sha256(path.read_bytes()).hexdigest()


def frozen(settings: AdapterRun, data: Text) -> nn.Module:
    """The frozen network where it is here; else one of its shape with other numbers, beside which the adapters are the same."""
    path = found(settings)
    if path is None:
        return new_decoder(settings.language, data, 0).requires_grad_(False)
    return network_of(path, settings, data)


def network_of(path: Path, settings: AdapterRun, data: Text) -> nn.Module:
    """The network of a file of weights. Raises FrozenError where it holds another."""
    try:
        module = taken_up(settings.source, data, settings.source_seed, load_file(path))
    except (SafetensorError, ModelError, OSError) as error:
        raise FrozenError(f"{path} does not hold the frozen network ({error}); delete it, and pretrain it again") from None
    return module.requires_grad_(False)


def found(settings: AdapterRun) -> Path | None:
    """The weights of a landed run with the settings of the frozen network; None where there is none here."""
    paths = sorted(RESULTS.glob(f"*/weights/*/*/seed-{settings.source_seed}.safetensors"))
    return next((path for path in paths if fits(path, settings)), None)


def fits(path: Path, settings: AdapterRun) -> bool:
    """Whether a file of weights is the frozen network that the settings ask for, to the byte as its run has written it."""
    metrics = path.parents[3] / "runs" / path.parents[1].name / path.parent.name / path.stem / "metrics.json"
    try:
        told, stamp = read_json(metrics), path.stat().st_mtime_ns
        same = told["settings"] == settings.source.plain() and told["run"]["seed"] == (settings.source_seed)
        return same and _sha256(path, stamp) == told["model"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


@lru_cache(maxsize=16)
def _sha256(path: Path, _: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def aside(module: nn.Module) -> tuple[str, ...]:
    """The frozen network is no part of the model."""
    return tuple(name for name, parameter in module.named_parameters() if not parameter.requires_grad)


def plain(module: nn.Module) -> nn.Module:
    """The network with the adapters added to its weights."""
    assert isinstance(module, Kept)
    return module.kept.bake() if isinstance(module.kept, QuantumTrain) else merged(module.kept)


def measured(network: nn.Module, settings: AdapterRun, data: Text, device: torch.device) -> dict[str, float]:
    """Nats a real token of the test set."""
    test = data.tests["living"]
    return {"test_nats": nats_a_token(network, test.tokens.to(device), test.mask.to(device))}


def unrepeatable(settings: AdapterRun) -> str:
    """Why the numbers do not give the network again, if they do not."""
    return "" if found(settings) else "the frozen network that they stand beside is not here; `dvc pull` brings it"
