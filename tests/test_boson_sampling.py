"""Samples of photons: against permanents worked out one by one, and what is known by hand."""

import itertools
import math
import time
from collections import Counter

import pytest
import reference
import torch
from scipy.stats import chisquare

from lightweights.distillation.feature import expected_histograms
from lightweights.photonics import boson_sampling
from lightweights.photonics.boson_sampling import sample
from lightweights.photonics.time_bin import TimeBin


def random_unitary(modes: int, seed: int, real: bool = False) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(modes, modes, dtype=torch.float64 if real else torch.complex128, generator=draws))[0]


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize(
    ("modes", "inputs"),
    [(3, [1]), (4, [0, 2]), (4, [0, 1, 3]), (3, [1, 1]), (3, [0, 0, 2]), (3, [1, 1, 1]), (3, [2, 2, 0, 0])],
)
def test_samples_follow_the_exact_probabilities(modes: int, inputs: list[int], real: bool) -> None:
    matrix = random_unitary(modes, seed=modes + len(inputs), real=real)
    outcomes = itertools.combinations_with_replacement(range(modes), len(inputs))
    truth = {outcome: float(reference.probability(matrix, inputs, outcome)) for outcome in outcomes}
    assert sum(truth.values()) == pytest.approx(1)
    shots = 20_000
    found = Counter(tuple(sorted(shot)) for shot in sample(matrix[:, inputs], shots, torch.Generator().manual_seed(1)).tolist())
    assert set(found) <= set(truth)
    pooled = [(found[outcome], shots * p) for outcome, p in truth.items() if shots * p >= 5]
    pooled.append((shots - sum(o for o, _ in pooled), shots - sum(e for _, e in pooled)))
    observed, expected = zip(*(pair for pair in pooled if pair[1] > 1e-6), strict=True)
    assert chisquare(observed, expected).pvalue > 1e-3


def test_the_photons_of_a_shot_come_in_random_order() -> None:
    matrix = random_unitary(4, seed=2)
    shots = sample(matrix[:, [0, 2]], 20_000, torch.Generator().manual_seed(3)).tolist()
    orders = Counter(map(tuple, shots))
    for (first, second), count in orders.items():
        assert abs(count - orders[second, first]) < 5 * math.sqrt(count + orders[second, first] + 1)


def test_photons_of_an_identity_stay_where_they_are() -> None:
    inputs = [0, 2, 2, 5]
    found = sample(torch.eye(6, dtype=torch.float64)[:, inputs], 50, torch.Generator().manual_seed(0))
    assert found.sort(1).values.unique(dim=0).tolist() == [inputs]


def test_two_photons_never_part_at_a_balanced_beam_splitter() -> None:
    splitter = torch.tensor([[1, 1j], [1j, 1]], dtype=torch.complex128) / math.sqrt(2)
    first, second = sample(splitter, 1000, torch.Generator().manual_seed(0)).T
    assert torch.equal(first, second)


def test_shots_in_pieces_are_the_shots_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = random_unitary(6, seed=4)[:, [0, 2, 4]]
    at_once = sample(columns, 100, torch.Generator().manual_seed(5))
    monkeypatch.setattr(boson_sampling, "LARGEST_TABLE", 9 * 7)
    assert torch.equal(sample(columns, 100, torch.Generator().manual_seed(5)), at_once)


def test_every_draw_is_from_the_given_generator() -> None:
    columns = random_unitary(6, seed=4)[:, [0, 2, 4]]
    before = torch.get_rng_state()
    draws = torch.Generator().manual_seed(5)
    first, second = sample(columns, 60, draws), sample(columns, 60, draws)
    assert not torch.equal(first, second)
    assert torch.equal(sample(columns, 60, torch.Generator().manual_seed(5)), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_200_shots_of_8_photons_in_16_modes_take_milliseconds() -> None:
    columns = random_unitary(16, seed=6)[:, ::2]
    draws = torch.Generator().manual_seed(7)
    times = []
    for _ in range(5):
        start = time.process_time()
        assert sample(columns, 200, draws).shape == (200, 8)
        times.append(time.process_time() - start)
    assert min(times) < 0.02


def test_interference_changes_outcomes_far_less_at_small_angles_than_at_random_ones() -> None:
    """What the distillation chapter says of tuned angles, which end at root mean squares of 0.2 to 0.3."""
    circuit, draws = TimeBin(), torch.Generator().manual_seed(0)
    small = 0.25 * torch.randn(6, circuit.angle_count, generator=draws, dtype=torch.float64)
    apart = []
    for angles in (small, circuit.random_angles(draws, 6)):
        columns = circuit.columns(angles)
        halves = [expected_histograms(columns, distinguishable=kind).unflatten(-1, (2, -1)) for kind in (False, True)]
        apart.append((halves[0] - halves[1]).abs().sum(-1).mean(-1) / 2)
    told = [f"{value:.2f}" for value in (apart[0].mean(), apart[0].max(), apart[1].mean(), apart[1].min())]
    assert told == ["0.07", "0.14", "0.29", "0.19"]  # as docs/pqkd.md has them
