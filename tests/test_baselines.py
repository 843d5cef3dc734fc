"""Baselines: what they compute against obvious versions, how many numbers they train, and whole runs of each."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lightweights.baselines import Baseline, build_baseline
from lightweights.baselines.gate_qt import GateQuantumTrainWeights, basis_probabilities
from lightweights.baselines.hypernetwork import HypernetworkWeights
from lightweights.baselines.low_rank import Factorised
from lightweights.baselines.pruning import MagnitudePruned, Masked
from lightweights.baselines.tensor_train import TensorTrainWeights
from lightweights.baselines.weight_sharing import SharedRows
from lightweights.datasets import Dataset
from lightweights.mapping import LogitTanh
from lightweights.methods.method import check_settings
from lightweights.networks import MerlinCNN, TargetCNN
from lightweights.photonics import effective_phase_count
from lightweights.settings.base import SettingsError
from lightweights.settings.baselines import GateQuantumTrain, Hypernetwork, LowRank, TensorTrain, WeightSharing
from lightweights.settings.kinds import ClassicalRun
from lightweights.settings.reading import load_study
from lightweights.settings.runs import Run
from lightweights.settings.study import parse_study
from lightweights.study.checkpoint import resume, save_checkpoint
from lightweights.study.execute import begin, execute, finish
from lightweights.training.loss import distillation_loss

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"
CPU = torch.device("cpu")
KINDS = {
    "weight_sharing": {"rows": 5},
    "pruning": {"ratio": 0.5},
    "magnitude_pruning": {"parameters": 1500, "dense_epochs": 2},
    "low_rank": {"rank": 2},
    "tensor_train": {"rank": 3},
    "hypernetwork": {"widths": [7, 6]},
    "gate_qt": {"layers": 3},
    "small_cnn": {"widths": [2, 3, 4]},
}


def run_of(kind: str, epochs: int = 4, lr: float = 1e-3, network: dict | None = None, **settings: object) -> Run:
    tree = {
        "study": {"name": "trial"},
        "dataset": {"name": "digits"},
        "network": network or {},
        "schedules": {"classical": {"epochs": epochs, "batch_size": 50, "lr": lr}},
        "experiments": {"trial": {"method": "baseline", "seeds": [0], "baseline": {"kind": kind, **(settings or KINDS.get(kind, {}))}}},
    }
    return parse_study(tree).runs()[0]


def built(kind: str, **settings: object) -> Baseline:
    """For the paper's images and classes."""
    return build_baseline(run_of(kind, epochs=50, **settings).settings, (1, 28, 28), 10, seed=0)


def trained(run: Run, data: Dataset) -> Baseline:
    training, progress, _ = begin(run.settings, data, run.seed, CPU)
    list(progress)
    assert isinstance(training.module, Baseline)
    return training.module


