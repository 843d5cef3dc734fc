"""Features and their controls, the distillation loss, SPSA, calibration, the laws of shot noise, and training with resumption."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightweights.datasets import Dataset
from lightweights.distillation import build_source, distillation_loss, feature_size, spsa_step
from lightweights.distillation.calibration import reliability, scores
from lightweights.distillation.data import DistillationData, autocast, logits_of, measure, prepare
from lightweights.distillation.feature import expected_histograms, fit_standardisation, histograms, independent_histograms, smooth
from lightweights.distillation.sources import Clicks
from lightweights.distillation.student_training import Student, begin_student, distil_step, student_epochs, tune_angles
from lightweights.distillation.teacher_training import Taught, begin_teacher, teacher_epochs
from lightweights.distillation.variance import (
    asymptote,
    drawn_features,
    ema_factor,
    ema_of,
    exponent,
    kernel_error,
    predicted_kernel_error,
    predicted_variance,
    total_variance,
)
from lightweights.networks.dictionary import DictionaryConv2d
from lightweights.networks.teacher import Teacher, build_student, seeded_teacher
from lightweights.photonics.time_bin import TimeBin
from lightweights.settings.schedules import StudentSchedule, TeacherSchedule
from lightweights.training.data import Examples, TrainingData, minibatches, on_device
from lightweights.training.epochs import descend
from lightweights.training.randomness import stream
from lightweights.training.state import DivergenceError, Training

CIRCUIT = TimeBin(6, 2)
SIZE = 16
NAMES = [
    "photonic",
    "photonic-frozen",
    "distinguishable",
    "coherent",
    "one-photon",
    "zero",
    "uniform",
    "gaussian-fixed",
    "gaussian-matched",
    "gaussian-resampled",
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def angles(seed: int = 3) -> torch.Tensor:
    return CIRCUIT.random_angles(seeded(seed))


# Loss


def test_the_loss_is_its_formula() -> None:
    draws = np.random.default_rng(0)
    student, teacher, labels = draws.normal(0, 3, (5, 4)), draws.normal(0, 3, (5, 4)), draws.integers(0, 4, 5)
    tau, weight = 3.0, 0.3

    def softmax(logits: np.ndarray) -> np.ndarray:
        return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)

    hard = -np.log(softmax(student)[range(5), labels]).mean()
    p, q = softmax(teacher / tau), softmax(student / tau)
    soft = (p * np.log(p / q)).sum(-1).mean()
    found = distillation_loss(torch.tensor(student), torch.tensor(teacher), torch.tensor(labels), tau, weight)
    assert float(found) == pytest.approx(weight * hard + (1 - weight) * tau**2 * soft, rel=1e-12)


def test_a_student_equal_to_its_teacher_has_only_the_hard_loss() -> None:
    logits, labels = torch.randn(6, 3, generator=seeded(), dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1, 2])
    found = distillation_loss(logits, logits, labels, 3.0, 0.5)
    assert float(found) == pytest.approx(float(F.cross_entropy(logits, labels)) / 2)


# SPSA


def test_spsa_finds_the_minimum_of_a_quadratic() -> None:
    goal = torch.linspace(-1, 1, 6, dtype=torch.float64)
    theta, draws = torch.zeros(6, dtype=torch.float64), seeded()
    for _ in range(400):
        theta = spsa_step(theta, lambda x: float((x - goal).square().sum()), 0.05, 0.1, draws).theta
    torch.testing.assert_close(theta, goal, atol=1e-3, rtol=0)


def test_a_step_follows_the_slope_along_random_signs() -> None:
    slope = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    seen = []

    def objective(point: torch.Tensor) -> float:
        seen.append(point)
        return float(slope @ point)

    step = spsa_step(torch.ones(3, dtype=torch.float64), objective, 0.05, 0.1, seeded(2))
    signs = (seen[0] - seen[1]) / 0.2
    torch.testing.assert_close(signs.abs(), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close((seen[0] + seen[1]) / 2, torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(step.theta, 1 - 0.05 * float(slope @ signs) * signs)
    assert (step.plus, step.minus) == (float(slope @ seen[0]), float(slope @ seen[1]))


def test_directions_are_fair_and_independent_signs() -> None:
    draws, points = seeded(3), []
    for _ in range(2000):
        spsa_step(torch.zeros(3, dtype=torch.float64), lambda x: points.append(x) or 0.0, 0.1, 1.0, draws)
    signs = torch.stack(points[::2])
    assert signs.mean(0).abs().max() < 5 / 2000**0.5
    assert (signs.T @ signs / 2000 - torch.eye(3)).abs().max() < 5 / 2000**0.5


def test_angles_are_clipped_to_a_turn() -> None:
    theta = spsa_step(torch.zeros(4, dtype=torch.float64), lambda x: 1e3 * float(x[0]), 1.0, 0.1, seeded(4)).theta
    assert theta.abs().tolist() == [math.pi] * 4


# Feature


def test_histograms_of_shots_by_hand() -> None:
    shots = torch.tensor([[1, 0, 0, 1], [1, 0, 1, 1], [0, 0, 0, 1], [1, 0, 0, 1]], dtype=torch.bool)
    assert histograms(shots).tolist() == [0.25, 0, 0.75, 0, 0, 0.75, 0, 0.25]


def test_sixteen_modes_make_512_numbers() -> None:
    assert feature_size(16) == 512
    found = histograms(torch.rand(50, 16, generator=seeded()) < 0.5)
    assert found.shape == (512,)
    assert found.view(2, 256).sum(1).tolist() == pytest.approx([1, 1])
    with pytest.raises(ValueError, match="7 modes do not split"):
        feature_size(7)


@pytest.mark.parametrize("light", ["interfering", "distinguishable", "coherent", "one-photon"])
def test_frequencies_of_many_shots_tend_to_their_exact_expectation(light: str) -> None:
    source = Clicks(CIRCUIT, 200, light)
    expected = source.expected(angles())
    assert expected.view(2, 8).sum(1).tolist() == pytest.approx([1, 1])
    shots = 40_000
    found = source.frequencies(angles(), shots, seeded(5))
    deviations = (found - expected) / (expected * (1 - expected) / shots).sqrt().clamp(min=1e-6)
    assert deviations.abs().max() < 4.5
    assert 0.2 < deviations.square().mean() < 3


def test_the_lights_differ_where_they_should() -> None:
    lights = {
        light: Clicks(CIRCUIT, 200, light).expected(angles()) for light in ("interfering", "distinguishable", "coherent", "one-photon")
    }
    values = list(lights.values())
    assert all((a - b).abs().max() > 0.01 for k, a in enumerate(values) for b in values[:k])
    columns = CIRCUIT.columns(angles())
    clicking = 1 - torch.exp(-columns.square().sum(-1))
    torch.testing.assert_close(lights["coherent"], independent_histograms(clicking))
    torch.testing.assert_close(lights["one-photon"], independent_histograms(columns[:, 0].square()))


def test_independent_modes_multiply() -> None:
    found = independent_histograms(torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64))
    assert found.tolist() == pytest.approx([0.72, 0.18, 0.08, 0.02, 0.42, 0.28, 0.18, 0.12])


def test_standardised_features_have_mean_zero_and_deviation_one_over_random_angles() -> None:
    source = build_source("photonic", CIRCUIT, 50, fit_draws=400, generator=seeded())
    fresh = source.standardised(source.at_random_angles(400, 50, seeded(1)))
    assert fresh.mean().abs() < 0.05
    assert fresh.std(0).median() == pytest.approx(1, abs=0.15)


def test_a_bin_never_seen_counts_as_seen_once() -> None:
    frequencies = torch.zeros(64, 3, dtype=torch.float64)
    frequencies[:, 1] = 0.5
    frequencies[7, 2] = 1 / 200
    fitted = fit_standardisation(frequencies, 200)
    assert fitted.mean.tolist() == pytest.approx([0, 0.5, 1 / 200 / 64])
    assert fitted.deviation[0] == fitted.deviation[1] == pytest.approx(float(fitted.deviation[2]))
    assert fitted(frequencies[7])[2] == pytest.approx(63**0.5)


def test_the_average_follows_its_recursion_from_the_first_feature() -> None:
    first, second, third = torch.randn(3, 4, generator=seeded())
    averaged = smooth(torch.zeros(4), first, 0.9, 0)
    assert torch.equal(averaged, first)
    averaged = smooth(smooth(averaged, second, 0.9, 1), third, 0.9, 2)
    torch.testing.assert_close(averaged, 0.81 * first + 0.09 * second + 0.1 * third)


# Sources


@pytest.mark.parametrize("name", NAMES)
def test_every_source_draws_by_the_given_generator_alone(name: str) -> None:
    source = build_source(name, CIRCUIT, 20, fit_draws=8, generator=seeded())
    before = torch.get_rng_state()
    found = source.draw(angles(), seeded(1))
    assert found.shape == (SIZE,)
    assert found.dtype == torch.float32
    assert torch.equal(source.draw(angles(), seeded(1)), found)
    fixed = name in ("zero", "uniform", "gaussian-fixed", "gaussian-matched")
    assert torch.equal(source.draw(angles(), seeded(2)), found) == fixed
    assert source.tuned == (name in ("photonic", "distinguishable", "coherent", "one-photon"))
    assert torch.equal(torch.get_rng_state(), before)
    same = build_source(name, CIRCUIT, 20, fit_draws=8, generator=seeded())
    assert torch.equal(same.draw(angles(), seeded(1)), found)


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'photon': expected one of photonic, .*gaussian-resampled"):
        build_source("photon", CIRCUIT, 20, generator=seeded())
    with pytest.raises(ValueError, match="at least 2 draws"):
        build_source("photonic", CIRCUIT, 20, fit_draws=1, generator=seeded())


def test_a_source_without_standardisation_gives_frequencies() -> None:
    source = build_source("photonic", CIRCUIT, 20, standardised=False, generator=seeded())
    found = source.draw(angles(), seeded(1))
    torch.testing.assert_close((20 * found).round(), 20 * found)
    assert found.view(2, 8).sum(1).tolist() == pytest.approx([1, 1])
    uniform = build_source("uniform", CIRCUIT, 20, standardised=False, generator=seeded())
    assert uniform.draw(angles(), seeded()).tolist() == [1 / 8] * SIZE


@pytest.mark.parametrize("theta", [None, angles()], ids=["from zero", "from other angles"])
def test_the_matched_gaussian_is_the_fixed_one_at_the_size_of_the_photonic_feature(theta: torch.Tensor | None) -> None:
    matched, fixed, photonic = (
        build_source(name, CIRCUIT, 50, fit_draws=64, theta=theta, generator=seeded())
        for name in ("gaussian-matched", "gaussian-fixed", "photonic")
    )
    ratio = matched.draw(angles(), seeded()) / fixed.draw(angles(), seeded())
    torch.testing.assert_close(ratio, ratio[:1].expand(SIZE))
    start = torch.zeros(CIRCUIT.angle_count, dtype=torch.float64) if theta is None else theta
    wanted = photonic.standardised(photonic.expected(start)).square().mean().sqrt()
    found = matched.draw(angles(), seeded()).double().square().mean().sqrt()
    assert found / fixed.draw(angles(), seeded()).double().square().mean().sqrt() == pytest.approx(float(wanted))


@pytest.mark.parametrize("name", ["photonic", "distinguishable", "coherent"])
def test_the_standardisation_is_the_same_for_all_shots_where_its_own_are_given(name: str) -> None:
    few, many, exact = (build_source(name, CIRCUIT, shots, fit_draws=32, fit_shots=40, generator=seeded()) for shots in (5, 40, None))
    alone = build_source(name, CIRCUIT, 40, fit_draws=32, generator=seeded())
    for source in (few, many, exact):
        assert torch.equal(source.mean, alone.mean)
        assert torch.equal(source.deviation, alone.deviation)


def test_the_resampled_gaussian_has_the_covariance_of_its_own_shots_whatever_the_fit_has() -> None:
    noisy, quiet = (build_source("gaussian-resampled", CIRCUIT, shots, fit_draws=64, fit_shots=50, generator=seeded()) for shots in (5, 50))
    assert noisy.spread.square().sum() > 1.5 * quiet.spread.square().sum()


def test_infinitely_many_shots_are_the_expectation() -> None:
    source = build_source("photonic", CIRCUIT, None, fit_draws=8, generator=seeded())
    wanted = (expected_histograms(CIRCUIT.columns(angles())) - source.mean) / source.deviation
    torch.testing.assert_close(source.draw(angles(), seeded(1)), wanted.float())


def test_the_resampled_gaussian_has_the_photonic_mean_and_covariance() -> None:
    source = build_source("gaussian-resampled", CIRCUIT, 50, fit_draws=64, generator=seeded())
    photonic = build_source("photonic", CIRCUIT, 50, fit_draws=64, generator=seeded())
    sample = photonic.standardised(photonic.at_random_angles(64, 50, angles_of_the_fit(seeded())))
    drawn = torch.stack([source.draw(angles(), draws) for draws in [seeded(8)] for _ in range(6000)]).double()
    torch.testing.assert_close(drawn.mean(0), sample.mean(0), atol=0.06, rtol=0)
    torch.testing.assert_close(drawn.T.cov(correction=0), sample.T.cov(correction=0), atol=0.12, rtol=0)
    assert sample.T.cov(correction=0).fill_diagonal_(0).abs().max() > 0.3


def angles_of_the_fit(generator: torch.Generator) -> torch.Generator:
    """The generator of a source's fit, which draws nothing before it."""
    return generator


