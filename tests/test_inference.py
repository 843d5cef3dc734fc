"""Generated modules in use: kept weights in evaluation, copies, precision, states, ensembles, export."""

import copy
import pickle

import pytest
import torch
from torch import nn

from lightweights import MPS, QuantumTrain


def small(seed: int = 0, **settings: object) -> QuantumTrain:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        generated = QuantumTrain(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), mapping=MPS(2), seed=seed, **settings)
    with torch.no_grad():
        generated.start.gate.fill_(0.7)  # open, as after some training
    return generated


@pytest.fixture
def x(generator: torch.Generator) -> torch.Tensor:
    return torch.randn(5, 4, generator=generator)


# Kept weights


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry each time that weights are generated."""
    calls: list[int] = []
    weights = QuantumTrain.weights
    monkeypatch.setattr(QuantumTrain, "weights", lambda self: calls.append(1) or weights(self))
    return calls


def test_evaluation_without_gradients_generates_once(x: torch.Tensor, asked: list[int]):
    generated = small().eval()
    with torch.no_grad():
        outputs = [generated(x) for _ in range(3)]
    assert len(asked) == 1
    assert torch.equal(outputs[0], outputs[2])
    generated(x)
    generated.train()
    with torch.no_grad():
        generated(x)
    assert len(asked) == 3  # with gradients, or in training, always


CHANGES = {
    "in place": lambda g: g.mapping.cores.mul_(1.5),
    "behind the version counter": lambda g: g.phases[0].data.add_(0.3),
    "another tensor": lambda g: setattr(g.mapping.output, "data", g.mapping.output.data + 1),
    "another state": lambda g: g.load_state_dict(small(seed=9).state_dict()),
    "a level": lambda g: g.start.levels.mul_(3),
    "a dtype": lambda g: g.double(),
}


@pytest.mark.parametrize("change", CHANGES)
@torch.no_grad()
def test_whatever_changes_the_weights_is_seen(change: str, x: torch.Tensor):
    generated = small().eval()
    before = generated(x)
    CHANGES[change](generated)
    x = x.to(generated.target[0].weight.dtype)
    after = generated(x)
    torch.testing.assert_close(after, generated.bake()(x))
    assert change == "a dtype" or not torch.equal(after, before)


@torch.no_grad()
def test_kept_weights_are_not_stored_or_copied(x: torch.Tensor):
    generated = small().eval()
    size = len(pickle.dumps(generated))
    outputs = generated(x)
    assert len(pickle.dumps(generated)) == size
    assert torch.equal(copy.deepcopy(generated)(x), outputs)


# Copies


class Keeps(nn.Module):
    """Keeps what it computed, in more than one place."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.hidden = self.layer(x)
        self.seen = [{"last": self.hidden.relu()}]
        return self.hidden


def test_activations_that_a_module_keeps_are_in_nobodys_way(x: torch.Tensor):
    module = Keeps()
    module(x)
    generated = QuantumTrain(module, seed=0)
    outputs = generated(x)
    outputs.sum().backward()
    torch.testing.assert_close(generated.bake()(x), outputs)
    torch.testing.assert_close(copy.deepcopy(generated)(x), outputs)
    assert generated.bake().hidden.grad_fn is None


