"""The chapter on adapters: its network, its arms and their sizes, and its kinds of run."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard as hadamard_matrix
from torch import nn

from chapters.adapters import method, pretraining
from chapters.adapters.arms import build, trained_count
from chapters.adapters.data import manual
from chapters.adapters.decoder import Decoder, masked_loss, nats_a_token, trimmed
from chapters.adapters.generators import Affine, LowRankVector, Subspace, affine_size, hadamard
from chapters.adapters.settings import GENERATED, AdapterRun, AdapterSection, AdaptSchedule, LanguageRun, LanguageSection
from chapters.adapters.tuning import tune
from lightweights.baselines.gate_qt import basis_probabilities
from lightweights.datasets import DataError
from lightweights.datasets.digits import load_digits
from lightweights.methods.models import plain, taken_up
from lightweights.quantum_train import QuantumTrain
from lightweights.settings.base import SettingsError
from lightweights.settings.runs import Run
from lightweights.settings.study import parse_study
from lightweights.study.contract import check_run
from lightweights.study.execute import begin, execute, finish
from lightweights.training.randomness import stream

DIRECT = ("lora", "vera", "subspace", "low-rank", "affine", "affine-angles")
SMALL = {"layers": 2, "width": 16, "heads": 2}
PLACES = [f"blocks.{layer}.{part}.weight" for layer in (1, 0) for part in ("value", "query")]


@pytest.fixture(scope="module")
def text():
    return manual(length=16, pairs=0, measured=40)


def decoder(seed: int = 0, length: int = 16) -> Decoder:
    return Decoder(257, length, 2, 16, 2, torch.Generator().manual_seed(seed))


def language(**schedule) -> LanguageRun:
    return LanguageRun(
        method="language",
        numerics_version=1,
        dataset={"name": "chapters.adapters.data:manual"},
        language=SMALL,
        schedule={"rounds": 2, "steps": 3, "batch_size": 8} | schedule,
    )


def adapter(arm: str = "photonic", budget: int = 300, **schedule) -> AdapterRun:
    return AdapterRun(
        method="adapter",
        numerics_version=1,
        dataset={"name": "chapters.adapters.data:manual"},
        language=SMALL,
        language_schedule=language().schedule,
        language_version=1,
        adapter={"arm": arm, "budget": budget, "rank": 2, "shots": 24, "validation": 16},
        schedule={"epochs": 2, "batch_size": 12, "learning_rates": [1e-2, 5e-2]} | schedule,
    )


def test_no_token_sees_itself_or_those_behind_it():
    network, tokens = decoder(), torch.randint(1, 257, (1, 12), generator=torch.Generator().manual_seed(1))
    changed = tokens.clone()
    changed[0, 7] = 1 + tokens[0, 7] % 256
    before, after = network(tokens)[0], network(changed)[0]
    torch.testing.assert_close(before[:8], after[:8])
    assert not torch.allclose(before[8:], after[8:])


def test_padding_costs_nothing_and_earns_nothing():
    """The published loss counts it: that is what this one must not do."""
    network, tokens = decoder(), torch.randint(1, 257, (3, 16), generator=torch.Generator().manual_seed(1))
    mask = torch.arange(16) < torch.tensor([[16], [9], [4]])
    tokens[~mask] = 0
    logits = network(tokens).log_softmax(-1)
    each = [-logits[row, place, tokens[row, place]] for row in range(3) for place in range(16) if mask[row, place]]
    expected = float(torch.stack(each).mean().detach())
    assert float(masked_loss(network(tokens), tokens, mask).detach()) == pytest.approx(expected, rel=1e-5)
    assert nats_a_token(network, tokens, mask, batch=2) == pytest.approx(expected, rel=1e-5)
    assert trimmed(tokens[1:], mask[1:])[0].shape == (2, 9)


def test_a_network_that_knows_nothing_has_the_entropy_of_the_vocabulary(text):
    assert nats_a_token(decoder(), text.tests["living"].tokens, text.tests["living"].mask) == pytest.approx(math.log(257), rel=0.02)


def test_the_transform_is_that_of_hadamards_matrix():
    x = torch.randn(3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = x.numpy() @ hadamard_matrix(16) / 4
    np.testing.assert_allclose(hadamard(x).numpy(), expected, atol=1e-12)


def test_a_subspace_is_linear_of_full_rank_and_keeps_sizes():
    """Columns of a random projection with entries of variance 1 / d: as many directions as numbers, each entry as large as z."""
    mapping = Subspace(12).build(100, torch.Generator().manual_seed(0))
    matrix = torch.autograd.functional.jacobian(lambda z: torch.func.functional_call(mapping, {"z": z}, (torch.ones(100),)), mapping.z.data)
    assert matrix.shape == (100, 12) and torch.linalg.matrix_rank(matrix) == 12
    many = Subspace(500).build(4096, torch.Generator().manual_seed(0)).vector()
    assert float(many.detach().std()) == pytest.approx(1, abs=0.1)


def test_a_low_rank_vector_has_its_rank():
    vector = LowRankVector(3).build(128, torch.Generator().manual_seed(0)).vector().detach()
    assert torch.linalg.matrix_rank(vector.view(16, 8)) == 3


def test_the_published_generator_is_affine_in_bits_and_one_probability():
    mapping = Affine(16, angles=True).build(100, torch.Generator().manual_seed(0))
    assert sum(p.numel() for p in mapping.parameters()) == affine_size(16, 100, True) == 16 * 5 + 24
    p = basis_probabilities(mapping.angles)[:7]
    x = (0.6 * torch.tanh(0.1 * 4 * p)) ** 0.15
    for chunk in range(7):
        inputs = torch.tensor([1.0 if chunk & bit else -1.0 for bit in (4, 2, 1)])
        own = torch.cat([inputs, (x - x.mean())[chunk, None]]) @ mapping.slope + mapping.offset
        torch.testing.assert_close(mapping.vector()[16 * chunk : 16 * (chunk + 1)], own[: min(16, 100 - 16 * chunk)])
    assert affine_size(16, 100, False) == 16 * 4


@pytest.mark.whole
@pytest.mark.parametrize("arm", GENERATED + DIRECT)
@pytest.mark.parametrize("budget", [300, 600])
def test_arms_start_as_the_frozen_network_and_keep_their_budget(arm, budget):
    base, tokens = decoder(), torch.randint(1, 257, (2, 10), generator=torch.Generator().manual_seed(1))
    module = build(AdapterSection(arm=arm, budget=budget, rank=4), base, PLACES, (), stream(0, "adapters"))
    torch.testing.assert_close(module(tokens), base(tokens), atol=1e-5, rtol=1e-4)
    count = trained_count(module)
    assert 0.4 * budget < count <= budget
    if not isinstance(module, QuantumTrain):
        assert count == sum(p.numel() for p in module.parameters() if p.requires_grad)
    frozen = {name: p.clone() for name, p in module.named_parameters() if not p.requires_grad}
    tune(module, Copies(tokens), AdaptSchedule(epochs=25, batch_size=2), 1e-2, stream(0, "batches"))
    assert not torch.equal(module(tokens), base(tokens))
    assert all(torch.equal(value, module.get_parameter(name)) for name, value in frozen.items())


@pytest.mark.whole
def test_larger_budgets_are_larger_arms():
    for arm in GENERATED + DIRECT:
        sizes = [
            trained_count(build(AdapterSection(arm=arm, budget=b, rank=4), decoder(), PLACES, (), stream(0, "a"))) for b in (300, 400, 500)
        ]
        assert sizes == sorted(sizes) and sizes[0] < sizes[-1], arm


@pytest.mark.parametrize("arm", GENERATED + DIRECT)
def test_a_budget_that_is_too_small_is_refused_before_any_job(arm):
    with pytest.raises(SettingsError, match=rf"here: adapter.budget = 1 is too small for arm {arm}"):
        method.check(adapter(arm, 1), "here")
    method.check(adapter(arm, 300), "here")


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="the frozen network has budget 0"):
        AdapterSection(arm="frozen", budget=5)
    with pytest.raises(ValueError, match="width = 10 is no multiple of heads = 4"):
        LanguageSection(width=10)
    with pytest.raises(DataError, match="expected a text with the test sets other, pool and living"):
        pretraining.begin(language(), load_digits(0.25, 0), 0, torch.device("cpu"))


class Copies:
    """Learn a few rows by heart."""

    def __init__(self, tokens: torch.Tensor) -> None:
        self.tokens, self.count = tokens, len(tokens)

    def loss(self, module: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        tokens = self.tokens[rows]
        return masked_loss(module(tokens), tokens, torch.ones_like(tokens, dtype=torch.bool))

    def validated(self, module: nn.Module) -> dict[str, float]:
        return {"validation_nats": nats_a_token(module, self.tokens, torch.ones_like(self.tokens, dtype=torch.bool))}

    tested = validated


def test_the_epoch_that_validates_best_is_what_is_left():
    tokens = torch.randint(1, 257, (4, 10), generator=torch.Generator().manual_seed(1))
    module, task = build(AdapterSection(arm="lora", budget=600), decoder(), PLACES, (), stream(0, "a")), Copies(tokens)
    before = task.validated(module)
    reached = tune(module, task, AdaptSchedule(epochs=4, batch_size=2), 1e-2, stream(0, "batches"))
    assert reached.epoch > 0 and reached.validation == task.validated(module) and reached.validation != before
    values = [p.clone() for p in module.parameters()]
    assert tune(module, Worse(tokens), AdaptSchedule(epochs=3, batch_size=2), 1e-2, stream(0, "batches")).epoch == 0
    assert all(map(torch.equal, values, module.parameters()))


@pytest.mark.parametrize("arm", ["photonic", "lora"])
def test_a_learning_rate_whose_gradients_are_no_numbers_leaves_the_start(arm):
    """Photons refuse phases that are no numbers: the next forward pass would fail."""
    tokens = torch.randint(1, 257, (4, 10), generator=torch.Generator().manual_seed(1))
    module, task = build(AdapterSection(arm=arm, budget=600), decoder(), PLACES, (), stream(0, "a")), Overflowing(tokens)
    before = task.validated(module)
    reached = tune(module, task, AdaptSchedule(epochs=4, batch_size=2), 1e-2, stream(0, "batches"))
    assert reached.epoch == 0 and reached.validation == before == task.validated(module) and math.isfinite(reached.training)


class Overflowing(Copies):
    """A finite loss whose gradient is none, as where a product of matrices leaves single precision on the way back."""

    def loss(self, module: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        return super().loss(module, rows).detach() + sum((0 * p).sqrt().sum() for p in module.parameters() if p.requires_grad)


class Worse(Copies):
    """What is held out grows worse with every epoch."""

    calls = 0

    def validated(self, module: nn.Module) -> dict[str, float]:
        self.calls += 1
        return {"validation_nats": float(self.calls)}


def test_pretraining_learns_and_keeps_the_contract(text):
    run = Run(study="adapters", experiment="language", variant="base", seed=3, settings=language())
    assert "killed after the first and taken up again it ends with the same bits" in list(check_run(run, text))
    _, rows, _ = begin(language(rounds=2, steps=40), text, 0, torch.device("cpu"))
    first, last = list(rows)
    assert last["living_nats"] < first["living_nats"] < math.log(257)


def test_the_learning_rate_rises_and_falls_to_nothing():
    schedule = language(rounds=10, steps=10, rise=0.2, lr=1.0).schedule
    rates = [pretraining.learning_rate(step, schedule) for step in range(100)]
    assert rates.index(max(rates)) in (19, 20) and max(rates) == pytest.approx(1) and rates[0] == pytest.approx(1 / 20)
    assert rates[99] < 1e-3 and rates[20:] == sorted(rates[20:], reverse=True)


@pytest.mark.parametrize("arm", ["photonic", "product-free", "lora", "vera", "subspace", "affine-angles"])
def test_adapting_keeps_the_contract(arm, text):
    run = Run(study="adapters", experiment="tuned", variant="base", seed=3, settings=adapter(arm))
    lines = list(check_run(run, text, decoder().requires_grad_(False)))
    assert "killed after the first and taken up again it ends with the same bits" in lines


def test_a_frozen_network_has_one_row_and_trains_nothing(text):
    settings = adapter("frozen", 0, learning_rates=[1e-2])
    training, rows, _ = begin(settings, text, 0, torch.device("cpu"), teacher=decoder().requires_grad_(False))
    (row,) = rows
    assert row["test_nats"] == nats_a_token(decoder(), text.tests["living"].tokens, text.tests["living"].mask)
    assert finish(training, settings, text, 0).parameters["trained_used"] == 0


@pytest.mark.whole
@pytest.mark.parametrize("arm", ["photonic", "lora", "vera", "low-rank"])
def test_what_is_stored_gives_the_tuned_network_again(arm, text, tmp_path, monkeypatch):
    """Through the engine: a pretrained network lands, adapters find it, and their few numbers reach the measured nats again."""
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"
    own = {"threads": 1, "device": "cpu", "checkpoint_seconds": 1e9}
    pretrained = Run(study="s", experiment="language", variant="base", seed=0, settings=language())
    execute(pretrained, text, results, **own)
    weights = results / "s/weights/language/base/seed-0.safetensors"
    run = Run(study="s", experiment="tuned", variant="base", seed=4, settings=adapter(arm))
    result = execute(run, text, results, teacher=weights, **own)
    assert sum(value.numel() for value in result.model.values()) < 400  # and not the frozen network
    module = taken_up(run.settings, text, 4, result.model)
    found = method.measured(plain(run.settings, module), run.settings, text, torch.device("cpu"))
    assert found["test_nats"] == pytest.approx(result.final["test_nats"], rel=1e-6)
    assert method.unrepeatable(run.settings) == ""

    again = execute(run, text, results, **own)  # without being told where the network lies, as runs that share a process are
    assert again.final == result.final
    weights.write_bytes(weights.read_bytes()[:-4] + b"1234")
    with pytest.raises(method.FrozenError, match="is not here"):
        execute(run, text, results, **own)
    assert "not here" in method.unrepeatable(run.settings)
    with pytest.raises(method.FrozenError, match="not as its run has written it"):
        execute(run, text, results, teacher=weights, **own)


def test_one_network_is_frozen_for_all_seeds():
    shared = {"dataset.name": "chapters.adapters.data:manual", "language.width": 16}
    tree = {
        "schedules": {"pretrain": {"rounds": 2}},
        "experiments": {
            "pre": {"method": "language", "seeds": [0], "override": shared},
            "tuned": {"method": "adapter", "teacher": "pre", "seeds": [0, 7], "override": {"dataset.name": shared["dataset.name"]}},
        },
    }
    study = parse_study(tree)
    runs = study.runs()
    assert {name: teacher.key for name, teacher in study.teachers(runs).items()} == {
        run.key: runs[0].key for run in runs if run.experiment == "tuned"
    }
    assert runs[-1].settings.language.width == 16 and runs[-1].settings.source == runs[0].settings
    tree["experiments"]["pre"]["seeds"] = [7]
    with pytest.raises(SettingsError, match="pre trains no teacher with seed 0"):
        parse_study(tree)
