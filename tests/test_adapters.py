"""Low-rank adapters: a module as it was until they are trained, reached everywhere, generated, merged."""

import copy

import pytest
import torch
from torch import nn

from lightweights import LowRankAdapter, QuantumTrain, adapt, fit, load, save
from lightweights.adapters import merged


class Classifier(nn.Module):
    """Two layers of torch's transformer and a head, on sequences (n, 5, 16)."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 24, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 3)

    def forward(self, sequences: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(sequences).mean(1))


@pytest.fixture
def module() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return Classifier()


@pytest.fixture
def x(generator: torch.Generator) -> torch.Tensor:
    return torch.randn(40, 5, 16, generator=generator)


TARGETS = ["encoder.layers.*.self_attn", "encoder.layers.*.linear1"]


def opened(module: nn.Module) -> nn.Module:
    """With all gates away from 0."""
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, LowRankAdapter):
                part.gate.fill_(0.7)
    return module


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_module_starts_as_it_was(mode: str, module: nn.Module, x: torch.Tensor):
    """In evaluation torch's transformer takes its fast path, which reads the weights without calling their layers."""
    adapted = adapt(module, TARGETS, 2, seed=0)
    getattr(module, mode)(), getattr(adapted, mode)()
    with torch.no_grad():
        torch.testing.assert_close(adapted(x), module(x), atol=1e-6, rtol=1e-5)
        assert not torch.allclose(opened(adapted)(x), module(x), atol=1e-3)


def test_the_change_is_gate_alpha_over_rank_b_a():
    layer = nn.Linear(6, 4)
    adapted = adapt(layer, "weight", 2, alpha=8, seed=0)
    opened(adapted)
    part = adapted.parametrizations.weight[0]
    torch.testing.assert_close(adapted.weight, layer.weight + 0.7 * 8 / 2 * part.up @ part.down)
    assert part.up.shape == (4, 2)
    assert part.down.shape == (2, 6)


def test_without_a_gate_it_is_lora():
    adapted = adapt(nn.Linear(6, 4), "weight", 2, gate=False, seed=0)
    part = adapted.parametrizations.weight[0]
    assert not part.up.any()
    assert part.down.any()
    assert part.gate is None


def test_only_adapters_gates_and_what_train_names_are_trained(module: nn.Module):
    adapted = adapt(module, TARGETS, 2, train="head", seed=0)
    trained = {name for name, p in adapted.named_parameters() if p.requires_grad}
    assert {name.rpartition(".")[2] for name in trained} == {"up", "down", "gate", "weight", "bias"}
    # In each of 2 layers in_proj (48, 16), out_proj (16, 16), linear1 (24, 16), at rank 2.
    adapters = 2 * 2 * ((48 + 16) + (16 + 16) + (24 + 16))
    assert sum(adapted.get_parameter(name).numel() for name in trained) == adapters + 6 + 51
    assert all(p.requires_grad for p in module.parameters())  # the one given is left alone


@pytest.mark.whole
def test_photons_generate_the_adapters_alone(module: nn.Module, x: torch.Tensor):
    generated = QuantumTrain(adapt(module, TARGETS, 2, train="head", seed=0), direct="head", seed=1)
    assert generated.weight_count == 2 * 2 * ((48 + 16) + (16 + 16) + (24 + 16))
    assert generated.parameter_counts()["direct"] == 6 + 51
    torch.testing.assert_close(generated(x), module(x), atol=1e-6, rtol=1e-5)
    labels = (x[:, 0, 0] > 0).long()
    before = {name: value.clone() for name, value in generated.target.named_parameters()}
    rows = list(fit(generated, [(x, labels)], rounds=25, schedule={"mapping_lr": 5e-3, "mapping_epochs": 4}))
    assert rows[-1]["training_loss"] < rows[0]["training_loss"] / 2
    for name, value in generated.target.named_parameters():
        if value.numel():
            moves = name.endswith("gate") or name.startswith("head")
            assert torch.equal(value, before[name]) is not moves, name


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_baked_modules_are_plain_and_compute_the_same(mode: str, module: nn.Module, x: torch.Tensor):
    generated = QuantumTrain(opened(adapt(module, TARGETS, 2, seed=0)), seed=1)
    baked = generated.bake()
    getattr(generated, mode)(), getattr(baked, mode)()
    with torch.no_grad():
        torch.testing.assert_close(baked(x), generated(x), atol=1e-5, rtol=1e-4)
    assert set(baked.state_dict()) == set(module.state_dict())
    assert [type(part) for part in baked.modules()] == [type(part) for part in module.modules()]
    with torch.no_grad():  # and the generator goes on
        torch.testing.assert_close(generated(x), getattr(generated.bake(), mode)()(x), atol=1e-5, rtol=1e-4)


