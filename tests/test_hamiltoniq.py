"""QAOA against matrix exponentials, Powell's COBYLA against recorded answers of his code, scores against their definition."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm

from chapters.hamiltoniq.attempts import attempt
from chapters.hamiltoniq.instances import MATRICES, energies
from chapters.hamiltoniq.qaoa import Circuit, Noise
from chapters.hamiltoniq.score import distance, distance_by_chance, h_score, published_curve, published_curves
from chapters.hamiltoniq.settings import HamiltoniqRun
from lightweights.datasets.loading import nothing
from lightweights.errors import LightweightsError
from lightweights.report.chapter import chapter_at
from lightweights.report.published import published_settings
from lightweights.settings.runs import Run
from lightweights.study.contract import check_run
from lightweights.training.cobyla import Simplex, powell_cobyla, scipy_cobyla

GROUND = [(3, "011", -20.4623), (4, "0101", -8.3312), (5, "11101", -66.1523), (6, "111111", -99.7359)]


@pytest.mark.parametrize(("qubits", "ground", "energy"), GROUND)
def test_ground_states_are_the_published_ones(qubits, ground, energy):
    found = energies(qubits)
    assert (int(found.argmin()), found.min()) == (int(ground, 2), pytest.approx(energy, abs=1e-9))
    assert np.array_equal(np.array(MATRICES[qubits]), np.array(MATRICES[qubits]).T)


def exponentials(diagonal: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """QAOA's probabilities by matrix exponentials of 2^n x 2^n."""
    n = len(diagonal).bit_length() - 1
    flip, one = np.array([[0, 1], [1, 0]]), np.eye(2)
    mixer = np.zeros((2**n, 2**n))
    for q in range(n):
        term = np.ones((1, 1))
        for other in range(n):
            term = np.kron(term, flip if other == q else one)
        mixer += term
    psi = np.full(2**n, 2 ** (-n / 2), complex)
    for b, g in angles.T:
        psi = expm(-1j * b * mixer) @ (np.exp(-1j * g * diagonal) * psi)
    return abs(psi) ** 2


@pytest.mark.parametrize("layers", [1, 3])
def test_probabilities_are_those_of_matrix_exponentials(layers):
    angles = np.random.default_rng(layers).uniform(-3, 3, (2, layers))
    assert Circuit(energies(4)).probabilities(angles) == pytest.approx(exponentials(energies(4), angles), abs=1e-12)


def test_noise_mixes_with_uniform_outcomes_and_flips_bits():
    angles = np.random.default_rng(0).uniform(-3, 3, (2, 2))
    clean = Circuit(energies(3)).probabilities(angles)
    mixed = Circuit(energies(3), Noise(layer=0.1)).probabilities(angles)
    assert mixed == pytest.approx(0.81 * clean + 0.19 / 8, abs=1e-12)
    flipped = Circuit(energies(3), Noise(readout=0.2)).probabilities(angles)
    expected = np.zeros(8)
    for true, read in np.ndindex(8, 8):
        wrong = bin(true ^ read).count("1")
        expected[read] += clean[true] * 0.2**wrong * 0.8 ** (3 - wrong)
    assert flipped == pytest.approx(expected, abs=1e-12)


def test_shots_are_frequencies():
    found = Circuit(energies(3)).sample(np.zeros((2, 1)), 1024, np.random.default_rng(0))
    assert found.sum() == pytest.approx(1)
    assert np.array_equal(found * 1024, np.round(found * 1024))


def ellipsoid(x: np.ndarray) -> float:
    return float((np.arange(1, len(x) + 1) * x**2).sum() + x[0] * x[-1])


def test_powells_cobyla_takes_the_steps_of_his_code() -> None:
    """Recorded of SciPy 1.15.3, whose COBYLA is Powell's Fortran, from 40 starts. Edges of one length are told apart by rounding, which
    differs by processor and order of summation: from most starts two programs part on the way, and meet at the end.
    """
    recorded, same = json.loads((Path(__file__).parent / "powell_1_15_3.json").read_text()), 0
    for own in recorded:
        asked: list[int] = []
        last = powell_cobyla(lambda x, asked=asked: asked.append(1) or ellipsoid(x), np.random.default_rng(own["seed"]).normal(size=4))
        same += len(asked) == own["evaluations"] and bool(np.abs(last - own["stop"]).max() < 1e-9)
        assert last == pytest.approx(np.array(own["stop"]), abs=5e-4)
    assert len(recorded) == 40 and same >= 2


