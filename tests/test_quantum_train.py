"""Generated weights for any torch module."""

import copy
import math
import pickle

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lightweights import MPS, QuantumTrain
from lightweights.networks import TargetCNN
from lightweights.quantum_train import smallest_circuits


class Classifier(nn.Module):
    """A small transformer encoder on sequences of 6 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 12, batch_first=True), 2, enable_nested_tensor=False)
        self.head = nn.Linear(6, 3)

    def forward(self, sequences: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(sequences).mean(1))


class Recurrent(nn.Module):
    """The last output of an LSTM on sequences of 6 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, sequences: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(sequences)[0][:, -1])


class TiedAndBuffered(nn.Module):
    """A decoder that shares the encoder's weight, a BatchNorm with its buffers, and a parameter that stays as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.5), requires_grad=False)
        self.encode = nn.Linear(6, 6)
        self.norm = nn.BatchNorm1d(6)
        self.decode = nn.Linear(6, 6)
        self.decode.weight = self.encode.weight
        self.register_buffer("shift", torch.full((6,), 0.25))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.scale * self.decode(self.norm(self.encode(vectors))) + self.shift


MODULES = {
    "cnn": (lambda: TargetCNN((1, 16, 16), 3), (5, 1, 16, 16)),
    "transformer": (Classifier, (5, 4, 6)),
    "lstm": (Recurrent, (5, 4, 6)),
    "tied and buffered": (TiedAndBuffered, (5, 6)),
    "double precision": (lambda: nn.Linear(6, 3).double(), (5, 6)),
}


@pytest.fixture(params=MODULES)
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, torch.Tensor]:
    """A module and inputs for it."""
    make, shape = MODULES[request.param]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = make()
        return module, torch.randn(shape, dtype=next(module.parameters()).dtype)


def generated_by(
    module: nn.Module, circuits: object = "auto", bond_dim: int = 3, init_std: float = 0.1, **settings: object
) -> QuantumTrain:
    """A start that is not degenerate: at init_std = 1e-9 all weights are zero."""
    return QuantumTrain(module, circuits, MPS(bond_dim, init_std), generator=torch.Generator().manual_seed(7), **settings)


# Any module


def test_baked_module_computes_the_same(case: tuple[nn.Module, torch.Tensor]) -> None:
    module, inputs = case
    generated = generated_by(module).eval()
    with torch.no_grad():  # torch rounds a product in another order where gradients are recorded
        outputs = generated(inputs)
        assert torch.equal(outputs, generated.bake()(inputs))
    torch.testing.assert_close(generated(inputs), outputs, atol=1e-4, rtol=1e-4)
    assert float(outputs.std()) > 0
    assert not torch.allclose(outputs, module.eval()(inputs))


def test_gradients_reach_phases_and_mapping_only(case: tuple[nn.Module, torch.Tensor]) -> None:
    module, inputs = case
    generated = generated_by(module)
    generated(inputs).square().sum().backward()
    trained = {name for name, p in generated.named_parameters() if p.requires_grad}
    assert trained == {"phases.0", "phases.1", "mapping.cores", "mapping.bias_left", "mapping.bias_right", "mapping.output"}
    for name in trained:
        gradient = generated.get_parameter(name).grad
        assert gradient.isfinite().all()
        assert gradient.abs().max() > 0
    assert all(p.grad is None for p in generated.target.parameters())


def test_module_given_is_left_alone(case: tuple[nn.Module, torch.Tensor]) -> None:
    module, inputs = case
    before = {name: value.clone() for name, value in module.state_dict().items()}
    generated = generated_by(module)
    optimiser = torch.optim.Adam([p for p in generated.parameters() if p.requires_grad], lr=0.1)
    generated(inputs).square().sum().backward()
    optimiser.step()
    with torch.no_grad():
        next(generated.bake().parameters()).fill_(9)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())


def test_weights_are_cut_in_the_order_of_the_state_dict(case: tuple[nn.Module, torch.Tensor]) -> None:
    module, _ = case
    generated = generated_by(module, only="*")
    with torch.no_grad():
        weights = generated.weights()
    names = {name for name, p in module.named_parameters() if p.requires_grad}
    assert generated.weight_count == len(weights) == sum(module.get_parameter(name).numel() for name in names)
    state = generated.bake().state_dict()
    tensors = [state[name].flatten().float() for name in module.state_dict() if name in names]
    assert torch.equal(torch.cat(tensors), weights)


def test_copies_and_stored_states_compute_the_same(case: tuple[nn.Module, torch.Tensor]) -> None:
    module, inputs = case
    generated = generated_by(module).eval()
    outputs = generated(inputs)
    assert torch.equal(copy.deepcopy(generated)(inputs), outputs)
    other = QuantumTrain(module, "auto", MPS(3, 0.2), generator=torch.Generator().manual_seed(99)).eval()
    assert not torch.equal(other(inputs), outputs)
    other.load_state_dict(generated.state_dict())
    assert torch.equal(other(inputs), outputs)
    double = copy.deepcopy(generated).to(torch.float64)
    assert double.weights().dtype == torch.float64
    torch.testing.assert_close(double(inputs.double()), outputs.double(), atol=1e-4, rtol=1e-3)


def test_baked_module_trains_further(case: tuple[nn.Module, torch.Tensor]) -> None:
    module, inputs = case
    baked = generated_by(module).bake().eval()
    optimiser = torch.optim.Adam([p for p in baked.parameters() if p.requires_grad], lr=1e-3)
    losses = []
    for _ in range(20):
        loss = (baked(inputs) - 1).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


# What stays as it is


def test_parameters_that_need_no_gradient_buffers_and_ties_stay() -> None:
    module = TiedAndBuffered()
    generated = generated_by(module, only="*")
    assert generated.weight_count == 36 + 6 + 12 + 6  # the shared weight counts once
    baked = generated.bake()
    assert float(baked.scale) == 1.5
    assert not baked.scale.requires_grad
    assert torch.equal(baked.shift, module.shift)
    assert baked.decode.weight is baked.encode.weight
    assert all(p.requires_grad for name, p in baked.named_parameters() if name != "scale")


def test_running_statistics_move_in_training_and_are_baked(generator: torch.Generator) -> None:
    generated = generated_by(TiedAndBuffered())
    inputs = torch.randn(50, 6, generator=generator)
    generated.train()
    generated(inputs)
    baked = generated.bake().eval()
    assert int(baked.norm.num_batches_tracked) == 1
    assert torch.equal(baked.norm.running_mean, generated.target.norm.running_mean)
    assert baked.norm.running_mean.abs().max() > 0
    with torch.no_grad():
        assert torch.equal(generated.eval()(inputs), baked(inputs))


def test_baked_module_is_plain_torch() -> None:
    generated = generated_by(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)))
    baked = generated.bake()
    assert not any(type(part).__module__.startswith("lightweights") for part in baked.modules())
    stored = pickle.dumps(baked)
    assert b"lightweights" not in stored
    inputs = torch.ones(2, 4)
    assert torch.equal(pickle.loads(stored)(inputs), baked(inputs))  # noqa: S301
    torch.testing.assert_close(torch.cat([p.flatten() for p in baked.parameters()]), generated.weights(), atol=1e-5, rtol=0)


# Circuits


@pytest.mark.parametrize("circuits", [[(7, 3)], [(5, 2), (4, 2)], [(4, 2), (3, 1), (3, 2)]])
@pytest.mark.parametrize("normalisation", ["mean", "sum", "none"])
def test_weights_are_those_of_an_independent_computation(circuits: list[tuple[int, int]], normalisation: str) -> None:
    """Perceval's probabilities, divided by their mean, multiplied out, contracted site by site, centred."""
    pytest.importorskip("perceval")
    generated = generated_by(nn.Linear(6, 4), circuits, normalisation=normalisation).double()
    factors = []
    for circuit, phases in zip(generated.circuits, generated.phases, strict=True):
        values = reference.perceval_probabilities("notebook", circuit.modes, phases.tolist(), circuit.inputs, circuit.outcomes())
        probabilities = torch.tensor(values, dtype=torch.float64)
        factors.append(probabilities / {"mean": probabilities.mean(), "sum": probabilities.sum(), "none": 1}[normalisation])
    outer = reference.outer_product(factors, 28)
    torch.testing.assert_close(generated.probabilities(), outer, atol=1e-12, rtol=1e-12)
    mapping = generated.mapping
    weights = reference.site_by_site(mapping.cores, mapping.bias_left, mapping.bias_right, mapping.output, outer)
    torch.testing.assert_close(generated.weights(), weights, atol=1e-11, rtol=1e-9)
    baked = generated.bake()
    torch.testing.assert_close(baked.weight.flatten(), weights[:24], atol=1e-11, rtol=1e-9)
    torch.testing.assert_close(baked.bias, weights[24:], atol=1e-11, rtol=1e-9)


