"""Cells of the sequence chapter against slow obvious versions, PennyLane and each other; their training to the bit."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch

from chapters.distributed_qlstm.classical import LSTM, Linear
from chapters.distributed_qlstm.devices import AskedPhotonicCircuits, LateAngles, late_forecasts, segment_devices, split_calls
from chapters.distributed_qlstm.forecasters import build, counts
from chapters.distributed_qlstm.photonic import PhotonicCircuits, encoding
from chapters.distributed_qlstm.qlstm import CIRCUITS, QLSTM, trained_count
from chapters.distributed_qlstm.qubits import QubitCircuits, entered
from chapters.distributed_qlstm.series import series
from chapters.distributed_qlstm.settings import ForecasterSection
from chapters.distributed_qlstm.training import begin_forecaster, best_row, epochs, measures
from chapters.distributed_qlstm.windows import cut
from lightweights.photonics import Circuit, unitary
from lightweights.photonics.backends import InHouse
from lightweights.training.state import DivergenceError


def section(cell, shape="1x4", **choices):
    return ForecasterSection(cell=cell, shape=shape, **choices)


# Qubit circuits, gate by gate on a state vector


def on_qubit(matrix, qubit, qubits):
    """A one-qubit gate as a matrix on all qubits."""
    whole = np.eye(1)
    for q in range(qubits):
        whole = np.kron(whole, matrix if q == qubit else np.eye(2))
    return whole


def cnot(control, target, qubits):
    whole = np.zeros((2**qubits, 2**qubits))
    for state in range(2**qubits):
        bits = [state >> (qubits - 1 - q) & 1 for q in range(qubits)]
        bits[target] ^= bits[control]
        whole[int("".join(map(str, bits)), 2), state] = 1
    return whole


def ry(angle):
    return np.array([[math.cos(angle / 2), -math.sin(angle / 2)], [math.sin(angle / 2), math.cos(angle / 2)]])


def rz(angle):
    return np.diag([np.exp(-0.5j * angle), np.exp(0.5j * angle)])


def slow_expectations(inputs, angles, entangled):
    """<Z_q> of one segment: inputs (qubits,), angles (layers, qubits, 3)."""
    qubits = len(inputs)
    state = np.zeros(2**qubits, dtype=complex)
    state[0] = 1
    hadamard = np.array([[1, 1], [1, -1]]) / math.sqrt(2)
    for q, v in enumerate(inputs):
        for gate in (hadamard, ry(math.atan(v)), rz(math.atan(v * v))):
            state = on_qubit(gate, q, qubits) @ state
    for layer in angles:
        for reach in (1, 2):
            for q in range(qubits):
                if entangled and (q + reach) % qubits != q:
                    state = cnot(q, (q + reach) % qubits, qubits) @ state
        for q in range(qubits):
            for gate in (rz(layer[q][0]), ry(layer[q][1]), rz(layer[q][2])):
                state = on_qubit(gate, q, qubits) @ state
    return [float((np.abs(state) ** 2 * np.diag(on_qubit(np.diag([1, -1]), q, qubits))).sum()) for q in range(qubits)]


def random_circuits(segments, qubits, generator, **choices):
    circuits = QubitCircuits(CIRCUITS, segments, qubits, generator, **choices)
    with torch.no_grad():
        circuits.angles.copy_(torch.randn(circuits.angles.shape, generator=generator, dtype=torch.float64))
    return circuits


@pytest.mark.parametrize(("segments", "qubits"), [(1, 2), (1, 3), (1, 4), (1, 6), (2, 2), (2, 3), (3, 2)])
@pytest.mark.parametrize("entangled", [True, False])
def test_qubit_circuits_are_those_of_a_slow_state_vector(segments, qubits, entangled, generator):
    circuits = random_circuits(segments, qubits, generator, layers=3, entangled=entangled)
    inputs = torch.randn(2, segments * qubits, generator=generator, dtype=torch.float64)
    found = circuits.expectations(inputs, circuits())
    for number in (0, 5):
        for row, v in enumerate(inputs):
            pieces = zip(v.chunk(segments), circuits.angles[number].detach().numpy(), strict=True)
            expected = [z for piece, angles in pieces for z in slow_expectations(piece.tolist(), angles, entangled)]
            assert found[number, row].tolist() == pytest.approx(expected, abs=1e-12)


def test_gradients_are_those_of_the_parameter_shift_rule(generator):
    circuits = random_circuits(2, 3, generator)
    inputs = torch.randn(3, 6, generator=generator, dtype=torch.float64)
    total = lambda: circuits.expectations(inputs, circuits()).sin().sum()  # noqa: E731
    total().backward()
    with torch.no_grad():
        place = (2, 1, 0, 1, 1)
        outputs = circuits.expectations(inputs, circuits())
        ends = []
        for shift in (math.pi / 2, -math.pi / 2):
            circuits.angles[place] += shift
            ends.append(circuits.expectations(inputs, circuits()))
            circuits.angles[place] -= shift
        expected = (outputs.cos() * (ends[0] - ends[1]) / 2).sum()
    assert float(circuits.angles.grad[place]) == pytest.approx(float(expected), abs=1e-12)


def test_segments_do_not_hear_of_one_another(generator):
    circuits = random_circuits(2, 3, generator)
    inputs = torch.randn(1, 6, generator=generator, dtype=torch.float64)
    other = inputs.clone()
    other[0, 4] += 1
    before, after = (circuits.expectations(v, circuits()) for v in (inputs, other))
    assert torch.equal(before[..., :3], after[..., :3]) and not torch.allclose(before[..., 3:], after[..., 3:])


def test_without_cnots_whole_and_split_are_the_same(generator):
    whole, split = random_circuits(1, 6, generator, entangled=False), QubitCircuits(CIRCUITS, 2, 3, generator, entangled=False)
    with torch.no_grad():
        split.angles.copy_(whole.angles.unflatten(3, (2, 3)).squeeze(1).transpose(1, 2))
    inputs = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(whole.expectations(inputs, whole()), split.expectations(inputs, split()))


@pytest.mark.parametrize(("segments", "qubits"), [(1, 4), (2, 3), (3, 2)])
def test_the_cell_forecasts_as_pennylane_does(segments, qubits, generator):
    pytest.importorskip("pennylane")
    from chapters.distributed_qlstm.peer import pennylane_forecasts

    model = QLSTM(random_circuits(segments, qubits, generator), generator)
    windows = torch.randn(2, 4, generator=generator, dtype=torch.float64)
    theirs = pennylane_forecasts(model, windows)
    torch.testing.assert_close(model(windows), theirs, rtol=0, atol=1e-10)
    ours_grad, theirs_grad = (torch.autograd.grad(f.sum(), model.circuits.angles)[0] for f in (model(windows), theirs))
    torch.testing.assert_close(ours_grad, theirs_grad, rtol=0, atol=1e-10)


# Photonic circuits


def permanent(matrix):
    return sum(math.prod(matrix[i][p] for i, p in enumerate(order)) for order in permutations(range(len(matrix))))


@pytest.mark.parametrize("distinguishable", [False, True])
def test_photonic_outputs_are_those_of_permanents(distinguishable, generator):
    circuits = PhotonicCircuits(CIRCUITS, 2, 2, generator, distinguishable=distinguishable)
    inputs = torch.randn(1, 4, generator=generator, dtype=torch.float64)
    found = circuits.expectations(inputs, circuits()).detach()
    for number in (0, 4):
        for segment in range(2):
            phases = torch.cat([encoding(inputs[0].chunk(2)[segment]), circuits.phases[number, segment]])
            columns = unitary(circuits.circuit.mesh, phases).detach().numpy()[:, [0, 2]]
            chances = {}
            for modes in [(a, b) for a in range(4) for b in range(a + 1, 4)]:
                part = columns[list(modes)]
                chances[modes] = permanent(abs(part) ** 2) if distinguishable else abs(permanent(part)) ** 2
            total = sum(chances.values())
            for pair in range(2):
                expected = sum(p * ((2 * pair in modes) - (2 * pair + 1 in modes)) for modes, p in chances.items()) / total
                assert float(found[number, 0, 2 * segment + pair]) == pytest.approx(expected, abs=1e-12)


def test_inputs_enter_photons_as_they_enter_qubits(generator):
    inputs = torch.randn(3, generator=generator, dtype=torch.float64)
    circuits = PhotonicCircuits(1, 1, 3, generator)
    phases = torch.cat([encoding(inputs), torch.zeros(circuits.phases.shape[-1], dtype=torch.float64)])
    columns = unitary(circuits.circuit.mesh, phases)[:, [0, 2, 4]]  # the layers after the first are the identity
    for pair in range(3):
        photon, qubit = columns[2 * pair : 2 * pair + 2, pair], entered(inputs[pair : pair + 1])
        assert abs(float((photon.conj() @ qubit).abs()) - 1) < 1e-12


def test_only_the_selection_of_clicks_tells_interfering_photons_from_others(generator):
    circuits, walking = (PhotonicCircuits(1, 1, 3, torch.Generator().manual_seed(2), distinguishable=d) for d in (False, True))
    inputs = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    assert (circuits.expectations(inputs, circuits()) - walking.expectations(inputs, walking())).abs().max() > 0.01
    means = []
    for distinguishable in (False, True):
        whole = Circuit(6, 3, "clements", [1, 0, 1, 0, 1, 0], bunching=True, distinguishable=distinguishable)
        phases = torch.cat([encoding(inputs), circuits.phases[0].expand(5, -1)], 1)
        photons = torch.tensor([[outcome.count(mode) for mode in range(6)] for outcome in whole.outcomes()], dtype=torch.float64)
        means.append(whole(phases) @ photons)
    torch.testing.assert_close(*means)


def test_backends_answer_for_segments_as_the_circuits_do(generator):
    seed = torch.Generator().manual_seed(3)
    own = PhotonicCircuits(CIRCUITS, 2, 2, seed)
    asked = AskedPhotonicCircuits(CIRCUITS, 2, [InHouse(), InHouse()], torch.Generator().manual_seed(3))
    inputs = torch.randn(2, 4, generator=generator, dtype=torch.float64)
    ours, theirs = (c.expectations(inputs, c()[:2]) for c in (own, asked))
    torch.testing.assert_close(ours, theirs)
    ours.sin().sum().backward()
    theirs.sin().sum().backward()
    torch.testing.assert_close(own.phases.grad, asked.phases.grad)


# Devices


def test_devices_are_asked_at_the_same_time(generator):
    import threading

    meeting = threading.Barrier(3, timeout=20)  # passes only when all three devices are being asked at once

    def device(inputs):
        meeting.wait()
        return 2 * inputs[None]

    inputs = torch.randn(4, 6, generator=generator)
    assert torch.equal(split_calls([device] * 3, inputs), 2 * inputs[None])
    with pytest.raises(ValueError, match="5 inputs for 3 devices"):
        split_calls([device] * 3, inputs[:, :5])


def test_late_angles_are_those_of_some_steps_ago_and_their_gradient_moves_the_present_ones():
    angles = torch.tensor([1.0], requires_grad=True)
    late = LateAngles(angles, 2)
    seen = []
    for _ in range(4):
        loss = late(angles).square().sum()
        (gradient,) = torch.autograd.grad(loss, angles)
        seen.append((float(late(angles).detach()), float(gradient)))
        with torch.no_grad():
            angles -= 0.25
        late.end_step(angles)
    assert seen == [(1.0, 2.0), (1.0, 2.0), (1.0, 2.0), (0.75, 1.5)]


def test_segments_asked_as_devices_give_what_the_circuits_give(generator):
    circuits = random_circuits(3, 2, generator)
    inputs = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(split_calls(segment_devices(circuits), inputs), circuits.expectations(inputs, circuits()))


def test_asynchronous_training_learns_from_late_answers():
    parts = cut(series("oscillator"), "published")
    model = build(section("qubits", "2x2"), 0)
    optimiser, late = torch.optim.RMSprop(model.parameters(), lr=0.01), LateAngles(model.circuits.angles, 3)
    losses = []
    for _ in range(60):
        loss = (late_forecasts(model, late, parts.train.inputs) - parts.train.targets).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        late.end_step(model.circuits.angles)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    assert not torch.equal(late(model.circuits.angles), model.circuits.angles)


# Forecasters


@pytest.mark.parametrize(
    ("forecaster", "trained"),
    [
        (section("qubits", "1x3"), 112),
        (section("qubits", "1x4"), 149),
        (section("qubits", "2x2"), 149),
        (section("qubits", "1x6"), 223),
        (section("qubits", "2x3"), 223),
        (section("qubits", "3x2"), 223),
        (section("qubits", "1x6", frozen=True), 7),
        (section("photons", "1x3"), 220),
        (section("photons", "2x2"), 149),
        (section("lstm", hidden=4), 117),
        (section("lstm", hidden=5), 166),
        (section("lstm", hidden=6), 223),
        (section("generated-lstm", hidden=15), 222),
        (section("linear"), 5),
        (section("persistence"), 0),
    ],
)
def test_trained_numbers_are_as_stated(forecaster, trained):
    assert counts(build(forecaster, 0))["trained"] == trained


def test_the_last_turn_about_z_moves_no_output(generator):
    found = counts(build(section("qubits", "1x4"), 0))
    idle = 6 * 4 + 2  # RZ before <Z>; of the hidden state's circuit, the last qubit's RY and RZ of an output that is not used
    assert found["effective"] <= found["trained"] - idle
    assert counts(build(section("qubits", "1x4", entangled=False), 0))["effective"] < found["effective"]


def test_seeds_give_initial_values_and_nothing_else_does():
    torch.manual_seed(1)
    first = build(section("lstm"), 0).state_dict()
    torch.manual_seed(2)
    again, other = build(section("lstm"), 0).state_dict(), build(section("lstm"), 1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["readout.bias"], other["readout.bias"])


def test_four_values_foretell_the_oscillator_to_three_nines():
    parts = cut(series("oscillator"), "fair")
    linear = Linear()
    linear.fit(parts.train)
    design = np.c_[parts.train.inputs.numpy(), np.ones(len(parts.train))]
    expected = np.linalg.lstsq(design, parts.train.targets.numpy(), rcond=None)[0]
    assert np.allclose(linear.weights.detach(), expected, rtol=1e-9, atol=1e-11)
    assert measures(linear, parts)["test_r2"] > 0.999


# Training


def run(forecaster, parts, count=6, lr=0.01):
    training = begin_forecaster(forecaster, lr, 0)
    list(epochs(training, parts, count=count, batch_size=10, lr=lr))
    return training


@pytest.mark.parametrize("forecaster", [section("qubits", "2x2"), section("photons", "2x2"), section("generated-lstm", hidden=4)])
def test_a_training_goes_on_to_the_bit(forecaster):
    parts = cut(series("oscillator")[:60], "fair")
    whole = run(build(forecaster, 0), parts)
    half = run(build(forecaster, 0), parts, count=3)
    resumed = begin_forecaster(build(forecaster, 0), 0.01, 0)
    resumed.restore(half.tensors(), list(half.rows))
    list(epochs(resumed, parts, count=6, batch_size=10, lr=0.01))
    for name, value in whole.tensors().items():
        assert torch.equal(value, resumed.tensors()[name]), name
    assert [row["test_r2"] for row in whole.rows] == [row["test_r2"] for row in resumed.rows]
    assert whole.rows[-1]["training_loss"] < whole.rows[0]["training_loss"]


def test_fair_training_keeps_the_best_validation_epoch():
    parts = cut(series("oscillator"), "fair")
    training = run(LSTM(4, torch.Generator().manual_seed(0)), parts, count=30, lr=0.05)
    best = best_row(training.rows)
    assert best["validation_mse"] == min(row["validation_mse"] for row in training.rows) < training.rows[-1]["validation_mse"]
    assert measures(training.module.kept, parts)["test_r2"] == best["test_r2"]
    assert measures(training.module.forecaster, parts)["test_r2"] == training.rows[-1]["test_r2"] != best["test_r2"]
    assert training.rows[-1]["best_test_r2"] == max(row["test_r2"] for row in training.rows)


def test_published_training_keeps_the_last_epoch():
    parts = cut(series("oscillator"), "published")
    training = run(LSTM(4, torch.Generator().manual_seed(0)), parts, count=5)
    assert measures(training.module.kept, parts)["test_r2"] == training.rows[-1]["test_r2"] == best_row(training.rows)["test_r2"]


def test_forecasts_without_steps_are_there_at_once():
    parts = cut(series("oscillator"), "fair")
    for name in ("linear", "persistence"):
        training = run(build(section(name), 0), parts, count=1)
        assert measures(training.module.kept, parts)["test_r2"] == training.rows[0]["test_r2"]
    assert training.rows[0]["test_mse"] == pytest.approx(float((parts.test.inputs[:, -1] - parts.test.targets).square().mean()))


def test_frozen_circuits_stay_and_their_readout_learns():
    parts = cut(series("oscillator"), "fair")
    model = build(section("qubits", "1x3", frozen=True), 0)
    before = {name: p.clone() for name, p in model.named_parameters()}
    run(model, parts, count=2)
    assert torch.equal(before["circuits.angles"], model.circuits.angles)
    assert not torch.equal(before["readout.weight"], model.readout.weight)
    assert trained_count(model) == 4


def test_steps_that_are_too_long_are_told():
    with pytest.raises(DivergenceError, match=r"schedule\.lr \(it is 1e\+200\)"):
        run(LSTM(4, torch.Generator().manual_seed(0)), cut(series("oscillator"), "fair"), lr=1e200)
