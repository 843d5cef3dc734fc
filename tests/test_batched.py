"""Runs that share their steps compute what they compute alone."""

import copy
import math

import pytest
import torch

from lightweights import MPS, QuantumTrain
from lightweights.datasets import Dataset
from lightweights.networks import TargetCNN
from lightweights.photonics.hardware import Hardware
from lightweights.photonics.noise import Noise
from lightweights.settings.schedules import GradientSchedule, SpsaSchedule
from lightweights.training.alternating import begin_rounds, rounds
from lightweights.training.batched import Stack, round_together, why_alone
from lightweights.training.data import Examples, TrainingData, on_device
from lightweights.training.state import DivergenceError, Training

SCHEDULE = GradientSchedule(rounds=2, mapping_epochs=2, mapping_lr=5e-3, batch_size=50, phase_steps=2, phase_lr=1e-2, phase_batch_size=60)
SEEDS = (0, 1, 2)


def begun(seed: int, **generator: object) -> Training:
    draws = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    target = TargetCNN((1, 16, 16), 3, channels=(3, 4), hidden=5)
    made = QuantumTrain(target, [(7, 3), (6, 3)], MPS(2, 0.1), only="*", generator=draws, **generator)
    return begin_rounds(made.double(), SCHEDULE, seed)


@pytest.fixture
def data(tiny: Dataset) -> TrainingData:
    """In double precision, where Adam makes no large steps of rounding errors in gradients that are zero."""
    single = on_device(tiny, torch.device("cpu"))
    exact = {name: Examples(part.images.double(), part.labels) for name, part in {"train": single.train, **single.tests}.items()}
    return TrainingData(exact.pop("train"), exact)


def numbers(training: Training) -> dict[str, torch.Tensor]:
    return {name: value for name, value in training.tensors().items() if value.is_floating_point()}


@pytest.mark.parametrize(
    "generator",
    [{"arm": arm} for arm in ("photonic", "photonic-frozen", "mps-only", "product-free", "distinguishable", "gaussian-fixed")]
    + [
        {"hardware": Hardware(noise=Noise(indistinguishability=0.9, g2=0.05, transmittance=0.8)), "arm": "photonic"},
        {"hardware": Hardware(noise=Noise(phase_imprecision=0.1, brightness=0.7), splitter_bias=0.05), "arm": "photonic"},
    ],
    ids=lambda generator: "noisy" if "hardware" in generator else generator["arm"],
)
def test_each_run_has_the_history_numbers_and_moments_that_it_has_alone(generator: dict, data: TrainingData) -> None:
    alone, together = ([begun(seed, **generator) for seed in SEEDS] for _ in range(2))
    for training in alone:
        list(rounds(training, data, SCHEDULE))
    stack = Stack(together)
    for _ in range(SCHEDULE.rounds):
        found = round_together(stack, data, SCHEDULE)
        assert found == [training.rows[-1] for training in together]
    for one, other in zip(alone, together, strict=True):
        assert [list(row) for row in one.rows] == [list(row) for row in other.rows]
        for mine, theirs in zip(one.rows, other.rows, strict=True):
            for column in ("training_loss", "last_batch_loss", "phase_loss", "train_cross_entropy", "test_cross_entropy"):
                assert theirs[column] == pytest.approx(mine[column], abs=1e-7, nan_ok=True), column
        first, second = numbers(one), numbers(other)
        assert first.keys() == second.keys()
        for name, value in first.items():
            assert torch.allclose(value, second[name], rtol=1e-6, atol=1e-8), name
        assert {name: value.get_state().tolist() for name, value in one.streams.items() if name != "modules"} == {
            name: value.get_state().tolist() for name, value in other.streams.items() if name != "modules"
        }
    assert len({row["train_cross_entropy"] for row in found}) == len(SEEDS)  # no run took another's numbers


def test_a_run_that_stood_alone_goes_on_with_others(data: TrainingData) -> None:
    whole, parted = begun(0), begun(0)
    list(rounds(whole, data, SCHEDULE))
    next(rounds(parted, data, SCHEDULE))
    other = begun(1)
    next(rounds(other, data, SCHEDULE))
    round_together(Stack([parted, other]), data, SCHEDULE)
    assert parted.rows[0] == pytest.approx(whole.rows[0] | {"seconds": parted.rows[0]["seconds"]})
    assert parted.rows[1]["train_cross_entropy"] == pytest.approx(whole.rows[1]["train_cross_entropy"], abs=1e-7)


def test_a_run_that_diverges_leaves_the_others_as_they_are(data: TrainingData) -> None:
    whole, healthy, sick = begun(0), begun(0), begun(1)
    with torch.no_grad():
        next(iter(sick.module.mapping.parameters())).fill_(math.nan)
    found = round_together(Stack([healthy, sick]), data, SCHEDULE)
    assert isinstance(found[1], DivergenceError) and "nan in round 1" in str(found[1]) and not sick.rows
    assert round_together(Stack([whole]), data, SCHEDULE)[0]["training_loss"] == pytest.approx(found[0]["training_loss"], abs=1e-5)


def test_each_bears_its_share_of_the_time(data: TrainingData) -> None:
    together = [begun(seed) for seed in SEEDS]
    began = min(training.started for training in together)
    round_together(Stack(together), data, SCHEDULE)
    spent = max(training.started for training in together) - began
    assert 0 < sum(training.rows[-1]["seconds"] for training in together) <= spent * 1.05


def test_what_cannot_share_its_steps_is_told_why() -> None:
    module = begun(0).module
    assert why_alone(module, SCHEDULE) == ""
    assert "clipped" in why_alone(module, SCHEDULE.model_copy(update={"phase_clip": 1.0}))
    assert "not trained by gradients" in why_alone(module, SpsaSchedule(**SCHEDULE_OF_SPSA))
    assert "draws at every step" in why_alone(begun(0, arm="gaussian-resampled").module, SCHEDULE)
    assert "late" in why_alone(begun(0, staleness=1).module, SCHEDULE)
    assert "pieces" in why_alone(begun(0, chunk=100).module, SCHEDULE)
    with_dropout = copy.deepcopy(module)
    with_dropout.target.append(torch.nn.Dropout())
    assert "changes or draws" in why_alone(with_dropout, SCHEDULE)


SCHEDULE_OF_SPSA = {"rounds": 2, "mapping_epochs": 1, "mapping_lr": 1e-3, "batch_size": 50, "phase_steps": 1, "phase_batch_size": 60}


def test_in_single_precision_losses_agree_to_it(tiny: Dataset) -> None:
    data = on_device(tiny, torch.device("cpu"))
    alone, together = (
        [begin_rounds(begun(seed).module.float(), SCHEDULE, seed) for seed in SEEDS]
        for _ in range(2)  # type: ignore[arg-type]
    )
    for training in alone:
        next(rounds(training, data, SCHEDULE))
    for one, row in zip(alone, round_together(Stack(together), data, SCHEDULE), strict=True):
        assert row["train_cross_entropy"] == pytest.approx(one.rows[0]["train_cross_entropy"], abs=1e-4)
