"""The start of generated weights: levels of the layers, signs, residual form, and what is told of starts that do not learn."""

import warnings

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from lightweights import MPS, LogitTanh, QuantumTrain
from lightweights.watch import STEPS, LearningWarning


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def rms(values: torch.Tensor) -> float:
    return float(values.detach().square().mean().sqrt())


@pytest.mark.parametrize("bond_dim", [1, 4, 8])
def test_weights_start_at_the_level_of_each_layers_own(bond_dim: int):
    module = network()
    baked = QuantumTrain(module, mapping=MPS(bond_dim), seed=0).bake()
    for name, own in module.named_parameters():
        spread = 4 * own.numel() ** -0.5  # of a few numbers
        assert rms(baked.get_parameter(name)) == pytest.approx(rms(own), rel=spread)
        assert not torch.equal(baked.get_parameter(name), own)


def test_signs_and_order_are_mixed_and_the_same_for_all_generators():
    first, second = (QuantumTrain(network(), seed=seed) for seed in (0, 1))
    assert torch.equal(first.start.signs, second.start.signs)
    assert torch.equal(first.start.order, second.start.order)
    assert torch.equal(first.start.order.sort().values, torch.arange(first.weight_count))
    assert abs(float(first.start.signs.float().mean())) < 0.1
    assert set(first.start.signs.tolist()) == {-1, 1}
    assert not {"start.signs", "start.order", "start.base"} & set(first.state_dict())
    with torch.no_grad():
        first.start.gate.fill_(1)
    neighbours = first.bake()[0].weight.detach()
    assert abs(float((neighbours[:, 1:] * neighbours[:, :-1]).mean() / neighbours.square().mean())) < 0.1


def test_parameters_that_start_constant_start_around_it():
    module = nn.Sequential(nn.Linear(64, 32), nn.LayerNorm(32))
    nn.init.zeros_(module[0].bias)
    generated = QuantumTrain(module, only="*", seed=0)
    with torch.no_grad():
        generated.start.gate.zero_()
    baked = generated.bake()
    assert not baked[0].bias.any()
    assert torch.equal(baked[1].weight, torch.ones(32))
    with torch.no_grad():
        generated.start.gate.fill_(1)
    assert rms(generated.bake()[0].bias) == pytest.approx(rms(module[0].weight), rel=0.9)  # they move as their neighbours do


def test_gates_at_one_add_what_is_as_large_as_the_weights():
    module = network()
    found = []
    for gate in (0.0, 1.0):
        generated = QuantumTrain(module, seed=0)
        with torch.no_grad():
            generated.start.gate.fill_(gate)
        found.append(generated.bake())
    for name, own in module.named_parameters():
        change = rms(found[1].get_parameter(name) - found[0].get_parameter(name))
        assert change == pytest.approx(rms(own), rel=8 * own.numel() ** -0.5)


def test_a_number_is_the_published_form():
    """Nothing is scaled, and at 1e-9 all weights are 0."""
    generated = QuantumTrain(network(), mapping=MPS(4, init_std=1e-9), seed=0)
    assert generated.start is None
    assert float(generated.weights().detach().abs().max()) < 1e-6
    torch.testing.assert_close(generated.weights(), generated.mapping(generated.probabilities()))


@pytest.mark.parametrize("mapping", [MPS(4), MPS(4, init_std=0.1), LogitTanh()])
def test_a_residual_starts_as_the_module_and_moves_from_there(mapping: object):
    module, x = network(), torch.randn(9, 64)
    generated = QuantumTrain(module, mapping=mapping, residual=True, seed=0)
    assert torch.equal(generated(x), module(x))
    optimiser = torch.optim.Adam([p for p in generated.parameters() if p.requires_grad], lr=1e-2)
    before = [p.detach().clone() for p in optimiser.param_groups[0]["params"]]
    for _ in range(3):
        optimiser.zero_grad()
        generated(x).square().mean().backward()
        optimiser.step()
    assert generated(x).square().mean().item() < module(x).square().mean().item()
    assert all(not torch.equal(a, b) for a, b in zip(before, optimiser.param_groups[0]["params"], strict=True))
    counts = generated.parameter_counts()
    assert counts["trained_published"] == sum(p.numel() for p in optimiser.param_groups[0]["params"])
    torch.testing.assert_close(generated.bake()(x), generated(x))


