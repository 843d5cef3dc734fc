"""Time-bin interferometers: against embedded rotations, Perceval, and permanents summed outcome by outcome."""

import itertools
import math
from collections import Counter

import pytest
import reference
import torch
from scipy.stats import chisquare

from lightweights.photonics.time_bin import TimeBin, click_probabilities, clicks


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def embedded(circuit: TimeBin, theta: torch.Tensor) -> torch.Tensor:
    """One rotation after the other, each a whole matrix."""
    total = torch.eye(circuit.modes, dtype=torch.float64)
    values = iter(theta.tolist())
    for _ in range(circuit.tiles):
        for i in range(circuit.modes - 1):
            angle = next(values) / (2 if circuit.half_angle else 1)
            step = torch.eye(circuit.modes, dtype=torch.float64)
            step[i, i] = step[i + 1, i + 1] = math.cos(angle)
            step[i, i + 1], step[i + 1, i] = math.sin(angle), -math.sin(angle)
            total = step @ total
    return total


def patterns_one_by_one(circuit: TimeBin, theta: torch.Tensor, watched: list[int], distinguishable: bool = False) -> list[float]:
    """Outcomes with bunching, their probabilities added up by which watched modes click."""
    matrix = embedded(circuit, theta)
    found = [0.0] * 2 ** len(watched)
    if distinguishable:
        outcomes = itertools.product(range(circuit.modes), repeat=circuit.photons)
        chances = ((o, math.prod(float(matrix[out, into]) ** 2 for out, into in zip(o, circuit.inputs, strict=True))) for o in outcomes)
    else:
        outcomes = itertools.combinations_with_replacement(range(circuit.modes), circuit.photons)
        chances = ((o, float(reference.probability(matrix, circuit.inputs, o))) for o in outcomes)
    for outcome, chance in chances:
        found[int("".join(str(int(mode in outcome)) for mode in watched), 2)] += chance
    return found


def test_the_default_is_eight_photons_in_sixteen_modes_and_thirty_angles() -> None:
    circuit = TimeBin()
    assert circuit.inputs == [0, 2, 4, 6, 8, 10, 12, 14]
    assert (circuit.photons, circuit.angle_count) == (8, 30)
    theta = circuit.random_angles(generator(0), 2000)
    assert theta.shape == (2000, 30)
    assert -math.pi <= theta.min() < -3.1
    assert 3.1 < theta.max() <= math.pi


@pytest.mark.parametrize("half_angle", [False, True])
@pytest.mark.parametrize(("modes", "tiles"), [(2, 1), (5, 1), (4, 3), (16, 2)])
def test_the_matrix_is_a_sequence_of_rotations(modes: int, tiles: int, half_angle: bool) -> None:
    circuit = TimeBin(modes, tiles, half_angle=half_angle)
    theta = circuit.random_angles(generator(modes))
    found = circuit.matrix(theta)
    torch.testing.assert_close(found, embedded(circuit, theta), atol=1e-14, rtol=0)
    torch.testing.assert_close(found @ found.T, torch.eye(modes, dtype=torch.float64), atol=1e-13, rtol=0)
    assert torch.equal(circuit.columns(theta), found[:, circuit.inputs])


def test_loops_with_all_angles_zero_leave_the_photons_where_they_are() -> None:
    circuit = TimeBin()
    found = circuit.sample(torch.zeros(30), 20, generator(0))
    assert clicks(found, 16).int().unique(dim=0).tolist() == [[1, 0] * 8]


def test_angles_of_any_batch_are_one_by_one() -> None:
    circuit = TimeBin(4, 2)
    theta = circuit.random_angles(generator(1), 2, 3)
    assert torch.equal(circuit.columns(theta)[1, 2], circuit.columns(theta[1, 2]))
    together = click_probabilities(circuit.columns(theta), [0, 3])
    torch.testing.assert_close(together[1, 2], click_probabilities(circuit.columns(theta[1, 2]), [0, 3]), atol=1e-14, rtol=0)


@pytest.mark.parametrize("half_angle", [False, True])
def test_matrix_and_click_probabilities_are_percevals(half_angle: bool) -> None:
    pcvl = pytest.importorskip("perceval")
    circuit = TimeBin(6, 2, half_angle=half_angle)
    theta = circuit.random_angles(generator(2))
    device, values = pcvl.Circuit(6), iter(theta.tolist())
    for _ in range(2):
        for i in range(5):
            # Perceval's Ry turns by half of its angle, in the other sense.
            device.add((i, i + 1), pcvl.BS.Ry(theta=-next(values) * (1 if half_angle else 2)))
    unitary = torch.tensor(device.compute_unitary().real.copy(), dtype=torch.float64)
    torch.testing.assert_close(circuit.matrix(theta), unitary, atol=1e-12, rtol=0)
    processor = pcvl.Processor("SLOS", device)
    processor.min_detected_photons_filter(0)
    processor.with_input(pcvl.BasicState([1, 0, 1, 0, 1, 0]))
    truth = [0.0] * 64
    for state, probability in processor.probs(precision=0)["results"].items():
        truth[int("".join(str(min(n, 1)) for n in state), 2)] += probability
    found = click_probabilities(circuit.columns(theta), list(range(6)))
    torch.testing.assert_close(found, torch.tensor(truth, dtype=torch.float64), atol=1e-10, rtol=0)