# Calibration


def test_calibration_error_by_hand() -> None:
    confidence = torch.tensor([0.55, 0.58, 0.92, 0.97, 0.99], dtype=torch.float64)
    logits = torch.stack([confidence.log(), (1 - confidence).log()], 1)
    labels = torch.tensor([0, 1, 0, 0, 1])
    found = reliability(logits, labels, bins=10)
    assert found.images.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 3]
    assert found.accuracy[[5, 9]].tolist() == pytest.approx([1 / 2, 2 / 3])
    assert found.confidence[[5, 9]].tolist() == pytest.approx([0.565, 0.96])
    assert found.accuracy[0].isnan()
    assert found.calibration_error == pytest.approx(2 / 5 * 0.065 + 3 / 5 * (0.96 - 2 / 3))


def test_a_calibrated_classifier_has_no_calibration_error_and_a_sure_one_its_error_rate() -> None:
    draws = seeded()
    logits = 2 * torch.randn(100_000, 4, generator=draws)
    labels = torch.multinomial(logits.softmax(-1), 1, generator=draws).squeeze(1)
    assert reliability(logits, labels).calibration_error < 0.01
    sure = scores(1e7 * logits, labels, "test")
    assert sure["test_calibration_error_percent"] == pytest.approx(100 - sure["test_accuracy_percent"], abs=1e-3)