def test_what_a_call_left_and_no_copy_can_hold_stays_the_same_object(x: torch.Tensor):
    class KeepsGraph(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            output = super().forward(x)
            self.graph, self.rows = {"node": output.grad_fn}, (row for row in output)
            return output

    generated = QuantumTrain(KeepsGraph(4, 3), seed=0)
    outputs = generated(x)
    torch.testing.assert_close(generated.bake()(x), outputs)
    torch.testing.assert_close(copy.deepcopy(generated)(x), outputs)


def test_what_cannot_be_copied_is_told():
    module = nn.Linear(2, 2)
    module.rows = (row for row in ())
    with pytest.raises(ValueError, match="Linear cannot be copied"):
        QuantumTrain(module)


def kept_in(place: str) -> nn.Module:
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    weight = module[1].weight
    vars(module)["mine"] = {"itself": weight, "list": [weight], "dict": {"a": (0, {"b": weight})}}[place]
    return module


@pytest.mark.parametrize("place", ["itself", "list", "dict"])
def test_a_weight_kept_where_none_can_be_put_is_refused_at_construction(place: str, x: torch.Tensor):
    with pytest.raises(ValueError, match=r"1\.weight also lies in the attribute 'mine' of Sequential"):
        QuantumTrain(kept_in(place), seed=0)
    assert QuantumTrain(kept_in(place), only="0", seed=0)(x).shape == (len(x), 4)


# Precision


def test_autocast_does_not_reach_the_weights(x: torch.Tensor):
    generated = small()
    weights = generated.weights()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(generated.weights(), weights)
        outputs = generated(x)
        assert outputs.dtype == torch.bfloat16
        assert torch.equal(outputs, generated.bake()(x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_modules_of_other_precision_get_weights_of_theirs_made_in_float32_or_better(dtype: torch.dtype, x: torch.Tensor):
    converted, given = small().to(dtype), QuantumTrain(nn.Linear(4, 3).to(dtype), seed=0)
    for generated in (converted, given):
        assert all(p.dtype.itemsize >= 4 for p in (*generated.phases, *generated.mapping.parameters()))
        assert generated(x.to(dtype)).dtype == generated.bake()(x.to(dtype)).dtype == dtype
    assert converted.phases[0].dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(converted.weights().float(), small().weights(), atol=1e-5, rtol=1e-5)


def test_torchs_default_dtype_changes_nothing():
    expected = small().weights()
    torch.set_default_dtype(torch.float64)
    try:
        generated = small()
    finally:
        torch.set_default_dtype(torch.float32)
    assert {p.dtype for p in generated.mapping.parameters()} == {torch.float32}
    torch.testing.assert_close(generated.mapping.cores, small().mapping.cores)
    assert expected.shape == generated.weights().shape


# States


def test_a_state_holds_what_is_trained_and_not_the_original_weights():
    module = nn.Sequential(nn.Linear(784, 400), nn.BatchNorm1d(400), nn.Linear(400, 10))
    generated = QuantumTrain(module, mapping=MPS(4), seed=0)
    state = generated.state_dict()
    target = {"target.1.weight", "target.1.bias", "target.1.running_mean", "target.1.running_var", "target.1.num_batches_tracked"}
    assert {name for name in state if name.startswith("target")} == target
    trained = sum(p.numel() for p in generated.parameters() if p.requires_grad)
    assert sum(value.numel() for name, value in state.items() if name not in target) == trained + 3 * 4  # levels of each parameter


def test_the_target_cannot_be_called_with_stale_weights(x: torch.Tensor):
    with pytest.raises(RuntimeError):
        small().target(x)
    only_bias = QuantumTrain(nn.Linear(4, 3), only="bias", seed=0)
    with pytest.raises(RuntimeError):
        only_bias.target(x)


def test_states_of_before_load_with_their_numbers(x: torch.Tensor):
    """They held the module's own weights, and a form without scale and signs."""
    module = nn.Linear(4, 3)
    published = QuantumTrain(module, mapping=MPS(2, init_std=0.1), seed=3)
    old = {**published.state_dict(), "target.weight": module.weight.detach(), "target.bias": module.bias.detach()}
    for other in (QuantumTrain(module, mapping=MPS(2, init_std=0.2), seed=4), QuantumTrain(module, mapping=MPS(2), seed=4)):
        other.load_state_dict(old)
        assert torch.equal(other(x), published(x))
        assert set(other.state_dict()) == set(published.state_dict())


# Initial values


def test_initial_values_follow_torchs_seed_or_ones_own():
    def phases(**settings: object) -> torch.Tensor:
        return QuantumTrain(nn.Linear(4, 3), **settings).phases[0].detach()

    torch.manual_seed(1)
    first, second = phases(), phases()
    torch.manual_seed(1)
    assert torch.equal(phases(), first)
    assert not torch.equal(first, second)
    assert torch.equal(phases(seed=4), phases(seed=4))
    assert torch.equal(phases(seed=4), phases(generator=torch.Generator().manual_seed(4)))
    with pytest.raises(ValueError, match="give one of them"):
        phases(seed=4, generator=torch.Generator())


# Ensembles and export


@pytest.mark.parametrize("settings", [{}, {"arm": "product-free"}, {"residual": True}])
def test_an_ensemble_is_one_vmap(settings: dict, x: torch.Tensor):
    members = [small(seed, **settings) for seed in range(3)]
    parameters, buffers = torch.func.stack_module_state(members)
    run = lambda p, b: torch.func.functional_call(members[0], (p, b), (x,))  # noqa: E731
    for mode in (members[0].train, members[0].eval):
        mode()
        with torch.no_grad():
            found = torch.vmap(run)(parameters, buffers)
        for member, outputs in zip(members, found, strict=True):
            torch.testing.assert_close(outputs, member(x))


def test_a_baked_module_is_exported(x: torch.Tensor):
    baked = small().bake().eval()
    exported = torch.export.export(baked, (x,)).module()
    torch.testing.assert_close(exported(x), baked(x))


def test_onnx_computes_the_same(x: torch.Tensor, tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnx.reference")
    baked = small().bake().eval()
    torch.onnx.export(baked, (x,), tmp_path / "baked.onnx", dynamo=True, verbose=False)
    model = runtime.ReferenceEvaluator(str(tmp_path / "baked.onnx"))
    (found,) = model.run(None, {model.input_names[0]: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), baked(x).detach(), atol=1e-5, rtol=1e-5)


# Refusals and words


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"circuits": (9, 4)}, r"for a single circuit write \[\(9, 4\)\]"),
        ({"circuits": [(9, 4, 1)]}, "one pair a circuit"),
        ({"circuits": []}, "one pair a circuit"),
        ({"circuits": [(4.0, 2), (4, 2)]}, "modes are a whole number, got 4.0"),
        ({"mapping": 4}, r"mapping 4: expected a recipe such as MPS\(bond_dim=4\)"),
        ({"mapping": MPS}, r"expected a recipe such as MPS\(bond_dim=4\)"),
        ({"mesh": "diamond"}, "mesh 'diamond': expected one of notebook, clements, mzi"),
        ({"chunk": 0}, "chunk 0: expected a number of weights"),
        ({"staleness": -1}, "staleness -1"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(settings: dict, message: str):
    with pytest.raises(ValueError, match=message):
        QuantumTrain(nn.Linear(4, 3), **settings)
    with pytest.raises(ValueError, match="takes a torch module"):
        QuantumTrain(nn.Linear)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bond_dim": 2.5}, "bond_dim 2.5: expected a whole number"),
        ({"bond_dim": True}, "whole number"),
        ({"bond_dim": 10000}, "at most 4096"),
        ({"init_std": -1}, "init_std -1: expected a number from 0 to 10"),
    ],
)
def test_impossible_mappings_are_refused_before_they_are_built(settings: dict, message: str):
    with pytest.raises(ValueError, match=message):
        MPS(**settings)


def test_probabilities_of_zero_are_no_weights():
    """Two photons in two modes always leave together behind a 50:50 beam splitter."""
    generated = QuantumTrain(nn.Linear(1, 1, bias=False), [(2, 2)], MPS(1, init_std=0.1), seed=0)
    with torch.no_grad():
        generated.phases[0].copy_(torch.tensor([torch.pi / 2, 0.0, 0.0]))
    with pytest.raises(ValueError, match="all 1 outcomes of a circuit have probability 0 at its phases"):
        generated.weights()


def test_an_arm_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch):
    generated = small()
    monkeypatch.setattr(generated.arm, "forward", lambda factors: torch.ones(1))
    with pytest.raises(ValueError, match=r"arm 'photonic' gave numbers of shape \(1,\); expected \(51,\)"):
        generated.weights()


def test_its_repr_tells_modes_photons_mapping_and_counts():
    text = repr(small())
    for words in ("51 weights generated", "5 modes, 2 photons", "bond_dim=2", "notebook mesh", "arm photonic", "numbers, "):
        assert words in text


def test_evaluation_of_an_lstm_keeps_weights_too(generator: torch.Generator):
    generated = QuantumTrain(nn.LSTM(3, 4, batch_first=True), seed=0).eval()
    series = torch.randn(2, 5, 3, generator=generator)
    with torch.no_grad():
        first, again = generated(series)[0], generated(series)[0]
        generated.start.gate.fill_(1)
        assert torch.equal(first, again)
        assert torch.equal(generated(series)[0], generated.bake()(series)[0])
        assert not torch.equal(generated(series)[0], first)
