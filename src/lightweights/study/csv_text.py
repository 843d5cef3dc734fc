"""Tables as CSV text: what was recorded in full, what was computed with the digits that it deserves."""

import math

import pandas as pd


def to_csv(table: pd.DataFrame) -> str:
    """CSV text: equal values give equal bytes, and floats read back as the same number."""
    return table.to_csv(index=False, lineterminator="\n")


DIGITS, PLACES = 6, 9
"""Of computed numbers, as they are written: significant digits, and places behind the point. Processors differ beyond them."""


def computed_csv(table: pd.DataFrame) -> str:
    """CSV text of numbers that were computed from runs, with the digits that they deserve."""
    floats = table.select_dtypes("float").columns
    return to_csv(table.assign(**{name: table[name].map(deserved) for name in floats}))


def deserved(value: float) -> float:
    """A computed number without the digits in which processors differ; never -0. Whole numbers stay whole."""
    if not math.isfinite(value) or value == round(value):
        return value + 0.0
    return float(f"{round(value, PLACES):.{DIGITS}g}") + 0.0 if abs(value) < 10**DIGITS else round(value)