# Laws of shot noise


def test_the_variance_of_a_feature_is_inverse_to_the_shots() -> None:
    source = build_source("photonic", CIRCUIT, 20, fit_draws=200, generator=seeded())
    expected = source.standardised(source.expected(angles()))
    counts, measured = [10, 40, 160, 640], []
    for shots in counts:
        value, error = total_variance(drawn_features(source, angles(), shots, 300, seeded(shots)), expected)
        assert abs(value - float(predicted_variance(source, angles(), shots).sum())) < 4 * error
        measured.append(value)
    power = exponent(counts, measured)
    assert power.value == pytest.approx(-1, abs=0.06)
    assert power.error < 0.05


def test_a_kernels_error_goes_with_the_root_of_the_shots() -> None:
    source = build_source("photonic", CIRCUIT, 20, fit_draws=200, generator=seeded())
    layer = DictionaryConv2d(20, 30, 3, 4, feature_size=SIZE, generator=seeded(1))
    expected = source.standardised(source.expected(angles()))
    for shots in (20, 320):
        found = kernel_error(layer, drawn_features(source, angles(), shots, 100, seeded(shots)), expected)
        variance = float(predicted_variance(source, angles(), shots).sum())
        assert found == pytest.approx(predicted_kernel_error(layer, variance), rel=0.12)