def small_network() -> nn.Module:
    """53 weights, so 6 bits: 5 x 6 and 5, 3 x 5 and 3."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 3))


def flat(weights: dict[str, Tensor]) -> Tensor:
    return torch.cat([value.flatten() for value in weights.values()])


# How many numbers are trained


@pytest.mark.parametrize(
    ("kind", "setting", "counts"),
    [
        ("weight_sharing", "rows", {1: 3042, 2: 3234, 4: 3618, 5: 3810, 10: 4770}),
        ("pruning", "ratio", {0.9: 675, 0.8: 1300, 0.7: 2120, 0.6: 2745, 0.5: 3370}),
        ("magnitude_pruning", "parameters", {n: n for n in (688, 1308, 3292, 3370)}),
        ("low_rank", "rank", {1: 537, 2: 1024, 3: 1511, 5: 2485, 7: 3418}),
        ("tensor_train", "rank", {6: 640, 9: 1266, 16: 3240}),
        ("hypernetwork", "widths", {(19, 20): 687, (29, 29): 1306, (49, 51): 3288}),
        ("small_cnn", "widths", {(3, 4, 4): 692, (2, 8, 6): 1304, (5, 9, 13): 3289}),
        ("gate_qt", "layers", {86: 1367, **{1 + 15 * k: 262 + 195 * k for k in range(1, 11)}}),
    ],
)
def test_counts_are_those_of_the_papers_network(kind: str, setting: str, counts: dict) -> None:
    for value, expected in counts.items():
        found = built(kind, **{setting: value}).parameter_counts()
        assert (found["target"], found["trained_published"], found["trained_used"]) == (6690, expected, expected)


def test_gate_based_sizes_are_the_published_ones() -> None:
    study = load_study(PARAMS)
    layers = sorted({run.settings.baseline.layers for run in study.runs() if run.experiment == "gate_qt"})
    assert [built("gate_qt", layers=n).parameter_counts()["trained_published"] for n in layers if n != 86] == [*range(457, 2213, 195)]


@pytest.mark.parametrize(
    ("module", "redundant"),
    [
        (Factorised(LowRank(kind="low_rank", rank=2), small_network(), torch.Generator().manual_seed(1)), 4),
        (TensorTrainWeights(TensorTrain(kind="tensor_train", rank=3), small_network(), torch.Generator().manual_seed(1)), 35),
        (HypernetworkWeights(Hypernetwork(kind="hypernetwork", widths=[3, 2]), small_network(), torch.Generator().manual_seed(1)), 1),
        (GateQuantumTrainWeights(GateQuantumTrain(kind="gate_qt", layers=3), small_network(), torch.Generator().manual_seed(1)), None),
        (SharedRows(WeightSharing(kind="weight_sharing", rows=1), small_network(), torch.Generator().manual_seed(1)), 0),
    ],
    ids=["low_rank", "tensor_train", "hypernetwork", "gate_qt", "weight_sharing"],
)
def test_effective_counts_are_the_rank_of_the_weights_jacobian(module, redundant: int | None) -> None:
    module = module.double()
    parameters = module.trained_parameters()
    options = {"retain_graph": True, "allow_unused": True, "materialize_grads": True}
    rows = [torch.autograd.grad(entry, parameters, **options) for entry in flat(module.weights())]
    jacobian = torch.stack([torch.cat([gradient.flatten() for gradient in row]) for row in rows])
    counts = module.parameter_counts()
    assert counts["trained_effective"] == torch.linalg.matrix_rank(jacobian, rtol=1e-9)
    if redundant is not None:
        assert counts["trained_used"] - counts["trained_effective"] == redundant


# Weight sharing


def test_shared_rows_stay_equal_and_all_else_is_trained(tiny: Dataset) -> None:
    run = run_of("weight_sharing", lr=1e-2, rows=4)
    start = build_baseline(run.settings, tiny.input_shape, tiny.classes, run.seed).weights()
    weights = trained(run, tiny).bake().state_dict()
    assert weights["5.weight"].shape == (20, 12)
    for row in range(20):
        assert torch.equal(weights["5.weight"][row], weights["5.weight"][row % 4])
    assert len(weights["5.weight"].unique(dim=0)) == 4
    assert all(not torch.equal(weights[name], value) for name, value in start.items())


def test_shared_rows_and_their_bias_start_as_standard_normal_numbers() -> None:
    weights = built("weight_sharing", rows=20).weights()
    assert abs(float(weights["5.weight"].detach().std()) - 1) < 0.05
    assert 0.6 < float(weights["5.bias"].detach().std()) < 1.5
    assert float(weights["7.weight"].detach().abs().max()) <= 1 / np.sqrt(20)  # torch's own


# Pruning


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.9])
def test_filters_and_input_columns_of_smallest_norm_are_gone(ratio: float, tiny: Dataset) -> None:
    run = run_of("pruning", lr=1e-2, ratio=ratio)
    dense = {name: p.detach().numpy() for name, p in build_baseline(run.settings, (1, 16, 16), 3, 0).target.named_parameters()}
    after = {name: value.numpy() for name, value in trained(run, tiny).bake().state_dict().items()}
    for name, axis in {"0.weight": 0, "2.weight": 0, "5.weight": 1, "7.weight": 1}.items():
        norms = np.sqrt((np.moveaxis(dense[name], axis, 0).reshape(dense[name].shape[axis], -1) ** 2).sum(1))
        gone = np.argsort(norms)[: round(ratio * len(norms))]
        lines = np.moveaxis(after[name], axis, 0)
        assert not lines[gone].any()
        kept = np.delete(lines, gone, 0)
        assert kept.all()
        if name == "7.weight":  # before it, a filter whose columns are all gone has no gradient
            assert (kept != np.delete(np.moveaxis(dense[name], axis, 0), gone, 0)).mean() > 0.9
    assert all(value.all() for name, value in after.items() if name.endswith("bias"))


def test_the_largest_weights_of_the_trained_network_are_kept(tiny: Dataset) -> None:
    run = run_of("magnitude_pruning", epochs=4, lr=1e-2, parameters=600, dense_epochs=2)
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    module = training.module
    assert isinstance(module, MagnitudePruned)
    for _ in range(2):
        next(progress)
    dense = {name: value.clone() for name, value in module.bake().state_dict().items()}
    assert all(value.all() for value in dense.values())
    sizes = np.sort(np.concatenate([v.abs().flatten().numpy() for name, v in dense.items() if name.endswith("weight")]))
    biases = sum(v.numel() for name, v in dense.items() if name.endswith("bias"))
    smallest = sizes[-(600 - biases)]
    for _ in range(2):
        next(progress)
        after = module.bake().state_dict()
        assert sum(int(value.count_nonzero()) for value in after.values()) == 600 == module.trained_count()
        for name, value in dense.items():
            if name.endswith("weight"):
                assert torch.equal(after[name] != 0, value.abs() >= smallest)
    assert not torch.equal(after["5.weight"][after["5.weight"] != 0], dense["5.weight"][after["5.weight"] != 0])


# Low rank, tensor train, hypernetwork


def test_low_rank_weights_are_products_of_factors(generator: torch.Generator) -> None:
    network = small_network()
    module = Factorised(LowRank(kind="low_rank", rank=2), network, generator)
    first, second, *dense = (p.detach().numpy() for p in module.factors)
    weights = {name: value.detach().numpy() for name, value in module.weights().items()}
    np.testing.assert_allclose(weights["0.weight"], [[first[i] @ second[:, j] for j in range(6)] for i in range(5)], rtol=1e-5)
    for found, name in zip(dense, ["0.bias", "1.weight", "1.bias"], strict=True):  # 2 (3 + 5) is not less than 3 x 5
        assert np.array_equal(found, weights[name])
        assert np.array_equal(found, network.get_parameter(name).detach().numpy())


def test_a_convolution_is_a_matrix_of_filters() -> None:
    weight = built("low_rank", rank=3).weights()["2.weight"]
    assert weight.shape == (12, 8, 5, 5)
    assert torch.linalg.matrix_rank(weight.detach().reshape(12, 200).double(), rtol=1e-5) == 3


def test_a_tensor_train_is_the_product_of_a_matrix_a_bit(generator: torch.Generator) -> None:
    module = TensorTrainWeights(TensorTrain(kind="tensor_train", rank=3), small_network(), generator)
    cores = [core.detach().double().numpy() for core in module.cores]
    assert [core.shape for core in cores] == [(1, 2, 2), (2, 2, 3), (3, 2, 3), (3, 2, 3), (3, 2, 2), (2, 2, 1)]
    whole = []
    for index in range(64):
        matrices = [core[:, int(bit)] for core, bit in zip(cores, f"{index:06b}", strict=True)]
        whole.append(np.linalg.multi_dot(matrices).item())
    scale = np.repeat([1 / np.sqrt(3 * 6), 1 / np.sqrt(3 * 5)], [35, 18])
    np.testing.assert_allclose(flat(module.weights()).detach(), scale * whole[:53], rtol=1e-4, atol=1e-6)
    assert np.mean(np.square(whole)) == pytest.approx(1, rel=1e-5)


def test_a_tensor_train_of_full_rank_holds_any_weights(generator: torch.Generator) -> None:
    module = TensorTrainWeights(TensorTrain(kind="tensor_train", rank=8), small_network(), generator).double()
    target = torch.randn(53, dtype=torch.float64, generator=generator)
    optimiser = torch.optim.LBFGS(module.trained_parameters(), max_iter=500, line_search_fn="strong_wolfe", tolerance_change=1e-14)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = (flat(module.weights()) - target).square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert float(closure().detach()) < 1e-6


def test_a_hypernetwork_sees_the_bits_most_significant_first(generator: torch.Generator) -> None:
    module = HypernetworkWeights(Hypernetwork(kind="hypernetwork", widths=[4, 3]), small_network(), generator)
    bits = np.array([[2 * int(bit) - 1 for bit in f"{index:06b}"] for index in range(53)], dtype=float)
    values = bits
    layers = [(layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()) for layer in module.layers]
    for weight, bias in layers[:-1]:
        values = np.sin(values @ weight.T + bias)
    raw = (values @ layers[-1][0].T)[:, 0]
    raw -= raw.mean()
    scale = np.repeat([1 / np.sqrt(3 * 6), 1 / np.sqrt(3 * 5)], [35, 18])
    expected = scale * raw / np.sqrt(np.mean(raw**2))
    np.testing.assert_allclose(flat(module.weights()).detach(), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", ["tensor_train", "hypernetwork", "low_rank"])
def test_generated_weights_start_at_the_usual_scale_of_their_layers(kind: str) -> None:
    generated = built(kind, **{"tensor_train": {"rank": 16}, "hypernetwork": {"widths": [49, 51]}, "low_rank": {"rank": 7}}[kind])
    usual = TargetCNN((1, 28, 28), 10).state_dict()
    for name, value in generated.weights().items():
        if value.numel() > 1000:
            assert 0.5 < float(value.detach().std() / usual[name].std()) < 2


# Gate-based Quantum-Train


def dense_probabilities(angles: np.ndarray) -> np.ndarray:
    """Kronecker products of 2x2 gates, and projectors for a controlled gate: nothing in common with the fast version."""
    layers, qubits = angles.shape
    flip, zero, one = np.array([[0, 1], [1, 0]]), np.diag([1, 0]), np.diag([0, 1])

    def on(gates: dict[int, np.ndarray]) -> np.ndarray:
        whole = np.eye(1)
        for qubit in range(qubits):
            whole = np.kron(whole, gates.get(qubit, np.eye(2)))
        return whole

    state = np.zeros(2**qubits, dtype=complex)
    state[0] = 1
    pauli_y = np.array([[0, -1j], [1j, 0]])
    for layer in range(layers):
        for qubit in range(qubits):
            half = angles[layer, qubit] / 2
            state = on({qubit: np.cos(half) * np.eye(2) - 1j * np.sin(half) * pauli_y}) @ state  # exp(-i theta Y / 2)
        for control in range(qubits - 1):
            state = (on({control: zero}) + on({control: one, control + 1: flip})) @ state
    return np.abs(state) ** 2


@pytest.mark.parametrize(("layers", "qubits"), [(1, 1), (3, 1), (2, 2), (4, 3), (3, 4), (5, 5)])
def test_basis_probabilities_are_those_of_dense_unitaries(layers: int, qubits: int, generator: torch.Generator) -> None:
    angles = 7 * torch.rand(layers, qubits, dtype=torch.float64, generator=generator)
    found = basis_probabilities(angles)
    np.testing.assert_allclose(found, dense_probabilities(angles.numpy()), atol=1e-13)
    assert float(found.sum()) == pytest.approx(1)


def test_a_bell_state() -> None:
    angles = torch.tensor([[torch.pi / 2, 0.0]])
    torch.testing.assert_close(basis_probabilities(angles), torch.tensor([0.5, 0, 0, 0.5]))


def test_gradients_of_probabilities_are_those_of_finite_differences(generator: torch.Generator) -> None:
    angles = (7 * torch.rand(3, 4, dtype=torch.float64, generator=generator)).requires_grad_()
    assert torch.autograd.gradcheck(basis_probabilities, (angles,), atol=1e-7)


def test_all_angles_are_effective(generator: torch.Generator) -> None:
    angles = 7 * torch.rand(5 * 8, generator=generator)
    assert effective_phase_count(lambda x: basis_probabilities(x.view(5, 8)), angles) == 40


def test_gate_based_weights_follow_the_published_formula(generator: torch.Generator) -> None:
    module = GateQuantumTrainWeights(GateQuantumTrain(kind="gate_qt", layers=2), small_network(), generator)
    p = dense_probabilities(module.angles.detach().double().numpy())[:53]
    x = (0.8 * np.tanh(0.1 * 2**5 * p)) ** 0.3
    x -= x.mean()
    inputs = np.array([[*(2 * int(bit) - 1 for bit in f"{index:06b}"), x[index]] for index in range(53)])
    for layer in module.mapping:
        inputs = inputs @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
    assert [layer.out_features for layer in module.mapping] == [4, 20, 4, 1]
    np.testing.assert_allclose(flat(module.weights()).detach(), (inputs - inputs.mean())[:, 0], atol=1e-5)


def test_states_of_no_probability_have_finite_gradients() -> None:
    module = GateQuantumTrainWeights(GateQuantumTrain(kind="gate_qt", layers=1), small_network(), torch.Generator().manual_seed(0))
    with torch.no_grad():
        module.angles.zero_()
    flat(module.weights()).square().sum().backward()
    assert module.angles.grad is not None
    assert torch.isfinite(module.angles.grad).all()


# The distilled network


def test_distillation_loss_is_its_formula(generator: torch.Generator) -> None:
    student, teacher = (torch.randn(5, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    labels = torch.tensor([0, 3, 1, 1, 2])

    def softmax(x: np.ndarray) -> np.ndarray:
        return np.exp(x) / np.exp(x).sum(-1, keepdims=True)

    s, t = student.numpy(), teacher.numpy()
    hard = -np.mean([np.log(softmax(s)[i, label]) for i, label in enumerate(labels)])
    p, q = softmax(t / 3), softmax(s / 3)
    soft = np.mean((p * np.log(p / q)).sum(-1))
    found = distillation_loss(student, teacher, labels, 3.0, 0.2)
    assert float(found) == pytest.approx(0.2 * hard + 0.8 * 9 * soft, rel=1e-10)
    assert float(distillation_loss(student, student, labels, 3.0, 0.0)) == pytest.approx(0, abs=1e-12)


def as_classical(run: Run) -> ClassicalRun:
    """The network of a baseline, trained directly."""
    section = run.settings
    return ClassicalRun(method="classical", numerics_version=1, dataset=section.dataset, network=section.network, schedule=section.schedule)


def test_the_teacher_is_the_classical_network_of_the_same_seed(tiny: Dataset) -> None:
    run = run_of("small_cnn", epochs=3, widths=[2, 3, 4])
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    rows = list(progress)
    classical = as_classical(run)
    target, progress, _ = begin(classical, tiny, 0, CPU)
    last = list(progress)[-1]
    for name, value in target.module.state_dict().items():
        assert torch.equal(training.module.state_dict()[f"teacher.{name}"], value)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(row["test_accuracy_of_teacher_percent"] == last["test_accuracy_percent"] for row in rows)
    result = finish(training, run.settings, tiny, 0)
    assert result.final["other_accuracy_of_teacher_percent"] == last["other_accuracy_percent"]
    assert {name: value.shape for name, value in result.weights.items() if name.startswith("network.")} == {
        f"network.{name}": value.shape for name, value in TargetCNN((1, 16, 16), 3, channels=(2, 3), hidden=4).state_dict().items()
    }


# MerLin's notebook


def test_logit_tanh_is_its_formula() -> None:
    mapping = LogitTanh().build(6, torch.Generator())
    p = torch.tensor([0.0, 1e-7, 1e-3, 0.3, 0.5, 1.0], dtype=torch.float64)
    clipped = np.clip(p.numpy(), 1e-6, 1 - 1e-6)
    np.testing.assert_allclose(mapping.weights(mapping.coefficients(), p), np.tanh(np.log(clipped / (1 - clipped))), atol=1e-12)
    assert list(mapping.parameters()) == []


def test_merlins_network_has_978_parameters_and_no_activation(generator: torch.Generator) -> None:
    network = MerlinCNN((1, 28, 28), 10).double()
    assert sum(p.numel() for p in network.parameters()) == 978
    image = torch.rand(2, 1, 28, 28, dtype=torch.float64, generator=generator)
    first, second, dense = network[0], network[2], network[5]
    pooled = first(image).unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2))
    pooled = second(pooled).unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2))
    torch.testing.assert_close(network(image), pooled.reshape(2, 64) @ dense.weight.T + dense.bias)


def merlin_run() -> Run:
    study = load_study(PARAMS)
    run = next(run for run in study.runs() if run.experiment == "merlin_variant")
    shorter = run.settings.schedule.model_copy(update={"rounds": 2, "phase_steps": 3})
    return run.model_copy(update={"settings": run.settings.model_copy(update={"schedule": shorter})})


def test_merlins_variant_trains_its_phases_alone(tiny: Dataset) -> None:
    run = merlin_run()
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    module = training.module
    before = [phases.detach().clone() for phases in module.phases]
    assert list(training.optimisers) == ["phases"]
    assert [circuit.outcome_count for circuit in module.circuits] == [495, 330]
    list(progress)
    assert all(not torch.equal(old, new) for old, new in zip(before, module.phases, strict=True))
    p1, p2 = (circuit(phases).detach().double().numpy() for circuit, phases in zip(module.circuits, module.phases, strict=True))
    joint = np.clip(np.outer(p1, p2).flatten()[: module.weight_count], 1e-6, 1 - 1e-6)
    np.testing.assert_allclose(module.weights().detach(), np.tanh(np.log(joint / (1 - joint))), atol=1e-5)


def test_long_gradients_of_phases_are_cut(tiny: Dataset) -> None:
    training, *_ = begin(merlin_run().settings, tiny, 0, CPU)
    phases = list(training.module.phases)
    for scale, expected in ((100.0, 1.0), (1e-3, None)):
        for vector in phases:
            vector.grad = scale * torch.ones_like(vector)
        whole = torch.cat([vector.grad for vector in phases]).norm()
        training.optimisers["phases"].step()
        norm = torch.cat([vector.grad for vector in phases]).norm()
        assert float(norm) == pytest.approx(expected or float(whole), rel=1e-4)


# Whole runs


def timeless(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: repr(value) for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.whole
@pytest.mark.parametrize("kind", [*KINDS, "merlin_variant"])
def test_resumed_after_any_epoch_a_run_gives_the_same_bits(kind: str, tiny: Dataset, tmp_path: Path) -> None:
    run = merlin_run() if kind == "merlin_variant" else run_of(kind, epochs=4)
    whole, progress, total = begin(run.settings, tiny, 0, CPU)
    for row in progress:
        save_checkpoint(whole, run, tmp_path / f"{int(row.get('epoch', row.get('round', 0)))}")
    for done in range(1, total):
        resumed, progress, _ = begin(run.settings, tiny, 0, CPU)
        resume(resumed, run, tmp_path / f"{done}")
        assert len(list(progress)) == total - done
        assert timeless(resumed.rows) == timeless(whole.rows)
        for name, value in finish(whole, run.settings, tiny, 0).weights.items():
            assert torch.equal(finish(resumed, run.settings, tiny, 0).weights[name], value), name


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_learns_and_leaves_a_plain_network(kind: str, tiny: Dataset, tmp_path: Path) -> None:
    run = run_of(kind, epochs=12, lr=1e-2)
    result = execute(run, tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=600)
    assert result.history["training_loss"].iloc[-1] < result.history["training_loss"].iloc[0]
    sizes = (2, 3), 4
    network = TargetCNN((1, 16, 16), 3, channels=sizes[0], hidden=sizes[1]) if kind == "small_cnn" else TargetCNN((1, 16, 16), 3)
    network.load_state_dict({name.removeprefix("network."): v for name, v in result.weights.items() if name.startswith("network.")})
    images = tiny.tests["test"].images.float() / 255
    accuracy = 100 * float((network(images).argmax(-1) == tiny.tests["test"].labels).float().mean())
    assert accuracy == pytest.approx(result.final["test_accuracy_percent"])
    assert result.parameters["target"] == sum(p.numel() for p in TargetCNN((1, 16, 16), 3).parameters())
    assert 0 < result.parameters["trained_effective"] <= result.parameters["trained_used"]


def test_equal_seeds_share_batches_and_initial_weights_with_the_classical_network(tiny: Dataset) -> None:
    """Pruning nothing is classical training, to the last bit of its losses."""
    run = run_of("pruning", epochs=2, ratio=0.0)
    pruned, progress, _ = begin(run.settings, tiny, 0, CPU)
    list(progress)
    classical, progress, _ = begin(as_classical(run), tiny, 0, CPU)
    list(progress)
    for found, expected in zip(pruned.rows, classical.rows, strict=True):
        assert found["training_loss"] == pytest.approx(expected["training_loss"], rel=1e-6)
    assert isinstance(pruned.module, Masked)


# What is refused


@pytest.mark.parametrize(
    ("kind", "settings", "parts"),
    [
        ("weight_sharing", {"rows": 0}, ["baseline.weight_sharing.rows = 0", "greater than or equal to 1"]),
        ("pruning", {"ratio": 1.0}, ["baseline.pruning.ratio = 1.0", "less than 1"]),
        ("low_rank", {"rank": 0}, ["baseline.low_rank.rank = 0", "greater than or equal to 1"]),
        ("tensor_train", {"rank": 0}, ["baseline.tensor_train.rank = 0"]),
        ("hypernetwork", {"widths": []}, ["baseline.hypernetwork.widths = []", "at least 1"]),
        ("gate_qt", {"layers": 0}, ["baseline.gate_qt.layers = 0"]),
        ("small_cnn", {"widths": [2, 0, 3]}, ["baseline.small_cnn.widths.1 = 0"]),
        ("magnitude_pruning", {"dense_epochs": 4}, ["baseline.dense_epochs is 4", "schedule.epochs = 4"]),
        ("pruning", {"rows": 3}, ["baseline.pruning.rows = 3", "no such setting"]),
        ("quantisation", {"bits": 3}, ["baseline", "'quantisation'", "'weight_sharing'", "'small_cnn'"]),
    ],
)
def test_bad_settings_are_refused_by_the_model(kind: str, settings: dict, parts: list[str]) -> None:
    with pytest.raises(SettingsError) as raised:
        run_of(kind, **settings)
    assert [part for part in parts if part not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("kind", "settings", "network", "parts"),
    [
        ("weight_sharing", {"rows": 3}, {}, ["baseline.rows = 3", "20 outputs of layer '5'", "1, 2, 4, 5, 10, 20"]),
        ("magnitude_pruning", {"parameters": 50, "dense_epochs": 1}, {}, ["baseline.parameters = 50", "50 biases", "51 to 6690"]),
        ("magnitude_pruning", {"parameters": 6691, "dense_epochs": 1}, {}, ["baseline.parameters = 6691", "51 to 6690"]),
        ("pruning", {"ratio": 0.999}, {}, ["baseline.ratio = 0.999", "use a smaller one"]),
        ("small_cnn", {"widths": [2, 3, 4]}, {"name": "cnn-merlin"}, ["small_cnn", "'cnn-merlin'", "cnn or cnn-relu"]),
    ],
)
def test_what_does_not_fit_the_network_is_told_before_any_job(kind: str, settings: dict, network: dict, parts: list[str]) -> None:
    with pytest.raises(SettingsError) as raised:
        check_settings(run_of(kind, network=network, **settings).settings, "trial/base")
    assert str(raised.value).startswith("trial/base: ")
    assert [part for part in parts if part not in str(raised.value)] == []


def test_the_section_belongs_to_its_method() -> None:
    experiment = {"seeds": [0], "baseline": {"kind": "pruning"}}
    for method in ("classical", "quantum_train"):
        with pytest.raises(SettingsError, match=rf"method is {method} and section baseline is there; remove it"):
            parse_study({"experiments": {"x": {"method": method, **experiment}}})
    with pytest.raises(SettingsError, match=r"section baseline is missing; give one"):
        parse_study({"experiments": {"x": {"method": "baseline", "seeds": [0]}}})


def test_a_mapping_without_parameters_is_not_trained() -> None:
    experiment = {"method": "quantum_train", "seeds": [0], "override": {"mapping.kind": "logit-tanh"}}
    with pytest.raises(SettingsError, match=r"schedule\.mapping_epochs is 5, but mapping\.kind logit-tanh has no parameters; set it to 0"):
        parse_study({"experiments": {"x": experiment}})


@pytest.mark.whole
def test_the_study_of_the_paper_asks_for_every_kind() -> None:
    runs = [run for run in load_study(PARAMS).runs() if run.settings.method == "baseline"]
    assert {run.settings.baseline.kind for run in runs} == set(KINDS)
    for run, _ in itertools.groupby(runs, key=lambda run: run.settings):
        check_settings(run, "baselines")
