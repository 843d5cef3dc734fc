"""Shots: counts against binomial and multinomial laws, samples of photons against exact probabilities by chi-square."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from lightweights.photonics import Circuit, Noise, NoisyCircuit, unitary
from lightweights.photonics.shots import ShotsError, boson_samples, count_shots, distinguishable_samples, heralding_table, photon_numbers


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chi_square(observed: np.ndarray, expected: np.ndarray) -> float:
    """p-value; rare outcomes, expected fewer than 10 times, are put together."""
    assert observed.sum() == pytest.approx(expected.sum())
    rare = expected < 10
    if rare.any():
        observed = np.append(observed[~rare], observed[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    return float(stats.chisquare(observed, expected * observed.sum() / expected.sum(), sum_check=False).pvalue)


# Counts


def test_heralded_cycles_are_binomial_and_outcomes_multinomial() -> None:
    joint = torch.tensor([0.02, 0.0, 0.05, 0.01])
    herald, repeats, cycles = torch.tensor(0.1), 4000, 200  # a fifth of the heralded cycles end in no listed outcome
    counts = count_shots(joint.expand(repeats, 4), herald.expand(repeats), cycles, seeded(0))
    heralded, outcomes = counts.heralded.numpy(), counts.outcomes.numpy()
    assert (outcomes[:, 1] == 0).all() and (outcomes.sum(-1) <= heralded).all()
    for drawn, probability in [(heralded, 0.1), *zip(outcomes[:, [0, 2, 3]].T, [0.02, 0.05, 0.01], strict=True)]:
        values = np.arange(cycles + 1)
        assert chi_square(np.bincount(drawn, minlength=cycles + 1), repeats * stats.binom(cycles, probability).pmf(values)) > 0.01
    covariance = np.cov(outcomes[:, [0, 2]].T)[0, 1]
    assert covariance == pytest.approx(-cycles * 0.02 * 0.05, abs=4 * cycles * math.sqrt(0.02 * 0.05 / repeats))


def test_given_the_herald_outcomes_are_multinomial() -> None:
    joint = torch.tensor([0.5, 0.3, 0.2])
    counts = count_shots(joint.expand(3000, 3), torch.ones(3000), 5, seeded(1))
    assert (counts.heralded == 5).all() and (counts.outcomes.sum(-1) == 5).all()
    kinds = [k for k in itertools.product(range(6), repeat=3) if sum(k) == 5]
    observed = np.array([int((counts.outcomes == torch.tensor(k)).all(-1).sum()) for k in kinds])
    assert chi_square(observed, 3000 * stats.multinomial(5, [0.5, 0.3, 0.2]).pmf(kinds)) > 0.01


def test_frequencies_come_close_to_the_probabilities_of_a_noisy_circuit() -> None:
    noisy = NoisyCircuit(Circuit(9, 4), Noise(brightness=0.6, indistinguishability=0.95, g2=0.02, transmittance=0.7))
    phases = torch.stack([noisy.circuit.random_phases(seeded(seed)) for seed in range(2)])
    joint, herald = noisy.per_cycle(phases)
    cycles = 10**10
    counts = count_shots(joint, herald, cycles, seeded(2))
    assert counts.outcomes.shape == (2, 126) and counts.outcomes.dtype == torch.int64
    assert counts.heralded.double() == pytest.approx(cycles * herald.double(), rel=1e-3)
    expected = noisy(phases)
    error = (counts.frequencies() - expected) / (expected / counts.heralded[:, None]).sqrt()
    assert 0.8 < float(error.std()) < 1.2 and float(error.abs().max()) < 5
    assert torch.equal(count_shots(joint, herald, cycles, seeded(2)).outcomes, counts.outcomes)


def test_heralded_shots_grow_as_transmittance_to_the_number_of_photons() -> None:
    circuit = Circuit(6, 3)
    phases = circuit.random_phases(seeded(0))
    full, half = (
        int(count_shots(*NoisyCircuit(circuit, Noise(transmittance=t)).per_cycle(phases), 10**8, seeded(1)).heralded) for t in (1, 0.5)
    )
    assert half / full == pytest.approx(1 / 8, rel=2e-3)


def test_no_heralded_cycle_is_an_error_that_says_what_to_do() -> None:
    counts = count_shots(torch.tensor([[0.5], [1e-9]]), torch.tensor([0.5, 1e-9]), 1000, seeded(0))
    assert counts.heralded.tolist()[1] == 0 and counts.outcomes.tolist()[1] == [0]
    with pytest.raises(ShotsError, match=r"none of 1,000 clock cycles was heralded.*use more cycles"):
        counts.frequencies()


@pytest.mark.parametrize(
    ("joint", "herald", "cycles", "message"),
    [
        ([0.1], 0.1, 0, "a budget of 0 clock cycles"),
        ([0.2], 0.1, 10, "sum to at most the herald's"),
        ([-0.1, 0.2], 0.2, 10, "must not be negative"),
        ([0.1], 1.1, 10, "at most 1"),
        ([math.nan], 0.1, 10, "sum to at most"),
    ],
)
def test_impossible_counts_are_refused(joint: list, herald: float, cycles: int, message: str) -> None:
    with pytest.raises(ShotsError, match=message):
        count_shots(torch.tensor(joint), torch.tensor(herald), cycles, seeded(0))


def test_heralding_table_by_hand() -> None:
    table = heralding_table({"bright": 0.01, "dim": 1e-5}, clock_hz=80e6, shots=1000)
    assert table.device.tolist() == ["bright", "dim"]
    assert table.rate_hz.tolist() == pytest.approx([800_000, 800])
    assert table.cycles.tolist() == pytest.approx([1e5, 1e8])
    assert table.seconds.tolist() == pytest.approx([0.00125, 1.25])


@pytest.mark.parametrize(
    ("herald", "clock", "shots", "message"),
    [(0.0, 1e6, 1, "dim: cycles are heralded with probability 0.0"), (0.1, 0.0, 1, "clock of 0.0 Hz"), (0.1, 1e6, 0, "0 shots")],
)
def test_impossible_rates_are_refused(herald: float, clock: float, shots: int, message: str) -> None:
    with pytest.raises(ShotsError, match=message):
        heralding_table({"dim": herald}, clock, shots)


# Samples of photons

CASES = [(4, 1, "first"), (5, 2, "spaced"), (6, 3, "alternating"), (4, 4, "first"), (4, 3, [0, 2, 0, 1]), (3, 3, [0, 3, 0])]


@pytest.mark.parametrize("distinguishable", [False, True], ids=["interfering", "distinguishable"])
@pytest.mark.parametrize(("modes", "photons", "state"), CASES)
def test_samples_follow_the_exact_probabilities(modes: int, photons: int, state: str | list[int], distinguishable: bool) -> None:
    circuit = Circuit(modes, photons, "clements", state, bunching=True)
    phases = circuit.random_phases(seeded(modes), torch.float64)
    matrix = unitary(circuit.mesh, phases)
    expected = walks(matrix, circuit.inputs, circuit.outcomes()) if distinguishable else circuit(phases).numpy()
    draw = distinguishable_samples if distinguishable else boson_samples
    samples = draw(matrix, circuit.inputs, 20_000, seeded(photons))
    assert samples.shape == (20_000, photons) and (samples.diff(dim=-1) >= 0).all()
    position = {outcome: k for k, outcome in enumerate(circuit.outcomes())}
    observed = np.bincount([position[tuple(s)] for s in samples.tolist()], minlength=len(position))
    assert chi_square(observed, 20_000 * expected) > 0.005


def walks(matrix: torch.Tensor, inputs: list[int], outcomes: list[tuple[int, ...]]) -> np.ndarray:
    """Every path of every photon by itself."""
    found = dict.fromkeys(outcomes, 0.0)
    chances = (matrix.abs() ** 2).tolist()
    for path in itertools.product(range(len(matrix)), repeat=len(inputs)):
        found[tuple(sorted(path))] += math.prod(chances[mode][entered] for mode, entered in zip(path, inputs, strict=True))
    return np.array(list(found.values()))


def test_two_photons_at_a_balanced_beam_splitter_leave_together() -> None:
    matrix = torch.tensor([[1, 1j], [1j, 1]], dtype=torch.complex64) / math.sqrt(2)
    samples = boson_samples(matrix, [0, 1], 500, seeded(0))
    assert (samples[:, 0] == samples[:, 1]).all()
    assert 180 < int((samples[:, 0] == 0).sum()) < 320
    apart = distinguishable_samples(matrix, [0, 1], 500, seeded(0))
    assert 180 < int((apart[:, 0] != apart[:, 1]).sum()) < 320


def test_large_samples_have_the_exact_mean_photon_numbers() -> None:
    """Eight photons in 16 modes: in the mean as many photons in a mode as if they walked alone, but more often two together."""
    circuit = Circuit(16, 8)
    matrix = unitary(circuit.mesh, circuit.random_phases(seeded(5), torch.float64))
    numbers = [
        photon_numbers(draw(matrix, circuit.inputs, 4000, seeded(6)), 16).double() for draw in (boson_samples, distinguishable_samples)
    ]
    expected = (matrix[:, circuit.inputs].abs() ** 2).sum(1)
    for found in numbers:
        assert (found.sum(1) == 8).all()
        assert float(((found.mean(0) - expected) / (found.std(0) / math.sqrt(4000))).abs().max()) < 4
    # <n (n - 1)> of a mode is the permanent-like sum over pairs: 2 |U_a|^2 |U_b|^2 each, twice that of photons that walk alone.
    chances = matrix[:, circuit.inputs].abs() ** 2
    pairs = chances.sum(1) ** 2 - (chances**2).sum(1)
    for found, factor in zip(numbers, (2, 1), strict=True):
        assert float((found * (found - 1)).mean(0).sum()) == pytest.approx(factor * float(pairs.sum()), rel=0.06)


def test_samples_are_decided_by_the_generator() -> None:
    matrix = unitary(Circuit(5, 2).mesh, Circuit(5, 2).random_phases(seeded(0)))
    first, again, other = (boson_samples(matrix, [0, 2], 100, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_photon_numbers_count_the_modes() -> None:
    assert photon_numbers(torch.tensor([[0, 2, 2], [1, 2, 3]]), 4).tolist() == [[1, 0, 2, 0], [0, 1, 1, 1]]


@pytest.mark.parametrize(("inputs", "shots", "message"), [([], 1, "photons enter modes"), ([4], 1, "modes 0 to 3"), ([0], 0, "0 shots")])
def test_impossible_samples_are_refused(inputs: list[int], shots: int, message: str) -> None:
    for draw in (boson_samples, distinguishable_samples):
        with pytest.raises(ShotsError, match=message):
            draw(torch.eye(4, dtype=torch.complex64), inputs, shots, seeded(0))