def test_the_average_has_the_predicted_share_of_a_features_variance() -> None:
    beta, repeats, updates = 0.9, 4000, 40
    noise = torch.randn(updates, repeats, generator=seeded(), dtype=torch.float64)
    averages = ema_of(noise, beta)
    for number in (1, 2, 5, updates):
        ratio = float(averages[number - 1].square().mean() / noise.square().mean())
        assert ratio == pytest.approx(ema_factor(beta, number), rel=0.08)
    assert ema_factor(beta) == pytest.approx(1 / 19)
    assert ema_factor(beta, 200) == pytest.approx(1 / 19)
    assert ema_factor(0.0, 3) == 1


def test_the_asymptote_of_gains_is_found() -> None:
    shots = [10, 30, 100, 300, 1000]
    assert asymptote(shots, [90 - 20 / s**0.5 for s in shots]) == pytest.approx((90, 20))


# Data


def test_validation_images_are_cut_from_the_training_images(tiny: Dataset) -> None:
    whole = on_device(tiny, torch.device("cpu"))
    data = prepare(whole, "digits", seeded(), validation_images=10)
    assert (len(data.validation), len(data.train)) == (10, 110)
    together = torch.cat([data.validation.images, data.train.images]).flatten(1)
    assert len(together.unique(dim=0)) == len(whole.train.images.flatten(1).unique(dim=0))
    assert torch.equal(data.tests["test"].images, whole.tests["test"].images)
    again, other = (prepare(whole, "digits", seeded(seed), validation_images=10) for seed in (0, 1))
    assert torch.equal(again.validation.images, data.validation.images)
    assert not torch.equal(other.validation.images, data.validation.images)
    fewer = prepare(whole, "digits", seeded(), validation_images=10, train_images=30)
    assert torch.equal(fewer.validation.images, data.validation.images)
    assert torch.equal(fewer.train.images, data.train.images[:30])
    assert len(prepare(whole, "digits", seeded()).validation) == 12  # at most a tenth


