"""Training: the protocols against slow, obvious loops; which part moves when; seeds; measures; divergence."""

import copy
import math

import numpy as np
import pytest
import reference
import torch
from torch import nn
from torch.nn import functional as F

from lightweights import MPS, QuantumTrain
from lightweights.datasets import Dataset
from lightweights.methods.quantum_train import build_generator
from lightweights.networks import TargetCNN
from lightweights.photonics.hardware import Hardware
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.schedules import ClassicalSchedule, CobylaSchedule, GradientSchedule, SpsaSchedule
from lightweights.settings.study import parse_study
from lightweights.study.execute import begin, finish
from lightweights.training import alternating
from lightweights.training.alternating import begin_rounds, rounds, train_mapping, train_phases
from lightweights.training.classical import begin_classical, classical_epochs
from lightweights.training.data import Examples, TrainingData, measure, minibatches, on_device, random_batch
from lightweights.training.randomness import stream
from lightweights.training.state import DivergenceError, Training
from lightweights.training.task import Task, classification

CPU = torch.device("cpu")


@pytest.fixture
def data(tiny: Dataset) -> TrainingData:
    return on_device(tiny, CPU)


@pytest.fixture
def double(data: TrainingData) -> TrainingData:
    """The same in double precision and 4x4 pixels, so that slow and fast arithmetic agree to many digits."""

    def convert(examples: Examples) -> Examples:
        return Examples(F.avg_pool2d(examples.images.double(), 4), examples.labels)

    return TrainingData(convert(data.train), {name: convert(split) for name, split in data.tests.items()})


