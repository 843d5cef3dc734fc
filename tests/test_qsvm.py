"""The chain kernel against dense state vectors, the preparation against what it must not see, and the arms on data of known answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chapters.qsvm.arms import ARMS, COSTS, GRID, choose, measure
from chapters.qsvm.features import angles, split_pair
from chapters.qsvm.judges import best_accuracy_percent, exponents, kernel_seconds_below, time_exponent
from chapters.qsvm.kernels import chain_kernel, gram, linear_kernel, product_kernel, rbf_kernel
from chapters.qsvm.settings import QsvmRun
from lightweights.datasets.digits import load_digits
from lightweights.errors import LightweightsError
from lightweights.report.chapter import chapter_at
from lightweights.report.claims import claims_of
from lightweights.report.results import Results
from lightweights.settings.reading import with_chapters
from lightweights.settings.runs import Run
from lightweights.settings.study import parse_study
from lightweights.study.contract import check_run


def state(x: np.ndarray, entangled: bool) -> np.ndarray:
    """The feature map gate by gate on 2^n amplitudes."""
    n = len(x)
    psi = np.zeros([2] * n, complex)
    psi[(0,) * n] = 1
    hadamard = np.array([[1, 1], [1, -1]]) / np.sqrt(2)

    def turn_z(t):
        return np.diag([np.exp(-0.5j * t), np.exp(0.5j * t)])

    def turn_y(t):
        return np.array([[np.cos(t / 2), -np.sin(t / 2)], [np.sin(t / 2), np.cos(t / 2)]])

    def on(gate, q, psi):
        return np.moveaxis(np.tensordot(gate, psi, (1, q)), 0, q)

    for q in range(n):
        for gate in (hadamard, turn_z(x[q]), turn_y(x[q])):
            psi = on(gate, q, psi)
    for q in range(n - 1) if entangled else ():
        swapped = np.moveaxis(psi, (q, q + 1), (0, 1)).copy()
        swapped[1] = swapped[1, ::-1].copy()
        psi = np.moveaxis(swapped, (0, 1), (q, q + 1))
    for q in range(n):
        psi = on(turn_z(x[q]), q, psi)
    return psi.ravel()


@pytest.mark.parametrize(("kernel", "entangled"), [(chain_kernel, True), (product_kernel, False)])
@pytest.mark.parametrize("qubits", [1, 2, 3, 8])
def test_kernels_are_those_of_the_state_vectors(kernel, entangled, qubits):
    rng = np.random.default_rng(qubits)
    x, y = rng.uniform(-1, 1, (5, qubits)), rng.uniform(-4, 4, (3, qubits))
    expected = [[abs(np.vdot(state(b, entangled), state(a, entangled))) ** 2 for b in y] for a in x]
    assert kernel(x, y) == pytest.approx(np.array(expected), abs=1e-13)


@pytest.mark.parametrize("qubits", [2, 5, 40])
def test_the_chain_kernel_is_what_quimb_makes_of_the_circuits(qubits):
    tensors = pytest.importorskip("quimb.tensor", reason="quimb is not installed")

    def psi(x):
        circuit = tensors.CircuitMPS(qubits)
        for q in range(qubits):
            circuit.apply_gate("H", q)
            circuit.apply_gate("RZ", x[q], q)
            circuit.apply_gate("RY", x[q], q)
        for q in range(qubits - 1):
            circuit.apply_gate("CX", q, q + 1)
        for q in range(qubits):
            circuit.apply_gate("RZ", x[q], q)
        return circuit.psi

    x = np.random.default_rng(qubits).uniform(-0.5, 0.5, (3, qubits))
    states = [psi(row) for row in x]
    assert max(state.max_bond() for state in states) <= 2
    expected = np.array([[abs(b.H @ a) ** 2 for b in states] for a in states])
    assert chain_kernel(x, x) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_chain_has_schmidt_rank_two_at_every_cut():
    psi = state(np.random.default_rng(0).uniform(-3, 3, 7), True)
    ranks = [np.linalg.matrix_rank(psi.reshape(2**left, -1), tol=1e-10) for left in range(1, 7)]
    assert ranks == [2] * 6


@pytest.mark.parametrize("kernel", [chain_kernel, product_kernel, rbf_kernel, linear_kernel])
def test_gram_is_the_kernel_of_points_with_themselves(kernel):
    x = np.random.default_rng(1).uniform(-1, 1, (150, 3))
    assert gram(kernel, x) == pytest.approx(kernel(x, x), abs=1e-13)


def test_784_qubits_stay_normalised_and_concentrate():
    x = np.random.default_rng(2).uniform(-1, 1, (3, 784))
    entries = gram(chain_kernel, x)
    assert np.diag(entries) == pytest.approx(np.ones(3), abs=1e-10)
    assert 0 < entries[0, 1] < 1e-17


def test_small_angles_make_the_kernel_near_one():
    x = 1e-4 * np.random.default_rng(3).uniform(-1, 1, (4, 50))
    assert gram(chain_kernel, x) == pytest.approx(np.ones((4, 4)), abs=1e-5)


@pytest.fixture(scope="module")
def pair():
    """Two clouds of 8 x 8 pixels apart in one direction."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 300)
    images = rng.integers(0, 100, (300, 1, 8, 8)).astype(np.uint8)
    images[labels == 2, 0, :, 0] += 80
    return split_pair(images, labels, (1, 2), 120, rng)