@pytest.mark.parametrize("distinguishable", [False, True])
@pytest.mark.parametrize("state", [None, (0, 2, 0, 1, 0), (1, 1, 1, 1, 0)])
@pytest.mark.parametrize("half_angle", [False, True])
def test_probabilities_are_even_in_the_angles(state: tuple[int, ...] | None, distinguishable: bool, half_angle: bool) -> None:
    """All signs turned at once are signs of every other bin: around zero SPSA finds no slope but that of shot noise."""
    circuit = TimeBin(5, 2, state, half_angle)
    theta = circuit.random_angles(generator(4))
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(circuit.matrix(-theta), signs[:, None] * circuit.matrix(theta) * signs)
    one, other = (click_probabilities(circuit.columns(sign * theta), [0, 1, 2, 3, 4], distinguishable) for sign in (1, -1))
    torch.testing.assert_close(one, other, atol=1e-14, rtol=0)


@pytest.mark.parametrize("distinguishable", [False, True])
@pytest.mark.parametrize("state", [None, (0, 2, 0, 1, 0), (3, 0, 0, 0, 0), (1, 1, 1, 1, 0)])
@pytest.mark.parametrize("watched", [[0, 1, 2, 3, 4], [3, 1], [2]])
def test_click_probabilities_are_sums_over_outcomes(state: tuple[int, ...] | None, watched: list[int], distinguishable: bool) -> None:
    circuit = TimeBin(5, 2, state)
    theta = circuit.random_angles(generator(3))
    found = click_probabilities(circuit.columns(theta), watched, distinguishable)
    truth = torch.tensor(patterns_one_by_one(circuit, theta, watched, distinguishable), dtype=torch.float64)
    torch.testing.assert_close(found, truth, atol=1e-12, rtol=0)


@pytest.mark.parametrize("distinguishable", [False, True])
@pytest.mark.parametrize("state", [None, (0, 2, 0, 1, 0, 0)])
def test_clicks_follow_the_exact_probabilities(state: tuple[int, ...] | None, distinguishable: bool) -> None:
    circuit = TimeBin(6, 2, state)
    theta = circuit.random_angles(generator(4))
    shots = 20_000
    clicked = clicks(circuit.sample(theta, shots, generator(5), distinguishable), 6)
    found = Counter(int("".join(str(int(c)) for c in shot), 2) for shot in clicked.tolist())
    expected = [shots * p for p in patterns_one_by_one(circuit, theta, list(range(6)), distinguishable)]
    assert all(expected[number] > 1e-9 for number in found)
    often = [number for number, e in enumerate(expected) if e >= 5]
    observed = [found[number] for number in often]
    wanted = [expected[number] for number in often]
    assert chisquare([*observed, shots - sum(observed)], [*wanted, shots - sum(wanted)]).pvalue > 1e-3


def test_interference_shows_where_photons_cannot_be_told_apart() -> None:
    circuit = TimeBin(2, 1, (1, 1))
    theta = torch.tensor([math.pi / 4])
    columns = circuit.columns(theta)
    assert float(click_probabilities(columns, [0, 1])[3]) == pytest.approx(0, abs=1e-12)
    assert float(click_probabilities(columns, [0, 1], True)[3]) == pytest.approx(0.5)
    first, second = circuit.sample(theta, 500, generator(6)).T
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"modes": 1}, "at least 2 modes"),
        ({"tiles": 0}, "1 tile"),
        ({"modes": 4, "input_state": (1, 0, 1)}, "expected 4 photon numbers"),
        ({"modes": 3, "input_state": (0, 0, 0)}, "at least one photon"),
        ({"modes": 3, "input_state": (2, -1, 0)}, "none negative"),
    ],
)
def test_impossible_interferometers_are_refused(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TimeBin(**arguments)


def test_a_wrong_number_of_angles_or_watched_modes_is_refused() -> None:
    with pytest.raises(ValueError, match="have 30"):
        TimeBin().columns(torch.zeros(15))
    with pytest.raises(ValueError, match="at most 16"):
        click_probabilities(torch.eye(20, dtype=torch.float64)[:, :2], list(range(17)))
