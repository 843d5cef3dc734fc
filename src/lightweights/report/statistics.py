"""Means, intervals and comparisons, as the analysis plan fixes them: sd with ddof = 1, two-sided 95 % t intervals.

Welch's interval and its degrees of freedom follow Welch, Biometrika 34 (1947) 28; Holm's correction, Scand. J. Stat. 6
(1979) 65; the two one-sided tests, Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987) 657.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit  # of t; scipy.stats, which calls them too, takes half a second to import

CONFIDENCE = 0.95
SAME = 1e-9
"""An sd below this is that of equal values: means of decimal fractions are not exact in binary."""
RESAMPLES = 10_000
FEW = 10
"""Below so many values, intervals by bootstrap and probabilities of improvement stand beside t intervals."""
MOST_SEEDS = 1000
"""Searched for a number of seeds that would do."""


@dataclass(frozen=True)
class Summary:
    """Mean, sd (ddof = 1) and t interval of n values; nan where n is too small for one."""

    n: int
    mean: float
    sd: float
    low: float
    high: float

    @property
    def one_value(self) -> bool:
        """Whether several values are all the same: their interval has no width, which is no certainty."""
        return self.n > 1 and self.sd < SAME

    def columns(self, prefix: str = "") -> dict[str, float]:
        """As columns of a table of data."""
        values = {"n": self.n, "mean": self.mean, "sd_ddof1": self.sd, "ci95_low": self.low, "ci95_high": self.high}
        return {f"{prefix}{name}": value for name, value in values.items()}


@dataclass(frozen=True)
class Difference:
    """A difference of two means with its interval, and p of the t test that it is 0; nan where an arm is too small for one."""

    value: float
    low: float
    high: float
    p: float = math.nan

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        return (self.high - self.low) / 2


def summarise(values: Sequence[float] | np.ndarray | pd.Series) -> Summary:
    """Summary of independent values; missing ones are left out."""
    array = np.asarray(values, dtype=float)
    array = array[~np.isnan(array)]
    n = len(array)
    return from_numbers(float(array.mean()) if n else math.nan, float(array.std(ddof=1)) if n > 1 else math.nan, n)


def from_numbers(mean: float, sd: float, n: int) -> Summary:
    """Summary from a mean and an sd (ddof = 1) that someone else computed."""
    half = _quantile(n - 1) * sd / math.sqrt(n) if n > 1 else math.nan
    return Summary(n, mean, sd, mean - half, mean + half)


def span(counts: Iterable[int]) -> str:
    """The smallest and the largest of some counts in words: "3", or "3 to 5"."""
    low, high = min(found := list(counts)), max(found)
    return str(low) if low == high else f"{low} to {high}"


def sample_sd(population_sd: float, n: int) -> float:
    """The sd with ddof = 1 from one with ddof = 0 over n >= 2 values; nan for n < 2."""
    return population_sd * math.sqrt(n / (n - 1)) if n > 1 else math.nan


def welch_difference(first: Summary, second: Summary) -> Difference:
    """``first`` minus ``second`` with Welch's interval for unequal variances."""
    value = first.mean - second.mean
    if min(first.n, second.n) < 2:
        return Difference(value, math.nan, math.nan)
    variances = first.sd**2 / first.n, second.sd**2 / second.n
    total = sum(variances)
    if total == 0:
        return Difference(value, value, value)
    freedom = total**2 / (variances[0] ** 2 / (first.n - 1) + variances[1] ** 2 / (second.n - 1))
    half = _quantile(freedom) * math.sqrt(total)
    return Difference(value, value - half, value + half, _two_sided(abs(value) / math.sqrt(total), freedom))


def difference_to(ours: Summary, value: float) -> Difference:
    """Our mean minus a number that is taken as exact, with the t interval of our mean; equal values leave nothing to test by."""
    p = math.nan
    if ours.n > 1 and not ours.one_value:
        p = _two_sided(abs(ours.mean - value) / _standard_error(ours), ours.n - 1)
    return Difference(ours.mean - value, ours.low - value, ours.high - value, p)


def paired_difference(first: pd.Series, second: pd.Series) -> tuple[Summary, float]:
    """``first`` minus ``second`` over the index values (seeds) that both have: summary, and p of the paired t test.

    p is nan for fewer than two pairs; differences that are all the same number give 0, or 1 if that number is 0.
    """
    values = (first - second).dropna()
    summary = summarise(values)
    if summary.n < 2:
        return summary, math.nan
    if summary.sd == 0:
        return summary, 1.0 if summary.mean == 0 else 0.0
    return summary, _two_sided(abs(summary.mean) / _standard_error(summary), summary.n - 1)