def test_a_pair_has_the_first_images_of_two_classes(pair):
    assert (len(pair.train), len(pair.test)) == (96, 24)
    assert pair.train.shape[1] == 64
    bright = pair.train[:, ::8].mean(1)
    assert bright[pair.train_labels == 1].min() > bright[pair.train_labels == 0].max()


def test_a_missing_class_is_told():
    with pytest.raises(LightweightsError, match=r"pair.classes = \[1, 5\]"):
        split_pair(np.zeros((10, 4), np.uint8), np.ones(10, int), (1, 5), 10, np.random.default_rng(0))


def test_the_preparation_sees_test_images_only_where_it_leaks(pair):
    train, test = angles(pair, 5, leaking=False)
    leaking_train, leaking_test = angles(pair, 5, leaking=True)
    assert train.min(0) == pytest.approx(-np.ones(5))
    assert train.max(0) == pytest.approx(np.ones(5))
    assert np.concatenate([leaking_train, leaking_test]).max(0) == pytest.approx(np.ones(5))
    changed = type(pair)(pair.train, pair.train_labels, pair.test[::-1] * 3, pair.test_labels)
    assert np.array_equal(angles(changed, 5, leaking=False)[0], train)
    assert not np.allclose(angles(changed, 5, leaking=True)[0], leaking_train)
    assert test.shape == (24, 5)


def test_more_qubits_than_components_are_refused(pair):
    with pytest.raises(LightweightsError, match=r"pair.qubits = 65"):
        angles(pair, 65, leaking=False)


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_tells_the_clouds_apart(name, pair):
    outcome = measure(ARMS[name], pair, 2, seed=0)
    assert outcome.tested_percent > 90
    assert outcome.kernel_seconds > 0


def test_tuned_arms_have_equally_many_candidates_and_choose_on_training_images(pair):
    assert len(GRID) == len(COSTS) == 12
    assert len({len(arm.candidates) for arm in ARMS.values()} - {0}) == 1
    far = 40 * angles(pair, 8, leaking=False)[0]
    assert choose(ARMS["rbf_tuned"], far, pair.train_labels, 0)[0] < 1 / 8  # wide enough to see a neighbour at all


def test_runs_keep_the_contract():
    own = {"pair": {"images": 60, "qubits": 3}}
    settings = QsvmRun.model_validate({"method": "qsvm", "numerics_version": 1, "dataset": {"name": "digits"}, **own, "schedule": {}})
    run = Run(study="study", experiment="qsvm", variant="base", seed=0, settings=settings)
    lines = list(check_run(run, load_digits(0.25, 0)))
    assert "killed after the first and taken up again it ends with the same bits" in lines


def test_a_power_of_the_number_of_qubits_needs_three_sizes():
    runs = pd.DataFrame({"seed": [0] * 3 + [1] * 3, "pair.qubits": [32, 128, 784, 8, 32, 60]})
    runs["chain_kernel_seconds"] = 0.1 * runs["pair.qubits"] ** 1.5
    assert exponents(runs) == [pytest.approx(1.5)]


def test_claims_about_the_best_number_of_qubits_wait_for_all_of_them():
    study = parse_study(with_chapters({"study": {"chapters": ["qsvm"], "only": ["qsvm_mnist"]}}))
    rows = [
        {"experiment": "qsvm_mnist", "variant": f"qubits={qubits}", "dataset": "mnist", "seed": seed, "pair.qubits": qubits}
        | {"chain_leaking_tested_percent": 90.0 + 5 * (qubits == 32) + 0.1 * seed, "chain_kernel_seconds": 0.01 * qubits}
        for qubits in (2, 8, 32, 128, 784)
        for seed in range(3)
    ]
    claims = {claim.id: claim for claim in claims_of([chapter_at(Path("chapters/qsvm"))])}
    whole, part = (Results(study, pd.DataFrame(some), tuple(claims.values())) for some in (rows, rows[:-3]))
    found = best_accuracy_percent(claims["qsvm.accuracy"], whole)
    assert (found.judgement.verdict, found.ours.mean) == ("reproduced", pytest.approx(95.1))
    assert best_accuracy_percent(claims["qsvm.accuracy"], part).judgement.verdict == "not run"
    power = time_exponent(claims["qsvm.scaling"], whole)
    assert (power.judgement.verdict, power.ours.mean) == ("not comparable", pytest.approx(1))  # the time of another computation
    assert kernel_seconds_below(claims["qsvm.seconds"], whole).judgement.verdict == "holds"