def test_colour_images_are_normalised_by_channel() -> None:
    images = torch.rand(20, 3, 4, 4, generator=seeded())
    examples = Examples(images, torch.zeros(20, dtype=torch.int64))
    data = prepare(TrainingData(examples, {"test": examples}), "cifar-10", seeded())
    found = data.tests["test"].images
    torch.testing.assert_close(found[:, 1], (images[:, 1] - 0.4822) / 0.2435)
    torch.testing.assert_close(found[:, 2], (images[:, 2] - 0.4465) / 0.2616)


# Training


@pytest.fixture(scope="module")
def data(tiny: Dataset) -> DistillationData:
    return prepare(on_device(tiny, torch.device("cpu")), "digits", seeded())


@pytest.fixture(scope="module")
def teacher(data: DistillationData) -> nn.Module:
    network = seeded_teacher((1, 16, 16), 3, (6, 8, 8), generator=seeded())
    training = begin_teacher(network, TeacherSchedule(epochs=20, lr=1e-2, batch_size=20), 0)
    last = list(teacher_epochs(training, data, TeacherSchedule(epochs=20, lr=1e-2, batch_size=20)))[-1]
    assert last["test_accuracy_percent"] > 95
    return network


def new_student(name: str = "photonic", compressed: str = "partial", mixing: str = "generated", seed: int = 0) -> Student:
    network = build_student((1, 16, 16), 3, compressed, 3, (6, 8, 8), feature_size=SIZE, mixing=mixing, generator=stream(seed, "initial"))
    source = build_source(name, CIRCUIT, 30, fit_draws=16, generator=stream(seed, "source")) if mixing == "generated" else None
    return Student(network, source, torch.zeros(CIRCUIT.angle_count), SIZE)


def schedule(**changes) -> StudentSchedule:
    return StudentSchedule(**{"epochs": 3, "lr": 1e-2, "batch_size": 20, "spsa_steps": 2, "spsa_batches": 1} | changes)


