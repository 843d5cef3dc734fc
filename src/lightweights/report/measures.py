"""What is known of a measured quantity: words, unit, decimals and tolerance, each in one place; and of the test sets, their words.

A quantity is named like a column of runs.csv (``test600_accuracy_percent``) or of a table of claims (``test_accuracy_percent``); its
measure is the one whose suffix it has. A chapter adds measures of its own by ``CHAPTER.measures``.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

NOTHING = "-"
"""A cell without a number."""


@dataclass(frozen=True)
class Measure:
    """One kind of quantity.

    Attributes:
        suffix: How names of such quantities end.
        words: What it is called.
        unit: Of a difference, in words; nothing where a number alone says it.
        decimals: Shown behind the point.
        tolerance: How far a mean may lie from a published one and count as reproduced.
        relative: Whether the tolerance is a share of the published value.
        bounds: The least and the largest value that there can be; intervals are shown as far as these.
    """

    suffix: str
    words: str
    unit: str = ""
    decimals: int = 2
    tolerance: float = 1.0
    relative: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def allowed(self, published: float) -> float:
        """The tolerance at a published value."""
        return self.tolerance * abs(published) if self.relative else self.tolerance


MEASURES = [
    Measure("accuracy_percent", "accuracy (%)", "points", bounds=(0.0, 100.0)),
    Measure("generalisation_error", "gen. error", decimals=3, tolerance=0.02),
    Measure("cross_entropy", "cross-entropy", decimals=4, tolerance=0.1, relative=True),
    Measure("percent", "%", "points"),
    Measure("points", "points", "points"),
]
"""Looked through in this order."""

_UNNAMED = Measure("", "")
_BOUNDS = ("_below", "_about")
"""Endings of quantities that bound a measure in place of giving its value."""


def add_measures(own: Iterable[Measure]) -> None:
    """Make a chapter's measures known, before the general ones."""
    MEASURES[:0] = [measure for measure in own if measure not in MEASURES]


def plain(quantity: str) -> str:
    """The quantity that a claim bounds: ``relative_loss_percent_below`` is about ``relative_loss_percent``."""
    for ending in _BOUNDS:
        quantity = quantity.removesuffix(ending)
    return quantity


def known(quantity: str) -> bool:
    """Whether some measure tells how the quantity is written and judged."""
    return measure(quantity) is not _UNNAMED


def measure(quantity: str) -> Measure:
    """The measure of a quantity; one of two decimals and a tolerance of 1 where none is known."""
    return next((found for found in MEASURES if plain(quantity).endswith(found.suffix)), _UNNAMED)


def format_number(value: float, quantity: str) -> str:
    """A number with the decimals of its quantity; never -0."""
    text = f"{value:.{measure(quantity).decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def significant(value: float, digits: int) -> str:
    """A number rounded to so many digits, never with an exponent: 1,080."""
    return f"{float(f'{value:.{digits}g}'):,.15g}"


FEWEST = 3
"""Values from which on an interval is shown: that of two reaches beyond all that is possible."""


def no_interval(n: float) -> str:
    """What stands in an interval's place where there are too few values."""
    return f"(n = {n:.0f}, no interval)"


def possible(value: float, quantity: str) -> float:
    """An end of an interval, no further than the quantity can be."""
    low, high = measure(quantity).bounds
    return min(max(value, low), high) if not math.isnan(value) else value


def with_interval(value: float, low: float, high: float, quantity: str, signed: bool = False) -> str:
    """A number of a quantity with its interval; ``signed`` for a difference, which has no bounds."""
    if math.isnan(value):
        return NOTHING
    low, high = (low, high) if signed else (possible(low, quantity), possible(high, quantity))
    number, bottom, top = (format_number(x, quantity) for x in (value, low, high))
    sign = "+" if signed and value > 0 else ""
    return f"{sign}{number}" if math.isnan(low) else f"{sign}{number} [{bottom}, {top}]"


@dataclass(frozen=True)
class TestSet:
    """Words for a test set: in a heading, in a legend, of an axis, in a sentence."""

    __test__ = False  # no test class of pytest

    heading: str
    legend: str
    axis: str
    words: str


TEST_SETS = {
    "test600": TestSet("Test 600", "test 600", "600 test images", "the 600 test images"),
    "test10k": TestSet("Test 10k", "test 10k", "10,000 test images", "MNIST's 10,000 test images"),
    "test": TestSet("Test", "test", "test images", "test images"),
}


def test_set(name: str) -> TestSet:
    """Words for a test set; one that is not known is called by its name, in sentences test images."""
    return TEST_SETS.get(name, TestSet(name, name, "test images", "test images"))


test_set.__test__ = False  # type: ignore[attr-defined]


def set_name(column: str) -> str:
    """The test set of a column, in words."""
    return test_set(column.split("_")[0]).words


def heading(column: str) -> str:
    """Heading of a column of a table: the set on the first line, the measure on the second."""
    name = column.partition("_")[0]
    return f"{'Train' if name == 'train' else test_set(name).heading}\n{measure(column).words}"