def linear() -> nn.Module:
    """51 weights: small enough to generate them one by one."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).double()


def generator_of(module: nn.Module, bond_dim: int = 2, init_std: float = 0.05, hardware: Hardware | None = None) -> QuantumTrain:
    draws = torch.Generator().manual_seed(3)
    return QuantumTrain(module, [(5, 2), (4, 2)], MPS(bond_dim, init_std), generator=draws, hardware=hardware).double()


def task_of(training: Training, data: TrainingData, schedule: GradientSchedule | CobylaSchedule) -> Task:
    return classification(data, schedule.batch_size, schedule.phase_batch_size, training.streams)


# Against slow loops


def slow_weights(generator: QuantumTrain, mapping: list[torch.Tensor], phases: list[torch.Tensor]) -> torch.Tensor:
    """Permanents, mean-normalised, multiplied out, contracted site by site."""
    factors = []
    for circuit, vector in zip(generator.circuits, phases, strict=True):
        matrix = reference.unitary("notebook", circuit.modes, vector)
        probabilities = torch.stack([reference.probability(matrix, circuit.inputs, outcome) for outcome in circuit.outcomes()])
        factors.append(probabilities / probabilities.mean())
    return reference.site_by_site(*mapping, reference.outer_product(factors, generator.weight_count))


def logits(weights: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1) @ weights[:48].view(3, 16).T + weights[48:]


def test_gradient_protocol_is_the_slow_obvious_loop(double: TrainingData) -> None:
    """Everything is computed anew in every step, by one Adam for the mapping and one for the phases, neither fused."""
    schedule = GradientSchedule(
        rounds=2, mapping_epochs=2, mapping_lr=0.02, batch_size=50, phase_steps=3, phase_lr=0.1, phase_batch_size=70
    )
    generator = generator_of(linear())
    mapping = [getattr(generator.mapping, n).detach().clone().requires_grad_() for n in ("cores", "bias_left", "bias_right", "output")]
    phases = [vector.detach().clone().requires_grad_() for vector in generator.phases]
    optimisers = [torch.optim.Adam(mapping, lr=0.02, fused=False), torch.optim.Adam(phases, lr=0.1, fused=False)]
    images, labels = double.train.images, double.train.labels
    batches, phase_batches = stream(9, "batches"), stream(9, "phase-batches")

    def step(optimiser: torch.optim.Optimizer, chosen: torch.Tensor) -> float:
        loss = F.cross_entropy(logits(slow_weights(generator, mapping, phases), images[chosen]), labels[chosen])
        for parameter in [*mapping, *phases]:
            parameter.grad = None
        loss.backward()
        optimiser.step()
        return float(loss.detach())

    losses, phase_losses = [], []
    for _ in range(2):
        for _ in range(2):
            order = torch.randperm(120, generator=batches)
            epoch = [step(optimisers[0], order[start : start + 50]) for start in (0, 50, 100)]
        losses.append((50 * epoch[0] + 50 * epoch[1] + 20 * epoch[2]) / 120)
        for _ in range(3):
            phase_losses.append(step(optimisers[1], torch.randperm(120, generator=phase_batches)[:70]))

    training = begin_rounds(generator, schedule, 9)
    rows = list(rounds(training, double, schedule))
    assert [row["round"] for row in rows] == [1, 2]
    assert [row["training_loss"] for row in rows] == pytest.approx(losses, rel=1e-9)
    assert [row["last_batch_loss"] for row in rows][-1] == pytest.approx(epoch[-1], rel=1e-9)
    assert [row["phase_loss"] for row in rows] == pytest.approx(phase_losses[2::3], rel=1e-9)
    for name, expected in zip(("cores", "bias_left", "bias_right", "output"), mapping, strict=True):
        torch.testing.assert_close(getattr(generator.mapping, name), expected, atol=1e-8, rtol=1e-8, check_dtype=False)
    for found, expected in zip(generator.phases, phases, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-8, rtol=1e-8, check_dtype=False)
    with torch.no_grad():
        predicted = logits(slow_weights(generator, mapping, phases), double.tests["test"].images)
    assert rows[-1]["test_cross_entropy"] == pytest.approx(float(F.cross_entropy(predicted, double.tests["test"].labels)), rel=1e-9)


def test_classical_training_is_the_slow_obvious_loop(double: TrainingData) -> None:
    network = linear()
    other = copy.deepcopy(network)
    optimiser = torch.optim.Adam(other.parameters(), lr=0.01, fused=False)
    batches, losses = stream(9, "batches"), []
    for _ in range(3):
        order, total = torch.randperm(120, generator=batches), 0.0
        for start in (0, 50, 100):
            chosen = order[start : start + 50]
            loss = F.cross_entropy(other(double.train.images[chosen]), double.train.labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(chosen)
        losses.append(total / 120)
    schedule = ClassicalSchedule(epochs=3, lr=0.01, batch_size=50)
    training = begin_classical(network, schedule, 9)
    rows = list(classical_epochs(training, double, schedule))
    assert [row["training_loss"] for row in rows] == pytest.approx(losses, rel=1e-10)
    for found, expected in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-10)


def test_phases_stand_still_while_the_mapping_trains_and_the_other_way_round(double: TrainingData) -> None:
    schedule = GradientSchedule(mapping_epochs=2, phase_steps=3)
    generator = generator_of(linear())
    training = begin_rounds(generator, schedule, 0)
    before = {name: value.clone() for name, value in generator.state_dict().items()}

    def moved() -> set[str]:
        return {name for name, value in generator.state_dict().items() if not torch.equal(value, before[name])}

    train_mapping(training, generator, task_of(training, double, schedule), schedule)
    mapping = {"mapping.cores", "mapping.bias_left", "mapping.bias_right", "mapping.output"}
    assert moved() == mapping
    before |= {name: value.clone() for name, value in generator.state_dict().items()}
    with torch.no_grad():
        coefficients = generator.mapping.coefficients()
    train_phases(training, generator, task_of(training, double, schedule), schedule, coefficients)
    assert moved() == {"phases.0", "phases.1"}
    assert torch.equal(before["phases.0"][24:], generator.phases[0][24:])  # those that the circuit does not use


def test_moments_of_adam_are_kept_from_round_to_round(double: TrainingData) -> None:
    schedule = GradientSchedule(rounds=3, mapping_epochs=1, batch_size=50, phase_steps=2)
    training = begin_rounds(generator_of(linear()), schedule, 0)
    list(rounds(training, double, schedule))
    steps = {name: {int(s["step"]) for s in optimiser.state_dict()["state"].values()} for name, optimiser in training.optimisers.items()}
    assert steps == {"mapping": {9}, "phases": {6}}


@pytest.mark.parametrize("kind", [GradientSchedule, CobylaSchedule, SpsaSchedule])
def test_a_training_measured_less_often_is_the_same_training(kind: type, double: TrainingData) -> None:
    """Its answers of devices are drawn anew in each round, measured or not."""
    length = {"evaluations": 50} if kind is CobylaSchedule else {"phase_steps": 2}
    often = kind(rounds=5, mapping_epochs=1, batch_size=50, phase_batch_size=30, **length)
    seldom = often.model_copy(update={"measure_every": 2})
    found = []
    for schedule in (often, seldom):
        training = begin_rounds(generator_of(linear(), hardware=Hardware(cycles=2000)), schedule, 0)
        list(rounds(training, double, schedule))
        found.append((training.rows, training.module.state_dict()))
    (all_rows, whole), (rows, less) = found
    assert all(torch.equal(value, less[name]) for name, value in whole.items())
    looked_at = [{"train_cross_entropy", "test_accuracy_percent", "other_generalisation_error"} <= set(row) for row in rows]
    assert looked_at == [False, True, False, True, True] and (often.measurements, seldom.measurements) == (5, 3)
    assert "test_cross_entropy" not in rows[0] and "train_accuracy_percent" not in rows[0]
    for row, full in zip(rows, all_rows, strict=True):
        assert all(row[name] == full[name] for name in row if name != "seconds")


@pytest.mark.whole
@pytest.mark.parametrize("protocol", ["gradient", "cobyla"])
def test_training_learns(protocol: str, tiny: Dataset) -> None:
    """Three classes whose patterns differ: chance is 33 %."""
    run = study(protocol, rounds=2, mapping_epochs=15, batch_size=20, mapping_lr=0.005).runs()[0]
    _, progress, _ = begin(run.settings, tiny, 0, CPU)
    last = list(progress)[-1]
    assert last["train_accuracy_percent"] > 80
    assert last["test_accuracy_percent"] > 70
    assert last["train_cross_entropy"] < 0.7 * math.log(3)


# COBYLA


def cobyla_once(double: TrainingData, evaluations: int, monkeypatch: pytest.MonkeyPatch) -> tuple[QuantumTrain, float, list[float]]:
    schedule = CobylaSchedule(evaluations=evaluations, phase_batch_size=60)
    generator = generator_of(linear(), init_std=0.2)
    training = begin_rounds(generator, schedule, 5)
    seen: list[float] = []

    def recording(function, start, **settings):
        def told(x: np.ndarray) -> float:
            seen.append(function(x))
            return seen[-1]

        return minimize(told, start, **settings)

    minimize = alternating.minimize
    with monkeypatch.context() as patch:
        patch.setattr(alternating, "minimize", recording)
        with torch.no_grad():
            coefficients = generator.mapping.coefficients()
        best = alternating.minimise_phases(training, generator, task_of(training, double, schedule), schedule, coefficients)
    return generator, best, seen


def test_cobyla_keeps_the_best_point_of_its_one_batch(double: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    generator, best, seen = cobyla_once(double, 120, monkeypatch)
    assert best == min(seen) < seen[0]
    assert len(seen) <= 120
    chosen = random_batch(120, 60, stream(5, "phase-batches"))
    with torch.no_grad():
        loss = F.cross_entropy(generator(double.train.images[chosen]), double.train.labels[chosen])
    assert float(loss) == pytest.approx(best, rel=1e-12)
    before = generator_of(linear(), init_std=0.2)
    for name, value in generator.mapping.state_dict().items():
        assert torch.equal(value, before.mapping.state_dict()[name])


def test_cobyla_is_deterministic(double: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = (cobyla_once(double, 80, monkeypatch) for _ in range(2))
    assert first[2] == again[2]
    for found, expected in zip(first[0].phases, again[0].phases, strict=True):
        assert torch.equal(found, expected)


def test_cobyla_moves_all_phases_those_that_the_circuit_does_not_use_included(
    double: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the notebooks: the optimiser's space has the counted phases."""
    generator, _, seen = cobyla_once(double, 120, monkeypatch)
    start = generator_of(linear(), init_std=0.2)
    assert sum(len(vector) for vector in generator.phases) == 48
    assert len(seen) > 49  # a simplex in that space, and then steps
    assert not torch.equal(generator.phases[0][:24], start.phases[0][:24])