def test_a_photonic_student_learns_from_its_teacher(teacher: nn.Module, data: DistillationData) -> None:
    plan = schedule(epochs=16)
    training = begin_student(new_student(), plan, 0)
    rows = list(student_epochs(training, teacher, data, plan))
    assert rows[-1]["test_accuracy_percent"] > 60  # one class in three
    assert rows[-1]["training_loss"] < 0.75 * rows[0]["training_loss"]
    assert rows[-1]["theta_rms"] > 0
    wanted = {f"{part}_{value}" for part in ("train", "validation", "test", "other") for value in ("accuracy_percent", "cross_entropy")}
    assert wanted | {"epoch", "training_loss", "spsa_loss", "feature_rms", "test_calibration_error_percent", "seconds"} <= set(rows[-1])


@pytest.mark.parametrize("name", ["photonic", "gaussian-resampled"])
@pytest.mark.parametrize("changes", [{}, {"spsa_feature": "ema", "evaluation": "fresh", "precision": "bfloat16"}])
def test_a_student_goes_on_to_the_bit_identical_result(name: str, changes: dict, teacher: nn.Module, data: DistillationData) -> None:
    plan = schedule(**changes)

    def fresh() -> tuple[Training, Iterator[dict[str, float]]]:
        training = begin_student(new_student(name), plan, 5)
        return training, student_epochs(training, teacher, data, plan)

    whole, progress = fresh()
    rows = list(progress)
    stopped, progress = fresh()
    next(progress)
    tensors, kept = stopped.tensors(), [dict(row) for row in stopped.rows]
    resumed, progress = fresh()
    resumed.restore(tensors, kept)
    list(progress)
    assert without_time(resumed.rows) == without_time(rows)
    state = whole.tensors()
    assert {"module.theta", "module.smoothed", "module.updates", "module.source.mean", "stream.shots", "stream.directions"} <= set(state)
    assert all(torch.equal(value, resumed.tensors()[name]) for name, value in state.items())
    images = data.tests["test"].images
    assert torch.equal(logits_of(whole.module, images, "float32"), logits_of(resumed.module, images, "float32"))