def test_merging_leaves_shared_weights_and_other_copies_alone(x: torch.Tensor):
    first, second = nn.Linear(6, 6), nn.Linear(6, 6)
    second.weight = first.weight
    adapted = opened(adapt(nn.Sequential(first, second), "1", 2, seed=0))
    other, before = copy.deepcopy(adapted), adapted(x[:, 0, :6])
    plain = merged(adapted)
    torch.testing.assert_close(plain(x[:, 0, :6]), before)
    torch.testing.assert_close(other(x[:, 0, :6]), before)
    assert torch.equal(plain[0].weight, first.weight)
    assert type(plain[1]) is nn.Linear


def test_convolutions_are_adapted_and_dtypes_kept():
    layer = nn.Conv2d(3, 8, 3).double()
    adapted = opened(adapt(layer, "weight", 2, seed=0))
    images = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    assert adapted(images).dtype == torch.float64
    assert adapted.parametrizations.weight[0].down.shape == (2, 27)
    half = adapt(nn.Linear(4, 4).to(torch.bfloat16), "weight", 2, seed=0)
    assert opened(half)(torch.ones(1, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert half.parametrizations.weight[0].down.dtype == torch.float32


def test_files_hold_adapters_without_the_frozen_module(module: nn.Module, x: torch.Tensor, tmp_path):
    make = lambda: adapt(module, TARGETS, 2, train="head", seed=0)  # noqa: E731
    generated = QuantumTrain(make(), direct="head", seed=1)
    list(fit(generated, [(x, (x[:, 0, 0] > 0).long())], rounds=2))
    save(generated, tmp_path / "adapters.safetensors", kept=False)
    frozen = 4 * sum(p.numel() for p in module.parameters())
    assert (tmp_path / "adapters.safetensors").stat().st_size < frozen
    assert torch.equal(load(tmp_path / "adapters.safetensors", make())(x), generated(x))


@pytest.mark.parametrize(
    ("targets", "settings", "message"),
    [
        ("encoder.layer.*", {}, r"targets='encoder\.layer\.\*' names no weight of the module; there is encoder\.layers"),
        ("head.bias", {}, "names no weight"),
        ("head", {"rank": 4}, "rank 4: a weight of 3 x 16 takes a whole number from 1 to 3"),
        ("head", {"rank": 2.5}, "rank 2.5"),
        ("head", {"rank": 1, "train": "tail"}, "train='tail' names no weight"),
    ],
)
def test_targets_and_ranks_that_there_are_not_are_refused(targets: str, settings: dict, message: str, module: nn.Module):
    with pytest.raises(ValueError, match=message):
        adapt(module, targets, **settings)


def test_recurrent_weights_are_refused():
    with pytest.raises(ValueError, match="weight_ih_l0 is a weight of LSTM, which an adapter does not reach"):
        adapt(nn.LSTM(3, 4), "*", 2)


def test_models_of_the_transformers_library_are_adapted():
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    model = transformers.BertModel(transformers.BertConfig(**sizes, max_position_embeddings=12)).eval()
    words = torch.randint(50, (3, 7))
    adapted = adapt(model, ["*.query", "*.value"], 2, seed=0)
    generated = QuantumTrain(adapted, seed=1).eval()
    assert generated.weight_count == 2 * 2 * 2 * (16 + 16)
    with torch.no_grad():
        expected = model(words).last_hidden_state
        torch.testing.assert_close(generated(input_ids=words).last_hidden_state, expected, atol=1e-5, rtol=1e-4)
        opened(generated)
        found = generated(input_ids=words).last_hidden_state
        assert not torch.allclose(found, expected, atol=1e-3)
        torch.testing.assert_close(generated.bake()(words).last_hidden_state, found, atol=1e-5, rtol=1e-4)
