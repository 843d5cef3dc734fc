"""Training on data of one's own: the study's loop, any batches and loss, resumed to the bit."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler, TensorDataset

from lightweights import MPS, Hardware, LogitTanh, Noise, QuantumTrain, fit
from lightweights.datasets import Dataset
from lightweights.fitting import FitError, schedule_of
from lightweights.training.alternating import begin_rounds, rounds
from lightweights.training.data import on_device
from lightweights.training.randomness import stream
from lightweights.training.state import DivergenceError
from lightweights.watch import LearningWarning


def vectors(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors whose class is the sign of their first number."""
    x = torch.randn(count, 4, generator=torch.Generator().manual_seed(8))
    return x, (x[:, 0] > 0).long()


def small(seed: int = 0, **settings: object) -> QuantumTrain:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        module = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Dropout(0.1), nn.Linear(6, 2))
        return QuantumTrain(module, **({"mapping": MPS(2), "seed": seed} | settings))


def loader(**settings: object) -> DataLoader:
    return DataLoader(TensorDataset(*vectors()), batch_size=16, shuffle=True, **settings)


def accuracy(row: dict, generated: QuantumTrain) -> dict[str, float]:
    x, labels = vectors()
    return {"accuracy": float((generated(x).argmax(-1) == labels).double().mean())}


def timeless(rows: list[dict]) -> list[dict[str, str]]:
    """Rows without wall times, equal where all their digits are, NaN included."""
    return [{name: repr(value) for name, value in row.items() if name != "seconds"} for row in rows]


def test_it_learns_and_tells_a_row_a_round():
    generated = small()
    rows = list(fit(generated, loader(), rounds=25, schedule={"mapping_lr": 0.02, "mapping_epochs": 2}, callbacks=[accuracy], seed=0))
    assert [row["round"] for row in rows] == list(range(1, 26))
    assert set(rows[0]) == {"round", "training_loss", "phase_loss", "seconds", "accuracy"}
    assert rows[-1]["training_loss"] < rows[0]["training_loss"] / 2
    assert rows[-1]["accuracy"] > 0.9
    assert accuracy({}, generated.eval()) == {"accuracy": rows[-1]["accuracy"]}


def test_it_is_the_studys_loop(tiny: Dataset):
    """On the same batches in the same order, the same rows to the bit."""
    data = on_device(tiny, torch.device("cpu"))

    def made() -> QuantumTrain:
        module = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
        with torch.no_grad():
            for p in module.parameters():
                p.fill_(0.1)
        return QuantumTrain(module, mapping=MPS(2, init_std=0.05), seed=3)

    schedule = schedule_of({"mapping_lr": 5e-3, "phase_steps": 2, "mapping_epochs": 2}, 3).model_copy(
        update={"batch_size": 30, "phase_batch_size": 50}
    )
    expected = list(rounds(begin_rounds(made(), schedule, 7), data, schedule))
    epochs, phases = stream(7, "batches"), stream(7, "phase-batches")

    class Batches:
        """Epochs of the study's minibatches; where the phases ask, each batch is one of theirs."""

        asked = 0

        def __iter__(self):
            self.asked += 1
            if self.asked % 3:
                for rows in torch.randperm(120, generator=epochs).split(30):
                    yield data.train.at(rows)
            else:
                while True:
                    yield data.train.at(torch.randperm(120, generator=phases)[:50])

    found = list(fit(made(), Batches(), rounds=3, schedule={"mapping_lr": 5e-3, "phase_steps": 2, "mapping_epochs": 2}, decay=False))
    for row, other in zip(found, expected, strict=True):
        assert (row["training_loss"], row["phase_loss"]) == (other["training_loss"], other["phase_loss"])


@pytest.mark.parametrize("settings", [{}, {"hardware": Hardware(Noise(), cycles=2000)}, {"arm": "gaussian-resampled"}, {"residual": True}])
@pytest.mark.parametrize("schedule", ["gradient", {"protocol": "spsa", "phase_steps": 2}])
def test_a_stopped_training_goes_on_to_the_same_bits(settings: dict, schedule: object, tmp_path: Path):
    def training(rounds: int, state: Path | None, seed: int = 0):
        generated = small(seed, **settings)
        return generated, fit(generated, loader(), rounds=rounds, schedule=schedule, state=state, seed=4)

    torch.manual_seed(0)
    whole, rows = training(4, None)
    expected = timeless(list(rows))
    torch.manual_seed(0)
    _, rows = training(4, tmp_path / "state")
    next(rows), next(rows)
    rows.close()  # stopped
    torch.manual_seed(99)
    again, rows = training(4, tmp_path / "state", seed=5)
    assert timeless(list(rows)) == expected[2:]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert timeless(list(training(4, tmp_path / "state")[1])) == []  # all is done


