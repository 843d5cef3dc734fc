"""Which of a module's parameters are generated: by pattern or function, norms and parametrised ones, shared ones."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from lightweights import MPS, QuantumTrain
from lightweights.selection import select


class Net(nn.Module):
    """A body, a norm and a head on vectors (n, 6)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4))
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.body(x)))


def names(module: nn.Module, **asked: object) -> list[str]:
    return [slot.name for slot in select(module, **asked).generated]


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ("head", ["head.weight", "head.bias"]),
        ("head.*", ["head.weight", "head.bias"]),
        ("*.weight", ["body.0.weight", "body.2.weight", "norm.weight", "head.weight"]),
        (["body.0", "head.bias"], ["body.0.weight", "body.0.bias", "head.bias"]),
        (lambda name, p: p.dim() == 2 and "body" in name, ["body.0.weight", "body.2.weight"]),
    ],
)
def test_names_patterns_and_functions_choose_in_the_order_of_the_state(only: object, found: list[str]):
    assert names(Net(), only=only) == found


def test_norms_and_parametrised_weights_are_left_out_unless_named():
    module = Net()
    parametrizations.weight_norm(module.body[0])
    chosen = select(module)
    assert [slot.name for slot in chosen.generated] == ["body.0.bias", "body.2.weight", "body.2.bias", "head.weight", "head.bias"]
    assert set(chosen.passed_over) == {
        "body.0.parametrizations.weight.original0",
        "body.0.parametrizations.weight.original1",
        "norm.weight",
        "norm.bias",
    }
    assert names(module, only="norm") == ["norm.weight", "norm.bias"]
    assert "4 of them norms' or parametrised" in repr(QuantumTrain(module, seed=0))


def test_only_what_is_chosen_is_generated_and_the_rest_stays():
    module = Net()
    generated = QuantumTrain(module, only="head", seed=0)
    baked = generated.bake()
    assert generated.weight_count == 15
    for name, value in module.named_parameters():
        assert torch.equal(baked.get_parameter(name), value) is not name.startswith("head")
    assert all(p.requires_grad for p in baked.parameters())


def test_direct_parameters_are_trained_as_they_are_and_counted():
    module = Net()
    generated = QuantumTrain(module, direct=["head", "norm"], seed=0)
    assert torch.equal(generated.target.head.weight, module.head.weight)
    generated(torch.randn(7, 6)).square().sum().backward()
    assert generated.target.head.weight.grad is not None
    counts = generated.parameter_counts()
    assert counts["direct"] == 15 + 8
    trained = sum(p.numel() for p in generated.parameters() if p.requires_grad)
    assert counts["trained_published"] == trained == counts["mapping"] + counts["direct"] + counts["phases_published"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"only": "haed"}, r"only='haed' names no weight of the module; there is head"),
        ({"only": ["head", "tail.*"]}, r"only='tail\.\*' names no weight"),
        ({"direct": "nrom"}, r"direct='nrom' names no weight"),
        ({"only": "head", "direct": "head.bias"}, r"both choose 'head\.bias'"),
        ({"only": lambda *_: False}, "no weight to generate"),
    ],
)
def test_choices_of_nothing_and_of_both_are_refused(asked: dict, message: str):
    with pytest.raises(ValueError, match=message):
        QuantumTrain(Net(), **asked)


def test_a_frozen_choice_is_refused_in_words():
    module = Net()
    module.head.requires_grad_(False)
    with pytest.raises(ValueError, match="names only parameters that require no gradient"):
        QuantumTrain(module, only="head")
    assert names(module, only=lambda name, p: name == "head.bias") == ["head.bias"]


def test_complex_and_shapeless_weights_are_refused():
    module = nn.Linear(3, 3, dtype=torch.complex64)
    with pytest.raises(ValueError, match=r"weight is torch\.complex64: generated weights are real"):
        QuantumTrain(module)
    with pytest.raises(ValueError, match="weight has no shape yet"):
        QuantumTrain(nn.LazyLinear(3))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_without_finite_values_are_refused(value: float):
    module = nn.Linear(3, 3)
    with torch.no_grad():
        module.weight[0, 0] = value
    with pytest.raises(ValueError, match="weight has a value that is no finite number"):
        QuantumTrain(module)
    with pytest.raises(ValueError, match="weight is on device meta"):
        QuantumTrain(nn.Linear(3, 3, device="meta"))
    with pytest.raises(ValueError, match=r"0 is on device cpu, torch.sparse_coo"):
        QuantumTrain(nn.ParameterList([nn.Parameter(torch.eye(3).to_sparse())]))


def test_a_module_in_two_places_is_generated_once_and_called_twice():
    layer = nn.Linear(4, 4)
    generated = QuantumTrain(nn.Sequential(layer, nn.Tanh(), layer), "auto", MPS(2), seed=0)
    assert generated.weight_count == 20
    x = torch.randn(3, 4)
    first, again = generated(x), generated(x)
    assert torch.equal(first, again)
    torch.testing.assert_close(generated.bake()(x), first)


def test_a_weight_in_two_layers_is_generated_once():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    generated = QuantumTrain(nn.Sequential(first, second), seed=0)
    assert generated.weight_count == 16 + 4 + 4
    x = torch.randn(3, 4)
    baked = generated.bake()
    assert baked[0].weight is baked[1].weight
    torch.testing.assert_close(generated(x), baked(x))
    torch.testing.assert_close(generated(x), generated(x))


def test_arguments_of_the_module_do_not_clash_with_ours():
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, weights: torch.Tensor, args: int = 1, kwargs: int = 1) -> torch.Tensor:
            return self.layer(weights) * args * kwargs

    generated = QuantumTrain(Odd(), seed=0)
    x = torch.randn(2, 3)
    torch.testing.assert_close(generated(weights=x, args=2, kwargs=3), 6 * generated.call(generated.weights(), weights=x))


def test_weight_vectors_of_another_length_are_refused():
    generated = QuantumTrain(nn.Linear(3, 2), seed=0)
    with pytest.raises(ValueError, match=r"weights of shape \(9,\): this module takes \(8,\)"):
        generated.call(torch.zeros(9), torch.zeros(1, 3))