def paired_by_seed(first: pd.DataFrame, second: pd.DataFrame, column: str) -> tuple[Summary, float]:
    """The same of a column of two groups of runs, one run a seed in each."""
    return paired_difference(first.set_index("seed")[column], second.set_index("seed")[column])


def tost(difference: Summary, margin: float) -> float:
    """p of equivalence: the larger p of the two one-sided t tests that the true difference lies within +-margin > 0."""
    if margin <= 0:
        raise ValueError(f"margin of equivalence is {margin}; it must be above 0")
    if difference.n < 2:
        return math.nan
    if difference.sd == 0:
        return 0.0 if abs(difference.mean) < margin else 1.0
    error = _standard_error(difference)
    above = stdtr(difference.n - 1, -(difference.mean + margin) / error)
    below = stdtr(difference.n - 1, (difference.mean - margin) / error)
    return float(max(above, below))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p values, in the order given; they keep the family-wise error rate when compared with 0.05."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def one_sided(summary: Summary) -> tuple[float, float]:
    """The lower and the upper one-sided 95 % bound of a mean; each holds with 95 %, both together with 90 %."""
    if summary.n < 2:
        return math.nan, math.nan
    half = float(stdtrit(summary.n - 1, CONFIDENCE)) * _standard_error(summary)
    return summary.mean - half, summary.mean + half


def sign_test(differences: Iterable[float]) -> tuple[int, int, float]:
    """How many of n differences are above 0, n (zeros left out), and the two-sided p of the sign test; nan without any."""
    signs = [value > 0 for value in differences if value != 0 and not math.isnan(value)]
    above, n = sum(signs), len(signs)
    fewer = sum(math.comb(n, k) for k in range(min(above, n - above) + 1))
    return above, n, min(1.0, 2 * fewer / 2**n) if n else math.nan


def bootstrap(values: Sequence[float] | np.ndarray | pd.Series) -> tuple[float, float]:
    """The 95 % percentile interval of the mean by resampling, always with the same draws; nan for fewer than two values.

    Of few values it is too narrow (of 3 there are 10 different resamples), and it never leaves their range: it stands beside the t
    interval, as Agarwal et al. (NeurIPS 2021) advise for few runs, and decides nothing.
    """
    array = np.asarray(values, dtype=float)
    array = array[~np.isnan(array)]
    if len(array) < 2:
        return math.nan, math.nan
    drawn = np.random.default_rng(0).integers(len(array), size=(RESAMPLES, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def improvement(first: Iterable[float], second: Iterable[float]) -> float:
    """The probability that a run of ``first`` lies above one of ``second``, ties counting half (Agarwal et al., NeurIPS 2021)."""
    a, b = (np.asarray(list(values), dtype=float) for values in (first, second))
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if not len(a) or not len(b):
        return math.nan
    return float(((a[:, None] > b[None, :]) + 0.5 * (a[:, None] == b[None, :])).mean())


def seeds_needed(sd: float, half_width: float, beside: Summary | None = None, level: float = 1 - CONFIDENCE) -> int | None:
    """The least number of our seeds of that sd at which the interval of level 1 - ``level`` reaches no further than ``half_width``; Welch's
    where a published mean stands ``beside``. None where no number up to ``MOST_SEEDS`` does.
    """
    other = (beside.sd**2 / beside.n, beside.n - 1) if beside is not None else (0.0, 1)
    for n in range(2, MOST_SEEDS + 1):
        own = sd**2 / n
        if own + other[0] == 0:
            return n
        freedom = (own + other[0]) ** 2 / (own**2 / (n - 1) + other[0] ** 2 / other[1])
        if float(stdtrit(freedom, 1 - level / 2)) * math.sqrt(own + other[0]) <= half_width:
            return n
    return None


def _standard_error(summary: Summary) -> float:
    return summary.sd / math.sqrt(summary.n)


def _quantile(freedom: float) -> float:
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def _two_sided(t: float, freedom: float) -> float:
    """p of a t at least so large, either way; t is not negative."""
    return float(2 * stdtr(freedom, -t))
