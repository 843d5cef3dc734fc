"""Series and windows of the sequence chapter, against other ways to compute them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from chapters.distributed_qlstm import data
from chapters.distributed_qlstm.series import SERIES, digest, narma2, series, sinusoidal_inputs
from chapters.distributed_qlstm.windows import TRANSIENT, Windows, cut, r2
from lightweights.datasets import DataError, from_tensors, to_tensors


@pytest.mark.whole
@pytest.mark.parametrize("name", SERIES)
def test_series_are_the_pinned_ones(name):
    assert digest(series(name)) == data.DIGESTS[name]


def test_data_sets_are_the_pinned_series_and_others_are_refused(monkeypatch):
    assert np.array_equal(data.values_of(data.oscillator()), series("oscillator"))
    monkeypatch.setitem(data.DIGESTS, "narma2", "0" * 64)
    with pytest.raises(DataError, match="series narma2: its values have SHA-256"):
        data.narma2()


def runge_kutta(slope, state, step, steps):
    """Classical fourth order; rows are the state after 0, 1, 2, ... steps."""
    states = [np.array(state)]
    for _ in range(steps):
        y = states[-1]
        k1 = slope(y)
        k2 = slope(y + step / 2 * k1)
        k3 = slope(y + step / 2 * k2)
        k4 = slope(y + step * k3)
        states.append(y + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(states)


def test_the_oscillator_is_that_of_small_fixed_steps():
    found = runge_kutta(lambda y: np.array([y[1], -0.15 * y[1] - 9.81 * np.sin(y[0])]), [0.0, 3.0], 20 / 239 / 40, 239 * 40)
    assert np.abs(found[::40, 1] - series("oscillator")).max() < 2e-6


@pytest.mark.whole
def test_the_delay_equation_is_that_of_small_fixed_steps():
    # Heun's rule on a grid that holds the delay, so that what is delayed is always a grid point.
    step, behind = 0.01, 1700
    x = np.full(behind + 1 + 60_000, 1.2)
    for t in range(behind, len(x) - 1):
        early, late = x[t - behind], x[t - behind + 1]
        first = 0.2 * early / (1 + early**10) - 0.1 * x[t]
        second = 0.2 * late / (1 + late**10) - 0.1 * (x[t] + step * first)
        x[t + 1] = x[t] + step / 2 * (first + second)
    times = 120 + 6 * np.arange(60)
    assert np.abs(x[behind + np.rint(times / step).astype(int)] - series("mackey-glass")[:60]).max() < 2e-4


def test_narma_follows_its_recurrence_from_the_inputs_before():
    u, y = sinusoidal_inputs(), series("narma2")
    assert y[0] == 0 and y[1] == pytest.approx(0.6 * u[0] ** 3 + 0.1, abs=1e-6)
    assert y[2] == pytest.approx(0.4 * y[1] + 0.6 * u[1] ** 3 + 0.1, abs=1e-6)
    assert np.allclose(y[3:], 0.4 * y[2:-1] + 0.4 * y[2:-1] * y[1:-2] + 0.6 * u[2:-1] ** 3 + 0.1, atol=2e-6)
    later = u.copy()
    later[100] += 0.1
    assert np.array_equal(narma2(later)[:101], narma2(u)[:101]) and narma2(later)[101] != narma2(u)[101]


def test_the_published_protocol_has_the_counts_of_its_code():
    parts = cut(series("oscillator"), "published")
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (157, 0, 78)


def test_windows_are_four_values_in_order_and_the_next():
    values = np.arange(300.0) ** 2
    for protocol, dropped in (("published", 0), ("fair", TRANSIENT)):
        parts = cut(values, protocol)
        inputs = torch.cat([parts.train.inputs, parts.validation.inputs, parts.test.inputs])
        targets = torch.cat([parts.train.targets, parts.validation.targets, parts.test.targets])
        low, high = (
            values[dropped],
            (values[-1] if protocol == "published" else values[dropped + len(parts.train) + len(parts.validation) + 3]),
        )
        back = (inputs + 1) / 2 * (high - low) + low
        assert np.allclose(back[7], values[dropped + 7 : dropped + 11])
        assert float((targets[7] + 1) / 2 * (high - low) + low) == pytest.approx(values[dropped + 11])


def test_what_fair_training_sees_does_not_depend_on_the_test_part():
    values = series("narma2-random")
    changed = values.copy()
    changed[-90:] *= 10
    ours, theirs = cut(values, "fair"), cut(changed, "fair")
    assert torch.equal(ours.train.inputs, theirs.train.inputs) and torch.equal(ours.validation.targets, theirs.validation.targets)
    assert not torch.equal(ours.test.targets, theirs.test.targets)
    assert not torch.equal(cut(values, "published").train.inputs, cut(changed, "published").train.inputs)


def test_r2_is_one_for_the_truth_and_zero_for_its_mean():
    windows = Windows(torch.zeros(50, 4), torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    assert r2(windows.targets, windows) == 1
    assert r2(windows.targets.mean().expand(50), windows) == pytest.approx(0, abs=1e-12)
    assert r2(-windows.targets, windows) < 0


@pytest.mark.parametrize(
    ("values", "protocol", "says"),
    [(np.arange(300.0), "fairer", "published or fair"), (np.ones(300), "fair", "varies"), (np.arange(20.0), "fair", "too short")],
)
def test_what_cannot_be_cut_is_refused(values, protocol, says):
    with pytest.raises(ValueError, match=says):
        cut(values, protocol)


@pytest.mark.whole
@pytest.mark.parametrize("name", ["oscillator", "narma2", "narma2_random", "mackey_glass"])
def test_a_data_set_gives_the_series_back_to_the_last_digit(name):
    made = getattr(data, name)()
    assert np.array_equal(data.values_of(from_tensors(*to_tensors(made))), series(name.replace("_", "-")))
    assert len(made.tests["test"]) == len(series(name.replace("_", "-"))) - 4 - len(made.train)


def test_windows_that_do_not_follow_each_other_are_refused():
    made = data.narma2()
    with pytest.raises(DataError, match="that follow each other"):
        data.values_of(replace(made, train=made.tests["test"]))