@pytest.mark.whole
def test_powells_cobyla_takes_the_same_batch_and_start_to_points_of_its_own(double: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    def once(implementation: str | None) -> tuple[QuantumTrain, float]:
        schedule = CobylaSchedule(evaluations=400, phase_batch_size=60, implementation=implementation)
        generator = generator_of(linear(), init_std=0.2)
        training = begin_rounds(generator, schedule, 5)
        with torch.no_grad():
            coefficients = generator.mapping.coefficients()
        return generator, alternating.minimise_phases(training, generator, task_of(training, double, schedule), schedule, coefficients)

    _, _, seen = cobyla_once(double, 120, monkeypatch)
    (powell, found), (again, same), (scipys, other) = once("powell"), once("powell"), once("scipy")
    assert found < seen[0]  # better than where both start
    assert found == same and all(torch.equal(a, b) for a, b in zip(powell.phases, again.phases, strict=True))
    assert found != other and not torch.equal(powell.phases[0], scipys.phases[0])
    chosen = random_batch(120, 60, stream(5, "phase-batches"))
    with torch.no_grad():
        loss = F.cross_entropy(powell(double.train.images[chosen]), double.train.labels[chosen])
    assert float(loss) == pytest.approx(found, rel=1e-12)


# Seeds


def study(protocol: str, init_std: float = 0.05, photonics: dict | None = None, **schedule: object):
    """A study of tiny runs of one protocol, for two seeds."""
    method = "classical" if protocol == "classical" else "quantum_train"
    return parse_study(
        {
            "dataset": DatasetSection(name="digits").model_dump(),
            "mapping": {"bond_dim": 2, "init_std": init_std},
            "photonics": photonics or {},
            "schedules": {protocol: {"evaluations": 200, **schedule} if protocol == "cobyla" else schedule},
            "experiments": {"tiny": {"method": method, "schedule": protocol, "seeds": [0, 1]}},
        }
    )


SHORT = {
    "classical": {"epochs": 3, "batch_size": 50},
    "gradient": {"rounds": 3, "mapping_epochs": 2, "batch_size": 50, "phase_steps": 2, "phase_batch_size": 60},
    "cobyla": {"rounds": 2, "mapping_epochs": 1, "batch_size": 50, "evaluations": 200, "phase_batch_size": 60},
}


def trained(protocol: str, tiny: Dataset, seed: int) -> Training:
    training, progress, total = begin(study(protocol, **SHORT[protocol]).runs()[seed].settings, tiny, seed, CPU)
    assert len(list(progress)) == total == len(training.rows)
    return training


def timeless(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.whole
@pytest.mark.parametrize("protocol", SHORT)
def test_same_seed_gives_the_same_bits_and_another_seed_others(protocol: str, tiny: Dataset) -> None:
    torch.manual_seed(1)
    first = trained(protocol, tiny, 0)
    torch.manual_seed(2)  # the global generator has no say
    again, other = trained(protocol, tiny, 0), trained(protocol, tiny, 1)
    assert timeless(first.rows) == timeless(again.rows)
    tensors = again.tensors()
    assert all(torch.equal(value, tensors[name]) for name, value in first.tensors().items())
    assert first.rows[-1]["training_loss"] != other.rows[-1]["training_loss"]


def test_arms_that_share_a_seed_share_the_mappings_initial_values_and_the_batches(tiny: Dataset) -> None:
    choices = [
        {},
        {"circuits": "auto"},
        {"circuits": [[14, 7]], "mesh": "mzi", "input_state": "alternating"},
        {"circuits": [[10, 5], [8, 4]]},
    ]
    generators = [build_generator(study("gradient", photonics=choice).runs()[0].settings, tiny, 4) for choice in choices]
    for other in generators[1:]:
        assert len(other.phases[0]) != len(generators[0].phases[0]) or other.circuits[0].photons != 4
        for name, value in generators[0].mapping.state_dict().items():
            assert torch.equal(value, other.mapping.state_dict()[name])
    another = build_generator(study("gradient").runs()[0].settings, tiny, 5)
    assert not torch.equal(another.mapping.cores, generators[0].mapping.cores)
    assert not torch.equal(another.phases[0], generators[0].phases[0])
    orders = [list(minibatches(120, 50, stream(4, "batches"))) for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(*orders, strict=True))


def test_a_network_with_dropout_repeats_and_resumes_to_the_same_bits(data: TrainingData) -> None:
    schedule = ClassicalSchedule(epochs=3, lr=0.01, batch_size=40)

    def start() -> Training:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, 3))
        return begin_classical(network, schedule, seed=7)

    whole = start()
    list(classical_epochs(whole, data, schedule))
    stopped = start()
    next(classical_epochs(stopped, data, schedule))
    tensors, rows = stopped.tensors(), list(stopped.rows)
    torch.rand(5)  # whatever else happens in between
    resumed = start()
    resumed.restore(tensors, rows)
    list(classical_epochs(resumed, data, schedule))
    assert timeless(resumed.rows) == timeless(whole.rows)
    assert rows[0]["training_loss"] != whole.rows[1]["training_loss"]