def without_time(rows: list[dict[str, float]]) -> list[dict[str, str]]:
    return [{name: repr(value) for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_teacher_goes_on_to_the_bit_identical_result(keep: str, data: DistillationData) -> None:
    plan = TeacherSchedule(epochs=4, lr=1e-2, batch_size=20, keep=keep)

    def fresh() -> tuple[Training, Iterator[dict[str, float]]]:
        training = begin_teacher(seeded_teacher((1, 16, 16), 3, (4, 4, 4), generator=seeded()), plan, 5)
        return training, teacher_epochs(training, data, plan)

    whole, progress = fresh()
    rows = list(progress)
    stopped, progress = fresh()
    next(progress), next(progress)
    tensors, kept = stopped.tensors(), [dict(row) for row in stopped.rows]
    resumed, progress = fresh()
    resumed.restore(tensors, kept)
    list(progress)
    assert without_time(resumed.rows) == without_time(rows)
    for one, other in zip(whole.module.result().parameters(), resumed.module.result().parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_best_teacher_is_that_of_the_best_validation_accuracy(data: DistillationData) -> None:
    plan = TeacherSchedule(epochs=6, lr=3e-2, batch_size=20, keep="best")
    training = begin_teacher(seeded_teacher((1, 16, 16), 3, (4, 4, 4), generator=seeded(3)), plan, 5)
    best = max(row["validation_accuracy_percent"] for row in teacher_epochs(training, data, plan))
    assert isinstance(training.module, Taught)
    kept = measure(training.module.result(), data, "float32")
    assert kept["validation_accuracy_percent"] == best


def test_one_epoch_is_adam_on_the_distillation_loss(teacher: nn.Module, data: DistillationData) -> None:
    student, plan = new_student(), schedule(temperature=2.0, hard_weight=0.3)
    student.network.dropout.p = 0.0
    training = begin_student(student, plan, 4)
    student.take(torch.randn(SIZE, generator=seeded()), 0.9)
    slow = new_student()
    slow.network.dropout.p = 0.0
    slow.network.load_state_dict(student.network.state_dict())
    targets = logits_of(teacher, data.train.images, "float32")
    descend(training, student.network, data.train, plan.batch_size, distil_step(training, student, targets, data, plan))
    optimiser = torch.optim.Adam(slow.network.parameters(), lr=1e-2)
    for batch in minibatches(len(data.train), 20, stream(4, "batches")):
        logits = slow.network(data.train.images[batch])
        hard = F.cross_entropy(logits, data.train.labels[batch])
        wanted = (targets[batch] / 2).softmax(-1)
        soft = (wanted * (wanted.log() - (logits / 2).log_softmax(-1))).sum(-1).mean()
        optimiser.zero_grad()
        (0.3 * hard + 0.7 * 4 * soft).backward()
        optimiser.step()
    for one, other in zip(student.network.parameters(), slow.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_tuning_moves_the_angles_alone_and_in_evaluation_mode(teacher: nn.Module, data: DistillationData) -> None:
    plan = schedule(spsa_steps=3)
    student = new_student()
    training = begin_student(student, plan, 4)
    before = {name: value.clone() for name, value in training.tensors().items()}
    modules = torch.get_rng_state()
    targets = logits_of(teacher, data.validation.images, "float32")
    value = tune_angles(training, student, targets, data, plan)
    after = training.tensors()
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    drawn = {"stream.directions", "stream.shots", "stream.validation-batches"}
    assert moved == {"module.theta", *drawn} | {f"module.network.conv{k}.feature" for k in (1, 2)}
    assert math.isfinite(value)
    assert torch.equal(torch.get_rng_state(), modules)  # no dropout


@pytest.mark.parametrize("name", ["photonic-frozen", "gaussian-fixed", "zero"])
def test_controls_that_tune_nothing_leave_the_angles(name: str, teacher: nn.Module, data: DistillationData) -> None:
    training = begin_student(new_student(name), schedule(epochs=1), 0)
    row = next(student_epochs(training, teacher, data, schedule(epochs=1)))
    assert math.isnan(row["spsa_loss"])
    assert not training.module.theta.any()


def test_a_student_of_zero_features_cannot_tell_images_apart(teacher: nn.Module, data: DistillationData) -> None:
    training = begin_student(new_student("zero", "conv1"), schedule(), 0)
    list(student_epochs(training, teacher, data, schedule()))
    logits = logits_of(training.module, data.tests["test"].images, "float32")
    torch.testing.assert_close(logits, logits[:1].expand_as(logits))


@pytest.mark.parametrize(("compressed", "mixing"), [("partial", "trained"), ("extreme", "latent"), ("none", "generated")])
def test_students_without_a_feature_are_distilled_too(compressed: str, mixing: str, teacher: nn.Module, data: DistillationData) -> None:
    student = new_student("photonic", compressed, mixing)
    student.source = None
    plan = schedule(epochs=8)
    training = begin_student(student, plan, 0)
    before = {name: value.clone() for name, value in student.network.named_parameters()}
    rows = list(student_epochs(training, teacher, data, plan))
    assert rows[-1]["training_loss"] < 0.95 * rows[0]["training_loss"]
    assert all(not torch.equal(value, before[name]) for name, value in student.network.named_parameters())
    assert "spsa_loss" not in rows[-1]


def test_controls_share_batches_and_initial_values() -> None:
    photonic, gaussian = (begin_student(new_student(name), schedule(), 7) for name in ("photonic", "gaussian-fixed"))
    for one, other in zip(photonic.module.network.parameters(), gaussian.module.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(photonic.streams["batches"].get_state(), gaussian.streams["batches"].get_state())


def test_a_diverging_student_names_its_setting(teacher: nn.Module, data: DistillationData) -> None:
    plan = schedule().model_copy(update={"lr": 1e30})
    with pytest.raises(DivergenceError, match=r"epoch \d; use a smaller schedule\.lr \(it is 1e\+30\)"):
        list(student_epochs(begin_student(new_student(), plan, 0), teacher, data, plan))


def test_mixed_precision_is_asked_for_or_taken_on_a_gpu() -> None:
    network, images = Teacher((1, 8, 8), 2, (2, 2, 2)), torch.rand(3, 1, 8, 8)
    for precision, dtype in (("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with autocast(torch.device("cpu"), precision):
            assert network(images).dtype == dtype