def test_a_residual_keeps_the_precision_of_what_it_starts_from():
    module = network().double()
    generated = QuantumTrain(module, residual=True, seed=0)
    assert torch.equal(generated.bake()[0].weight, module[0].weight)


def test_weights_in_pieces_are_the_same_with_the_same_gradients():
    module, x = network(), torch.randn(9, 64)
    for settings in ({}, {"arm": "product-free"}, {"arm": "gaussian-fixed"}, {"arm": "paper-random"}, {"residual": True}):
        whole, pieces = (QuantumTrain(module, chunk=chunk, seed=0, **settings) for chunk in (None, 300))
        for generated in (whole, pieces):
            if settings.get("residual"):
                with torch.no_grad():
                    generated.start.gate.fill_(0.5)
            generated(x).square().mean().backward()
        torch.testing.assert_close(pieces.weights(), whole.weights(), atol=1e-6, rtol=1e-4)
        for (name, p), (_, q) in zip(whole.named_parameters(), pieces.named_parameters(), strict=True):
            if p.grad is not None:
                torch.testing.assert_close(q.grad, p.grad, atol=1e-5, rtol=1e-3, msg=lambda told, name=name: f"{name}: {told}")
    with pytest.raises(ValueError, match="LogitTanhMapping gives its weights only all at once"):
        QuantumTrain(module, mapping=LogitTanh(), chunk=300).weights()
    with pytest.raises(ValueError, match="LogitTanhMapping gives its weights only all at once"):
        QuantumTrain(module, mapping=LogitTanh(), chunk=300, residual=True)


# Learning


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    data = load_digits()
    return torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target)


def accuracy_after(module: nn.Module, epochs: int, lr: float) -> float:
    images, labels = digits()
    optimiser = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=lr)
    order = torch.Generator().manual_seed(0)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, epochs * 22)
    for _ in range(epochs):
        for rows in torch.randperm(1347, generator=order).split(64):
            optimiser.zero_grad()
            F.cross_entropy(module(images[rows]), labels[rows]).backward()
            optimiser.step()
            falling.step()
    module.eval()
    with torch.no_grad():
        return 100 * float((module(images[1347:]).argmax(-1) == labels[1347:]).double().mean())


@pytest.mark.whole
def test_a_plain_adam_loop_comes_within_3_points_of_direct_training_in_twice_the_epochs():
    direct = accuracy_after(network(), 10, 3e-3)
    generated = accuracy_after(QuantumTrain(network(), mapping=MPS(8), seed=0), 20, 1e-2)
    assert direct > 85
    assert generated > direct - 3


# What is told


def told(module: nn.Module, x: torch.Tensor, steps: int = 1) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(steps):
            module(x).square().mean().backward()
    return [str(one.message) for one in caught if issubclass(one.category, LearningWarning)]


def test_an_output_that_is_constant_is_told_once():
    x = torch.randn(9, 64)
    words = told(QuantumTrain(network(), mapping=MPS(4, init_std=1e-9), seed=0), x, 3)
    assert len(words) == 1
    assert "the same for all inputs" in words[0]
    assert not told(QuantumTrain(network(), seed=0), x, 2 * STEPS)


def test_a_gradient_that_stays_zero_is_told():
    class Deaf(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.other = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.other(self.layer(x) * 0 + x)

    generated = QuantumTrain(Deaf(), only="layer", seed=0)
    assert ["exactly 0 in 5 steps" in words for words in told(generated, torch.randn(3, 4), 2 * STEPS)] == [True]


def test_a_start_outside_of_a_modules_domain_is_told():
    class Positive(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.spread = nn.Parameter(torch.linspace(0.1, 4, 8) ** 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.spread.log()

    (words,) = told(QuantumTrain(Positive(), seed=0), torch.randn(3, 8))
    assert "not finite" in words
    assert "only=" in words


def test_a_trained_module_is_told_of_the_residual_form():
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    module(torch.randn(9, 4))
    with pytest.warns(LearningWarning, match="residual=True starts from them"):
        QuantumTrain(module, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        QuantumTrain(module, residual=True, seed=0)