def test_streams_of_a_seed_are_independent() -> None:
    draws = {(s, p): torch.rand(200, generator=stream(s, p)) for s in (0, 1) for p in ("batches", "phase-batches", "initial-values")}
    table = torch.corrcoef(torch.stack(list(draws.values())))
    assert (table - torch.eye(6)).abs().max() < 0.35
    assert torch.equal(draws[0, "batches"], torch.rand(200, generator=stream(0, "batches")))


# Batches and measures


def test_an_epoch_sees_every_image_once(generator: torch.Generator) -> None:
    pieces = list(minibatches(120, 50, generator))
    assert [len(piece) for piece in pieces] == [50, 50, 20]
    assert sorted(torch.cat(pieces).tolist()) == list(range(120))
    assert not torch.equal(torch.cat(pieces), torch.cat(list(minibatches(120, 50, generator))))


def test_a_random_batch_repeats_no_image_and_takes_all_of_few(generator: torch.Generator) -> None:
    batch = random_batch(120, 50, generator)
    assert len(set(batch.tolist())) == 50
    assert sorted(random_batch(7, 1000, generator).tolist()) == list(range(7))


def test_data_are_pixels_between_0_and_1(tiny: Dataset) -> None:
    data = on_device(tiny, CPU)
    assert data.train.images.dtype == torch.float32
    assert torch.equal(data.train.images, tiny.train.images.float() / 255)
    assert {name: len(split) for name, split in data.tests.items()} == {"test": 40, "other": 30}