def test_a_simplex_keeps_its_inverse():
    rng = np.random.default_rng(1)
    simplex = Simplex(ellipsoid, rng.normal(size=6), 1.0)
    for _ in range(20):
        simplex.put_best_first()
        simplex.replace(int(rng.integers(6)), rng.normal(size=6), float(rng.normal()))
    assert simplex.inverse @ simplex.edges.T == pytest.approx(np.eye(6), abs=1e-6)


@pytest.mark.parametrize("minimise", [powell_cobyla, scipy_cobyla])
def test_both_find_a_minimum_and_stop_when_told(minimise):
    asked = []

    def bowl(x):
        asked.append(x)
        return float(((x - 0.3) ** 2).sum())

    assert minimise(bowl, np.zeros(4)) == pytest.approx(np.full(4, 0.3), abs=1e-3)
    asked.clear()
    minimise(bowl, np.zeros(4), 20)
    assert len(asked) <= 20


def test_a_noiseless_simulator_scores_one_by_construction():
    points, curve = published_curve(5, 3)
    accuracies = np.interp(np.random.default_rng(2).uniform(size=20_000), curve, points)
    assert h_score(accuracies, 5, 3) == pytest.approx(1, abs=0.02)
    assert distance(accuracies, 5, 3) < distance_by_chance(20_000)
    assert h_score(np.ones(5), 5, 3) == 2
    assert h_score(np.zeros(5), 5, 3) == 0


def test_chance_is_smirnovs_law():
    assert distance_by_chance(300) == pytest.approx(1.358 * (1 / 300 + 1 / 10_000) ** 0.5, abs=1e-4)


def test_published_curves_are_distribution_functions():
    for name, curve in published_curves().items():
        assert (np.diff(curve) >= 0).all(), name
        assert (curve[0], curve[-1]) == (0, 1)


def test_how_many_points_of_a_curve_are_here_is_told():
    points = len(published_curves()["x"])
    told = [note.says for note in published_settings([chapter_at(Path("chapters/hamiltoniq"))])["hamiltoniq_curves"].notes]
    assert any(f"{points} of the 201 published points" in says for says in told)


def test_distances_over_many_tests_are_larger_and_bound_those_of_all_points_from_below():
    assert distance_by_chance(1020, level=0.05 / 24) == pytest.approx(0.0609, abs=1e-4)
    points, curve = published_curve(5, 3)
    found = np.interp(np.random.default_rng(4).uniform(size=500), curve, points) * 0.9
    steps = np.sort(found)
    whole = np.abs(np.arange(1, len(steps) + 1) / len(steps) - np.interp(steps, points, curve)).max()
    assert distance(found, 5, 3) <= whole


def test_a_curve_that_was_not_published_is_named():
    with pytest.raises(LightweightsError, match=r"benchmark.layers = 99"):
        published_curve(5, 99)


def test_attempts_with_powells_optimiser_follow_the_published_curve_and_idle_ones_do_not():
    circuit = Circuit(energies(3))
    rng = np.random.default_rng(3)
    made = [attempt(circuit, 1, "powell", 1024, rng) for _ in range(200)]
    assert distance(np.array([each.found for each in made]), 3, 1) < distance_by_chance(200)
    assert distance(np.array([each.at_start for each in made]), 3, 1) > 3 * distance_by_chance(200)
    assert all(10 < each.asked < 100 for each in made)


def test_runs_keep_the_contract():
    own = {"benchmark": {"qubits": 3, "layers": 1}}
    settings = HamiltoniqRun.model_validate(
        {
            "method": "hamiltoniq",
            "numerics_version": 1,
            "dataset": {"name": "none"},
            **own,
            "schedule": {"rounds": 4},
        }
    )
    run = Run(study="study", experiment="hamiltoniq", variant="base", seed=0, settings=settings)
    lines = list(check_run(run, nothing()))
    assert "killed after the first and taken up again it ends with the same bits" in lines
