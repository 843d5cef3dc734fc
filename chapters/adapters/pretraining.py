"""The language model that is frozen afterwards, as the engine trains it (:mod:`lightweights.methods.method`)."""

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from lightweights.datasets import DataError, Text
from lightweights.methods.method import Told
from lightweights.training.randomness import stream
from lightweights.training.state import Training, adam, require_finite

from .decoder import Decoder, masked_loss, nats_a_token, trimmed
from .settings import LanguageRun, LanguageSection, PretrainSchedule

LARGEST_NORM = 1.0
"""To which the gradient of a step is cut."""
MEASURED = ("other", "living")
"""Test sets: more of what is learnt, and what is adapted to afterwards."""


def check(settings: LanguageRun, where: str) -> None:
    """The settings' own bounds say all that can be said without the text, which may have to be fetched."""


def check_text(data: Text) -> None:
    """Raises DataError where the data set is no text with the test sets that are needed."""
    if not isinstance(data, Text) or not {"other", "pool", "living"} <= set(data.tests):
        raise DataError(f"dataset.name = {data.name!r}: expected a text with the test sets other, pool and living")


def new_decoder(section: LanguageSection, data: Text, seed: int) -> Decoder:
    """The network at its initial values."""
    check_text(data)
    draws = stream(seed, "initial-values")
    return Decoder(data.vocabulary, data.input_shape[0], section.layers, section.width, section.heads, draws)


def begin(
    settings: LanguageRun, data: Text, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """The network at its initial values."""
    network = new_decoder(settings.language, data, seed).to(device)
    return Training(network, {"adam": adam(network.parameters(), settings.schedule.lr)}, {"batches": stream(seed, "batches")})


def advance(
    training: Training, settings: LanguageRun, data: Text, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """Rounds of Adam on the next token."""
    network, schedule = training.module, settings.schedule
    device = next(network.parameters()).device
    texts, mask = data.train.tokens.to(device), data.train.mask.to(device)
    optimiser, draws = training.optimisers["adam"], training.streams["batches"]
    for number in range(len(training.rows) + 1, schedule.rounds + 1):
        network.train()
        total = 0.0
        for step in range((number - 1) * schedule.steps, number * schedule.steps):
            optimiser.param_groups[0]["lr"] = learning_rate(step, schedule)
            rows = torch.randint(len(texts), (schedule.batch_size,), generator=draws).to(device)
            tokens, real = trimmed(texts[rows], mask[rows])
            optimiser.zero_grad()
            loss = masked_loss(network(tokens), tokens, real)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_NORM)
            optimiser.step()
            total += float(loss.detach())
        row = {"training_nats": total / schedule.steps} | measured(network, settings, data, device)
        yield training.finish_row({"round": number} | require_finite(row, f"round {number}", "schedule.lr"))


def learning_rate(step: int, schedule: PretrainSchedule) -> float:
    """A linear rise, then half a cosine down to nothing."""
    steps = schedule.rounds * schedule.steps
    rising = schedule.rise * steps
    if step < rising:
        return schedule.lr * (step + 1) / rising
    return schedule.lr * 0.5 * (1 + math.cos(math.pi * (step - rising) / (steps - rising)))


def tell(training: Training, settings: LanguageRun, data: Text, seed: int) -> Told:
    """The network; every one of its numbers is trained."""
    count = sum(p.numel() for p in training.module.parameters())
    zero = dict.fromkeys(("mapping", "phases_published", "phases_used", "phases_effective"), 0)
    trained = dict.fromkeys(("trained_published", "trained_used", "trained_effective"), count)
    return Told({"target": count, **zero, **trained}, training.module, reported=tuple(f"{name}_nats" for name in MEASURED))


def measured(network: nn.Module, settings: LanguageRun, data: Text, device: torch.device) -> dict[str, float]:
    """Nats a real token on the test sets."""
    parts = {name: data.tests[name] for name in MEASURED}
    return {f"{name}_nats": nats_a_token(network, part.tokens.to(device), part.mask.to(device)) for name, part in parts.items()}