@pytest.mark.parametrize("circuits", [[(7, 3)], [(5, 2), (4, 2)], [(4, 2), (3, 1), (3, 2)]])
def test_any_number_of_circuits_trains(circuits: list[tuple[int, int]], generator: torch.Generator) -> None:
    generated = generated_by(nn.Linear(6, 4), circuits)
    assert len(generated.phases) == len(circuits)
    generated(torch.randn(9, 6, generator=generator)).square().sum().backward()
    assert all(phases.grad.abs().max() > 0 for phases in generated.phases)


def test_one_step_against_finite_differences() -> None:
    generated = generated_by(nn.Linear(3, 2), [(4, 2), (3, 1)], bond_dim=2).double()
    trained = [p for p in generated.parameters() if p.requires_grad]
    names = [name for name, p in generated.named_parameters() if p.requires_grad]

    def weights(*values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(_Weights(generated), {f"generated.{n}": v for n, v in zip(names, values, strict=True)}, ())

    assert torch.autograd.gradcheck(weights, trained)


class _Weights(nn.Module):
    def __init__(self, generated: QuantumTrain) -> None:
        super().__init__()
        self.generated = generated

    def forward(self) -> torch.Tensor:
        return self.generated.weights()


def test_mesh_input_state_and_bunching_are_the_circuits() -> None:
    generated = generated_by(nn.Linear(6, 4), [(4, 3), (3, 2)], mesh="mzi", input_state=[[0, 2, 0, 1], [1, 0, 1]], bunching=True)
    first, second = generated.circuits
    assert (first.mesh.kind, first.inputs, first.outcome_count) == ("mzi", [1, 1, 3], 20)
    assert (second.inputs, second.outcome_count) == ([0, 2], 6)


@given(st.integers(1, 10**7))
def test_auto_picks_the_smallest_circuits_by_the_rule(weights: int) -> None:
    circuits = smallest_circuits(weights)
    (modes, photons), (others, other_photons) = circuits
    assert modes - others in (0, 1)
    assert (photons, other_photons) == (modes // 2, others // 2)
    assert math.comb(modes, photons) * math.comb(others, other_photons) >= weights
    every = [(m, k) for m in range(2, 20) for k in (m, m - 1) if k >= 2 and math.comb(m, m // 2) * math.comb(k, k // 2) >= weights]
    assert modes + others == min(m + k for m, k in every)


def test_auto_gives_the_published_circuits() -> None:
    assert smallest_circuits(6690) == [(9, 4), (8, 4)]
    generated = QuantumTrain(TargetCNN((1, 28, 28), 10), "auto")
    assert [(c.modes, c.photons) for c in generated.circuits] == [(9, 4), (8, 4)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"circuits": [(4, 2), (3, 1)]}, r"18 joint outcomes, fewer than the 28 weights.*\[\(4, 2\), \(4, 2\)\]"),
        ({"circuits": "largest"}, "'largest': expected \"auto\""),
        ({"circuits": [(5, 2), (4, 2)], "input_state": [[1, 0, 1, 0, 0]]}, "1 states for 2 circuits"),
        ({"circuits": [(5, 6), (4, 2)]}, "6 photons in 5 modes"),
        ({"normalisation": "median"}, "'median': expected mean, sum or none"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QuantumTrain(nn.Linear(6, 4), **({"circuits": "auto"} | settings))


def test_a_module_without_weights_to_generate_is_refused() -> None:
    for module in (nn.ReLU(), nn.Linear(2, 2).requires_grad_(False)):
        with pytest.raises(ValueError, match="no weight to generate"):
            QuantumTrain(module)


# Counts


@pytest.mark.parametrize(("bond_dim", "published"), list(enumerate([223, 316, 471, 688, 967, 1308, 1711, 2176, 2703, 3292], start=1)))
def test_parameter_counts_are_the_papers_column(bond_dim: int, published: int) -> None:
    counts = QuantumTrain(TargetCNN((1, 28, 28), 10), mapping=MPS(bond_dim, init_std=1e-9)).parameter_counts()
    mapping = published - 192
    assert counts == {
        "target": 6690,
        "mapping": mapping,
        "phases_published": 192,
        "phases_used": 171,
        "phases_effective": 79,
        "trained_published": published,
        "trained_used": mapping + 171,
        "trained_effective": mapping + 79,
    }


def test_generator_decides_all_initial_values() -> None:
    first, again, other = (
        QuantumTrain(nn.Linear(6, 4), [(5, 2), (4, 2)], MPS(3, 0.1), generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first.weights(), again.weights())
    for name, value in first.mapping.state_dict().items():
        assert torch.equal(value, again.mapping.state_dict()[name])
        assert not torch.equal(value, other.mapping.state_dict()[name])
    assert not torch.equal(first.phases[0], other.phases[0])