def test_measures_are_means_over_all_images(generator: torch.Generator) -> None:
    """More images than one evaluation batch, so that a mean over batches would differ."""
    sizes = {"train": 1300, "test": 1010}
    splits = {
        name: Examples(torch.rand(size, 1, 2, 2, generator=generator), torch.randint(0, 3, (size,), generator=generator))
        for name, size in sizes.items()
    }
    predict = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).requires_grad_(False)
    values = measure(predict, TrainingData(splits["train"], {"test": splits["test"]}))
    for name, split in splits.items():
        outputs = predict(split.images).double()
        right = [int(o.argmax()) == int(label) for o, label in zip(outputs, split.labels, strict=True)]
        nats = [float(o.exp().sum().log() - o[label]) for o, label in zip(outputs, split.labels, strict=True)]
        assert values[f"{name}_accuracy_percent"] == pytest.approx(100 * sum(right) / len(right))
        assert values[f"{name}_cross_entropy"] == pytest.approx(sum(nats) / len(nats), rel=1e-5)
    gap = values["test_cross_entropy"] - values["train_cross_entropy"]
    assert values["test_generalisation_error"] == pytest.approx(gap)
    assert "train_generalisation_error" not in values


def test_training_loss_is_the_mean_over_the_last_epochs_images_and_batch_columns_are_its_last_batch(double: TrainingData) -> None:
    """With a learning rate too small to move anything, every epoch sees the initial weights."""
    generator = generator_of(linear())
    with torch.no_grad():
        outputs = generator(double.train.images)
    schedule = GradientSchedule(rounds=1, mapping_epochs=2, mapping_lr=1e-15, batch_size=50, phase_steps=1, phase_lr=1e-15)
    training = begin_rounds(generator, schedule, 9)
    (row,) = rounds(training, double, schedule)
    assert row["training_loss"] == pytest.approx(float(F.cross_entropy(outputs, double.train.labels)), rel=1e-9)
    batches = stream(9, "batches")
    last = [list(minibatches(120, 50, batches)) for _ in range(2)][1][-1]
    assert len(last) == 20
    assert row["last_batch_loss"] == pytest.approx(float(F.cross_entropy(outputs[last], double.train.labels[last])), rel=1e-9)
    right = (outputs[last].argmax(-1) == double.train.labels[last]).float().mean()
    assert row["last_batch_accuracy_percent"] == pytest.approx(100 * float(right))