def test_a_loaders_own_generator_is_part_of_the_state(tmp_path: Path):
    def rows(rounds: int, seed: int, state: Path | None):
        return fit(small(), loader(generator=torch.Generator().manual_seed(seed)), rounds=rounds, state=state, seed=1, decay=False)

    torch.manual_seed(0)
    expected = timeless(list(rows(3, 2, None)))
    torch.manual_seed(0)
    list(rows(1, 2, tmp_path / "state"))
    assert timeless(list(rows(3, 77, tmp_path / "state"))) == expected[1:]


def test_states_of_other_trainings_and_damaged_ones_are_refused(tmp_path: Path):
    list(fit(small(), loader(), rounds=1, state=tmp_path / "state"))
    with pytest.raises(FitError, match="belongs to another training"):
        fit(small(mapping=MPS(3)), loader(), rounds=1, state=tmp_path / "state")
    (tmp_path / "state").write_bytes(b"nothing")
    with pytest.raises(FitError, match="cannot be taken up"):
        fit(small(), loader(), rounds=1, state=tmp_path / "state")


def test_inputs_may_be_tuples_dicts_or_anything_with_an_objective():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
            return self.layer(first + second)

    x, labels = vectors()
    found = []
    objective = lambda call, batch: F.cross_entropy(call(batch["a"], second=batch["a"]), batch["y"])  # noqa: E731
    for batch, asked in (
        (((x, x), labels), {}),
        (({"first": x, "second": x}, labels), {}),
        ({"a": x, "y": labels}, {"objective": objective}),
    ):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            generated = QuantumTrain(Two(), seed=0)
        found.append(timeless(list(fit(generated, [batch], rounds=2, **asked))))
    for one in found[1:]:  # objectives are means of batches, losses of targets: rounding differs
        assert [float(row["training_loss"]) for row in one] == pytest.approx([float(row["training_loss"]) for row in found[0]], rel=1e-5)


def test_any_loss_and_a_regression():
    x = torch.randn(40, 4)
    y = x[:, :1] - x[:, 1:2]
    generated = QuantumTrain(nn.Linear(4, 1), mapping=MPS(2), seed=0)
    rows = list(fit(generated, [(x, y)], loss=F.mse_loss, rounds=40, schedule={"mapping_lr": 0.03, "mapping_epochs": 5}))
    assert rows[-1]["training_loss"] < rows[0]["training_loss"] / 4


def test_learning_rates_fall_to_zero_unless_told_not_to(monkeypatch: pytest.MonkeyPatch):
    seen: list[float] = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self, *a, **k: seen.append(self.param_groups[0]["lr"]) or step(self, *a, **k))
    for decay in (True, False):
        seen.clear()
        list(fit(small(), [vectors()], rounds=4, schedule={"mapping_lr": 0.1, "phase_steps": 0}, decay=decay))
        assert seen == pytest.approx([0.1, 0.075, 0.05, 0.025] if decay else [0.1] * 4)


def test_direct_parameters_and_those_of_no_mapping_train():
    generated = QuantumTrain(nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 2)), direct="1", mapping=LogitTanh(), seed=0)
    before = generated.target[1].weight.detach().clone()
    list(fit(generated, loader(), rounds=2))
    assert not torch.equal(generated.target[1].weight, before)
    phases_alone = QuantumTrain(nn.Linear(4, 2), mapping=LogitTanh(), seed=0)
    (row,) = fit(phases_alone, loader(), rounds=1)
    assert math.isnan(row["training_loss"])
    assert math.isfinite(row["phase_loss"])


def test_cobyla_trains_too():
    rows = list(fit(small(), [vectors()], rounds=1, schedule={"protocol": "cobyla", "evaluations": 150}))
    assert math.isfinite(rows[0]["phase_loss"])


def test_the_mode_of_the_module_is_as_before():
    generated = small().eval()
    rows = fit(generated, loader(), rounds=3)
    next(rows)
    rows.close()
    assert not generated.training


