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
from lightweights.settings.schedules import CobylaSchedule, GradientSchedule, SpsaSchedule
from lightweights.training import alternating
from lightweights.training.alternating import Schedule, begin_rounds, rounds
from lightweights.training.batched import Stack, round_together, why_alone
from lightweights.training.data import Examples, TrainingData, on_device
from lightweights.training.replay import Replay
from lightweights.training.state import DivergenceError, Training

SCHEDULE = GradientSchedule(rounds=2, mapping_epochs=2, mapping_lr=5e-3, batch_size=50, phase_steps=2, phase_lr=1e-2, phase_batch_size=60)
SEEDS = (0, 1, 2)


def begun(seed: int, schedule: Schedule = SCHEDULE, device: str = "cpu", **generator: object) -> Training:
    draws = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    target = TargetCNN((1, 16, 16), 3, channels=(3, 4), hidden=5)
    made = QuantumTrain(target, [(7, 3), (6, 3)], MPS(2, 0.1), only="*", generator=draws, **generator)
    return begin_rounds(made.double().to(device), schedule, seed)


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


def test_runs_that_share_their_steps_are_measured_as_often_as_alone(data: TrainingData) -> None:
    schedule = SCHEDULE.model_copy(update={"rounds": 3, "measure_every": 2})
    alone, together = begun(0), [begun(seed) for seed in SEEDS]
    list(rounds(alone, data, schedule))
    stack = Stack(together)
    for _ in range(schedule.rounds):
        round_together(stack, data, schedule)
    for training in together:
        assert [list(row) for row in training.rows] == [list(row) for row in alone.rows]
        assert ["test_accuracy_percent" in row for row in training.rows] == [False, True, True]


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


@pytest.mark.parametrize("protocol", ["gradient", "cobyla"])
def test_rounds_hand_over_what_a_gpu_may_record_and_nothing_else(
    data: TrainingData, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorded step reads its inputs from places of its own and answers in one memory: so what is kept of an answer is a copy."""
    schedule = SCHEDULE if protocol == "gradient" else CobylaSchedule(**OF_COBYLA)
    plain = [*rounds(trained := begun(0, schedule), data, schedule)]
    made: list[tuple[torch.Size, ...]] = []

    class Recorded(Replay):
        def __call__(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
            made.append(tuple(given.shape for given in inputs))
            answers = super().__call__(*(given.clone() for given in inputs))
            kept = self.__dict__.setdefault("kept", {}).setdefault(made[-1], [torch.empty_like(answer) for answer in answers])
            for place, answer in zip(kept, answers, strict=True):
                place.copy_(answer)
            return tuple(kept)

    monkeypatch.setattr(alternating, "Replay", Recorded)
    again = begun(0, schedule)
    found = [*rounds(again, data, schedule)]
    without = [{name: value for name, value in row.items() if name != "seconds"} for row in plain]
    assert [{name: value for name, value in row.items() if name != "seconds"} for row in found] == without
    assert all(torch.equal(a, b) for a, b in zip(again.module.parameters(), trained.module.parameters(), strict=True))
    phases = [shapes for shapes in made if len(shapes) == 1]
    assert len(phases) >= OF_COBYLA["evaluations"] if protocol == "cobyla" else len(made) > SCHEDULE.phase_steps * SCHEDULE.rounds
    made.clear()
    unsteady = begun(0, arm="gaussian-resampled")
    next(rounds(unsteady, data, SCHEDULE))
    assert not made


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_recorded_rounds_of_cobyla_are_those_that_are_not(data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    torch.use_deterministic_algorithms(True, warn_only=True)
    schedule = CobylaSchedule(**OF_COBYLA)
    parts = {name: Examples(part.images.cuda(), part.labels.cuda()) for name, part in {"train": data.train, **data.tests}.items()}
    moved = TrainingData(parts.pop("train"), parts)
    try:
        found = []
        for repeated in (alternating.repeated, lambda generator, task, one: one):
            monkeypatch.setattr(alternating, "repeated", repeated)
            found.append([row["phase_loss"] for row in rounds(begun(0, schedule, "cuda"), moved, schedule)])
        assert found[0] == found[1]
    finally:
        torch.use_deterministic_algorithms(False)


OF_COBYLA = {"rounds": 2, "mapping_epochs": 1, "batch_size": 50, "evaluations": 120, "phase_batch_size": 60, "implementation": "powell"}
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