def test_what_is_reported_is_the_last_row_and_the_mean_of_the_last_ten(tiny: Dataset) -> None:
    schedule = SHORT["classical"] | {"epochs": 13}
    settings = study("classical", **schedule).runs()[0].settings
    training, progress, _ = begin(settings, tiny, 0, CPU)
    list(progress)
    result = finish(training, settings, tiny, 0)
    assert (
        set(result.final)
        == set(result.last10)
        == {
            f"{split}_{what}"
            for split in ("train", "test", "other")
            for what in ("accuracy_percent", "cross_entropy", "generalisation_error")
        }
        - {"train_generalisation_error"}
    )
    for name, value in result.final.items():
        assert value == training.rows[-1][name]
        assert result.last10[name] == pytest.approx(sum(row[name] for row in training.rows[3:]) / 10)
    assert result.parameters["trained_published"] == result.parameters["target"] == sum(p.numel() for p in training.module.parameters())


def test_stored_weights_predict_what_the_metrics_say(tiny: Dataset) -> None:
    result = finish(trained("gradient", tiny, 0), study("gradient", **SHORT["gradient"]).runs()[0].settings, tiny, 0)
    network = TargetCNN((1, 16, 16), 3)
    network.load_state_dict({name.removeprefix("network."): v for name, v in result.weights.items() if name.startswith("network.")})
    measured = measure(network.eval(), on_device(tiny, CPU))
    assert {name: measured[name] for name in result.final} == pytest.approx(result.final, rel=1e-6, abs=1e-6)
    assert {name for name in result.weights if name.startswith("generator.")} == {
        "generator.phases.0",
        "generator.phases.1",
        *(f"generator.mapping.{name}" for name in ("cores", "bias_left", "bias_right", "output")),
    }


# Divergence


@pytest.mark.parametrize(
    ("schedule", "setting"),
    [
        (
            GradientSchedule(mapping_lr=10, batch_size=10),
            r"training_loss is nan in round 1; use a smaller schedule\.mapping_lr \(it is 10\)",
        ),
        (
            GradientSchedule(mapping_lr=10, mapping_epochs=1, batch_size=500, phase_steps=0),
            r"in round \d; use a smaller schedule\.mapping_lr",
        ),
        (
            CobylaSchedule(mapping_lr=10, mapping_epochs=1, batch_size=500, evaluations=250),
            r"use a smaller schedule\.mapping_lr \(it is 10\)$",
        ),
    ],
)
def test_a_mapping_that_diverges_stops_and_names_the_setting(
    schedule: GradientSchedule | CobylaSchedule, setting: str, data: TrainingData
) -> None:
    generator = QuantumTrain(TargetCNN((1, 16, 16), 3), "auto", MPS(4), generator=torch.Generator().manual_seed(0))
    training = begin_rounds(generator, schedule, 0)
    with pytest.raises(DivergenceError, match=setting):
        list(rounds(training, data, schedule.model_copy(update={"rounds": 3})))
    assert all(math.isfinite(value) for row in training.rows for value in row.values())


@pytest.mark.parametrize("lr", [1e30, float("inf")])
def test_a_network_that_diverges_stops_and_names_the_setting(lr: float, data: TrainingData) -> None:
    schedule = ClassicalSchedule.model_construct(epochs=4, lr=lr, batch_size=500)
    training = begin_classical(TargetCNN((1, 16, 16), 3), schedule, 0)
    with pytest.raises(DivergenceError, match=r"in epoch [12]; use a smaller schedule\.lr"):
        list(classical_epochs(training, data, schedule))
    assert all(math.isfinite(value) for row in training.rows for value in row.values())


def test_phases_that_are_not_trained_have_no_loss(tiny: Dataset) -> None:
    training, progressing, _ = begin(study("gradient", rounds=2, phase_steps=0).runs()[0].settings, tiny, 0, CPU)
    before = [phases.clone() for phases in training.module.phases]
    assert all(math.isnan(row["phase_loss"]) for row in progressing)
    assert all(torch.equal(a, b) for a, b in zip(before, training.module.phases, strict=True))


def test_a_schedule_without_mapping_epochs_trains_the_phases_alone(double: TrainingData) -> None:
    schedule = GradientSchedule(rounds=2, mapping_epochs=0, phase_steps=2)
    generator = generator_of(linear())
    before = generator.mapping.cores.detach().clone()
    rows = list(rounds(begin_rounds(generator, schedule, 0), double, schedule))
    assert torch.equal(generator.mapping.cores, before)
    assert math.isnan(rows[-1]["training_loss"])
    assert math.isfinite(rows[-1]["train_cross_entropy"])