@pytest.mark.parametrize(
    ("batches", "settings", "message"),
    [
        (iter([vectors()]), {}, "empty after one epoch"),
        ([], {}, "there is nothing to train on"),
        ([vectors()], {"rounds": 0}, "rounds 0: expected a whole number"),
        ([vectors()], {"schedule": "newton"}, "schedule 'newton': expected one of gradient, cobyla, spsa"),
        ([vectors()], {"schedule": {"maping_lr": 1}}, r"maping_lr: Extra inputs are not permitted; settings are mapping_epochs"),
        ([vectors()], {"schedule": {"mapping_lr": -1}}, "mapping_lr: Input should be greater than 0"),
        ([vectors()], {"schedule": {"batch_size": 5}}, "batch_size is decided by the batches"),
        ([vectors()], {"schedule": {"measure_every": 5}}, "measure_every is decided by the callbacks"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_trains(batches: object, settings: dict, message: str):
    with pytest.raises(FitError, match=message):
        fit(small(), batches, **settings)


@pytest.mark.parametrize(
    ("batch", "settings", "message"),
    [
        (vectors()[0], {}, r"a batch is a Tensor of 60, not \(inputs, targets\)"),
        ((vectors()[0], vectors()[1][:50]), {}, "50 targets, but the module gives 60 outputs"),
        (vectors(), {"loss": lambda *_: torch.zeros(3)}, "expected one number"),
    ],
)
def test_batches_that_do_not_fit_are_told(batch: object, settings: dict, message: str):
    with pytest.raises(FitError, match=message):
        list(fit(small(), [batch], **settings))


def normalised(**settings: object) -> QuantumTrain:
    return QuantumTrain(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 2)), "auto", MPS(2), **settings)


class Own:
    """A loader of one's own, of which nothing is known before it is gone through."""

    def __init__(self, batches: object) -> None:
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


X, LABELS = vectors(33)
CASES = TensorDataset(X, LABELS)
IN_LISTS = list(zip(X.split(16), LABELS.split(16), strict=True))


@pytest.mark.parametrize(
    "batches",
    [
        DataLoader(CASES, batch_size=16, shuffle=True),
        DataLoader(CASES, batch_sampler=BatchSampler(SequentialSampler(CASES), 16, drop_last=False)),
        DataLoader(CASES, batch_sampler=[[0, 1, 2], [3]]),
        IN_LISTS,
        [IN_LISTS[2], *IN_LISTS[:2]],
        [({"input": x}, y) for x, y in IN_LISTS],
    ],
)
@pytest.mark.parametrize("settings", [{}, {"schedule": {"mapping_epochs": 0}}, {"schedule": "cobyla"}])
def test_a_batch_of_one_that_norms_cannot_take_is_told_before_the_first_step(batches: object, settings: dict):
    generated = normalised(seed=0)
    state = {name: value.clone() for name, value in generated.state_dict().items()}
    with pytest.raises(FitError, match=r"one case alone, on which this module cannot be trained .*drop_last=True"):
        next(fit(generated, batches, **settings))
    assert all(torch.equal(value, state[name]) for name, value in generated.state_dict().items())


def test_a_batch_of_one_is_told_for_objectives_too():
    objective = lambda call, batch: F.cross_entropy(call(batch["x"]), batch["y"])  # noqa: E731
    with pytest.raises(FitError, match="one case alone"):
        next(fit(normalised(), [{"x": x, "y": y} for x, y in IN_LISTS], objective=objective))


@pytest.mark.parametrize("batches", [DataLoader(CASES, batch_size=16, drop_last=True), DataLoader(CASES, batch_size=11), IN_LISTS[:2]])
def test_batches_that_norms_can_take_are_trained_on(batches: object):
    assert len(list(fit(normalised(), batches, rounds=1))) == 1


def test_a_batch_of_one_is_trained_on_where_the_module_can():
    assert len(list(fit(small(), DataLoader(CASES, batch_size=16), rounds=1))) == 1


def test_a_loader_of_unknown_sizes_is_warned_of_a_batch_of_one_and_trained_to_the_same_bits():
    batches = IN_LISTS[:2]
    with pytest.warns(LearningWarning, match="one case alone, the training ends there"):
        torch.manual_seed(1)
        warned = list(fit(normalised(seed=0), Own(batches), rounds=2, seed=0))
    torch.manual_seed(1)
    assert timeless(warned) == timeless(list(fit(normalised(seed=0), batches, rounds=2, seed=0)))


def test_only_generators_are_fitted():
    with pytest.raises(FitError, match="wrap the module first"):
        fit(nn.Linear(2, 2), [vectors()])


def test_divergence_stops_and_names_the_setting():
    with pytest.raises(DivergenceError, match=r"use a smaller schedule\.mapping_lr"):
        list(fit(small(), [vectors()], loss=lambda outputs, _: (1e38 * outputs).square().sum(), rounds=3))
