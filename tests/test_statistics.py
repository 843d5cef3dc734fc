import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lightweights.report.comparisons import outcomes
from lightweights.report.statistics import Summary, from_numbers, holm, paired_difference, sample_sd, summarise, tost, welch_difference

values = st.lists(st.floats(-100, 100, allow_nan=False), min_size=2, max_size=8).filter(lambda v: np.std(v) > 1e-3)


def test_summary_of_three_values_by_hand():
    summary = summarise([1.0, 2.0, 3.0])
    assert (summary.n, summary.mean, summary.sd) == (3, 2.0, 1.0)
    assert summary.low == pytest.approx(2 - 4.302652729911275 / math.sqrt(3))
    assert summary.high == pytest.approx(2 + 4.302652729911275 / math.sqrt(3))


def test_one_value_has_a_mean_and_no_spread():
    summary = summarise([5.0])
    assert summary.n == 1 and summary.mean == 5.0
    assert all(math.isnan(x) for x in (summary.sd, summary.low, summary.high))


def test_no_value_has_no_mean():
    assert summarise([]).n == 0 and math.isnan(summarise([]).mean)


def test_missing_values_do_not_count():
    assert summarise([1.0, math.nan, 3.0]) == summarise([1.0, 3.0])


@given(values)
def test_interval_agrees_with_scipy(v):
    expected = stats.ttest_1samp(v, 0).confidence_interval(0.95)
    summary = summarise(v)
    assert (summary.low, summary.high) == pytest.approx(tuple(expected), abs=1e-9)


@given(values)
def test_population_sd_converts_to_the_sample_sd(v):
    assert sample_sd(float(np.std(v)), len(v)) == pytest.approx(float(np.std(v, ddof=1)))


def test_one_value_has_no_sample_sd():
    assert math.isnan(sample_sd(0.0, 1))


@given(values, values)
def test_welch_interval_from_summaries_agrees_with_scipy_on_the_values(a, b):
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    difference = welch_difference(summarise(a), summarise(b))
    assert (difference.low, difference.high) == pytest.approx(tuple(expected), abs=1e-9)


def test_welch_of_constant_arms_is_a_point():
    difference = welch_difference(from_numbers(3.0, 0.0, 3), from_numbers(1.0, 0.0, 3))
    assert (difference.value, difference.low, difference.high) == (2.0, 2.0, 2.0)


def test_welch_needs_two_values_an_arm():
    difference = welch_difference(summarise([3.0]), summarise([1.0, 2.0]))
    assert difference.value == 1.5 and math.isnan(difference.low)


def test_pairs_are_made_by_seed_and_lonely_seeds_left_out():
    first = pd.Series([90.0, 92.0, 95.0, 50.0], index=[2, 0, 1, 7])
    second = pd.Series([91.0, 93.5, 89.5], index=[0, 1, 2])
    summary, p = paired_difference(first, second)
    assert summary.n == 3
    assert summary.mean == pytest.approx((0.5 + 1.0 + 1.5) / 3)
    assert p == pytest.approx(stats.ttest_rel([92, 95, 90], [91, 93.5, 89.5]).pvalue)


def test_paired_difference_of_equal_arms_is_no_difference():
    same = pd.Series([1.0, 2.0, 3.0])
    summary, p = paired_difference(same, same)
    assert summary.mean == 0 and p == 1.0


def test_one_pair_has_no_p():
    assert math.isnan(paired_difference(pd.Series([1.0]), pd.Series([2.0]))[1])


@given(values, st.floats(0.1, 50))
def test_equivalence_agrees_with_two_one_sided_scipy_tests(v, margin):
    above = stats.ttest_1samp(v, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(v, margin, alternative="less").pvalue
    assert tost(summarise(v), margin) == pytest.approx(max(above, below), abs=1e-12)


def test_equivalence_is_significant_exactly_when_the_90_percent_interval_lies_within_the_margin():
    summary = summarise([0.1, -0.1, 0.2, 0.0, 0.05])
    low, high = stats.t.interval(0.90, 4, summary.mean, summary.sd / math.sqrt(5))
    edge = max(abs(low), abs(high))
    assert tost(summary, edge * 1.001) < 0.05 < tost(summary, edge * 0.999)


def test_margin_of_equivalence_must_be_positive():
    with pytest.raises(ValueError, match="margin"):
        tost(Summary(3, 0.0, 1.0, -1.0, 1.0), 0.0)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_never_exceeds_one():
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_lies_between_no_correction_and_bonferroni(p):
    adjusted = holm(p)
    assert np.all(adjusted >= np.asarray(p)) and np.all(adjusted <= np.minimum(np.asarray(p) * len(p), 1.0) + 1e-12)


def test_outcomes_are_sorted_by_what_their_words_say():
    table = pd.DataFrame({"word": ["open", "differs", "equivalent", "differs"], "mean": [0.3, -2.0, 0.0, 1.0]})
    places = lambda better: {name: [row.Index for row in part] for name, part in outcomes(table.itertuples(), better).items()}  # noqa: E731
    assert places(1) == {"better": [3], "worse": [1], "equivalent": [2], "open": [0]}
    assert places(-1) == {"better": [1], "worse": [3], "equivalent": [2], "open": [0]}
    assert outcomes([]) == {}
