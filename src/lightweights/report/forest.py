"""All judged claims in one picture: published, independent and ours, each as its distance from the published number in tolerances.

In that unit quantities can stand below each other: within ±1 a mean counts as reproduced, whatever it is a mean of.
"""

import itertools
import math
import textwrap
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lightweights.report.chapter import chapters
from lightweights.report.figure import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, TWO_COLUMNS, VERMILLION, styled, without_runs
from lightweights.report.measures import measure, plain
from lightweights.report.results import Results
from lightweights.report.statistics import from_numbers
from lightweights.report.verdicts import FAILS, HIGHER, HOLDS, LOWER, NOT_COMPARABLE, OPEN, REPRODUCED, TOO_FEW, is_wide, on_several

LONGEST = 38
"""Characters of a line of a label."""
MORE = 0.8
"""The height of a further line of a label, in rows."""
REACH = 6.0
"""Tolerances to either side that are drawn; what lies beyond stands at the edge with an arrow."""
LOOKS = {
    REPRODUCED: (BLUE, "o"),
    HIGHER: (VERMILLION, "^"),
    LOWER: (VERMILLION, "v"),
    OPEN: (ORANGE, "s"),
    HOLDS: (GREEN, "P"),
    FAILS: (VERMILLION, "X"),
    TOO_FEW: (GREY, "."),
    NOT_COMPARABLE: (GREY, "x"),
}
"""Colour and marker of each verdict."""
WIDE = "reproduced, wide"
HOLLOW: dict[str, Any] = {"color": PURPLE, "marker": "D", "markerfacecolor": "white", "markersize": 3.2, "linestyle": "none"}
"""Of independent numbers."""
SHORT = {"test_accuracy_percent": "test", "train_accuracy_percent": "train", "generalisation_error": "gap"}
SHORT |= {"relative_accuracy_loss_percent": "relative loss", "worst_test_accuracy_drop_points": "worst drop"}


@styled
def forest(results: Results) -> Figure:
    """Every judged claim that has a tolerance: published with its 95 % interval, ours with its own, what others found as a hollow diamond.
    How many have none, and are not drawn, stands below.
    """
    rows = forest_rows(results.scores)
    figure = Figure(figsize=(TWO_COLUMNS, 2.0), layout="constrained")
    figure.set_layout_engine("constrained", w_pad=0.08)  # inches: names at the left edge are as long as they are
    if rows.empty:
        return without_runs(figure)
    titles = {chapter.name: chapter.title for chapter in chapters()}
    lines: list[Any] = []
    for chapter, part in rows.groupby("chapter", sort=False):
        lines += [titles.get(str(chapter), str(chapter)), *part.index]
    columns = in_columns(lines, rows.label)
    heights = [_heights(column, rows.label) for column in columns]
    tallest = max(map(sum, heights))
    figure.set_figheight(1.4 + 0.115 * max(4, tallest + 1))
    for axis, column, height in zip(figure.subplots(1, 2), columns, heights, strict=True):
        _column(axis, column, rows, height, tallest)
    seen, order = set(rows.shown), (REPRODUCED, WIDE, OPEN, HIGHER, LOWER, HOLDS, FAILS, TOO_FEW, NOT_COMPARABLE)
    handles = [_handle(verdict) for verdict in order if verdict in seen]
    handles.append(Line2D([], [], color="#bbbbbb", linewidth=4, label="published, 95 % interval"))
    if rows.independent.notna().any():
        handles.append(Line2D([], [], label="independent", **HOLLOW))
    unit = "each in its tolerance (accuracies 1 point, gaps 0.02 nats)"
    title = f"Ours minus published, {unit}; bars: our 95 % interval; band: counts as reproduced"
    if undrawn := int(((results.scores.n > 0) & results.scores.verdict.isin(LOOKS)).sum()) - len(rows):
        title += f".\nNot drawn, as they have no tolerance: {undrawn} judged ranges and bounds (scorecard)"
    figure.legend(handles=handles, loc="outside lower center", ncols=5, title=title)
    return figure


def in_columns(lines: list[Any], labels: Mapping[Any, str] = MappingProxyType({})) -> list[list[Any]]:
    """Lines in two columns of about one height: a heading stands with what it heads, and again over the rest of it."""
    ends = np.cumsum(_heights(lines, labels))
    half = int(np.searchsorted(ends, ends[-1] / 2)) + 1 if lines else 0
    half -= half > 0 and isinstance(lines[half - 1], str)
    columns = [lines[:half], lines[half:]]
    if columns[0] and columns[1] and not isinstance(columns[1][0], str):
        heading = [line for line in columns[0] if isinstance(line, str)][-1]
        columns[1].insert(0, f"{heading}, continued")
    return columns


def _heights(lines: list[Any], labels: Mapping[Any, str]) -> list[float]:
    """The height of each line, in rows: a label of several lines has room for them."""
    return [1 + MORE * labels.get(line, "").count("\n") for line in lines]


def forest_rows(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a judged claim that gives a number: ``chapter label shown`` (the verdict), and ``ours low high``, ``published_low
    published_high``, ``independent`` as distances from the published mean in tolerances.
    """
    rows, shown = [], list(scores[scores.verdict.isin(LOOKS) & (scores.n > 0)].itertuples())
    for row in shown:
        try:
            published = float(row.reported)
        except ValueError:  # "6 to 12": a range has no place on this axis
            continue
        unit = measure(row.quantity).allowed(published)
        if not unit:  # a bound, of which no distance is allowed
            continue
        known = row.reported_sd_ddof1 is not None and not pd.isna(row.reported_sd_ddof1)
        own = from_numbers(published, float(row.reported_sd_ddof1), int(row.reported_n)) if known else None
        rows.append(
            {"chapter": row.chapter, "label": _words(row, shown), "shown": WIDE if is_wide(row) else row.verdict}
            | {name: (value - published) / unit for name, value in _values(row).items()}
            | {"published_low": (own.low - published) / unit if own else math.nan}
            | {"published_high": (own.high - published) / unit if own else math.nan}
        )
    columns = ["chapter", "label", "shown", "ours", "low", "high", "independent", "published_low", "published_high"]
    labels = [
        label for _, part in itertools.groupby(rows, key=lambda row: row["chapter"]) for label in _labels([row["label"] for row in part])
    ]
    return pd.DataFrame(rows, columns=columns).assign(label=labels)


def _labels(rows: list[list[str]]) -> list[str]:
    """What tells the rows of a chapter apart: words that all of them share are left out, and what is still too long has several lines."""
    shared = set.intersection(*map(set, rows)) if len(rows) > 1 else set()
    texts = [", ".join(word for word in words if word not in shared) or ", ".join(words) for words in rows]
    return [textwrap.fill(text, LONGEST) for text in texts]


def _values(row: Any) -> Mapping[str, float]:
    return {"ours": row.mean, "low": row.ci95_low, "high": row.ci95_high, "independent": row.independent_mean}


def _words(row: Any, rows: list[Any]) -> list[str]:
    """Method, setting, quantity: what a row is about, in pieces; with its data set where the same stands among ``rows`` of another."""
    setting = row.setting.replace("bond_dim=", "bond dimension ").replace("shared_rows=", "rows ").replace("=", " ")
    words = "" if row.setting.startswith("bond_dim") else row.method.replace("_", " ").replace(" qt", " QT")
    quantity = SHORT.get(plain(row.quantity), plain(row.quantity).removesuffix("_percent").removesuffix("_points").replace("_", " "))
    if row.quantity.endswith("_below"):
        quantity = f"{quantity} below {row.reported}"
    if row.verdict == NOT_COMPARABLE and not pd.isna(row.reported_parameters):
        setting = f"{row.reported_parameters} numbers"
    return [part for part in (row.dataset if on_several(row, rows) else "", words, *setting.split(", "), quantity) if part]


def _column(axis: Axes, lines: list[Any], rows: pd.DataFrame, heights: list[float], tallest: float) -> None:
    axis.axvspan(-1, 1, color="#d9e8f2", linewidth=0, zorder=0)
    axis.axvline(0, color=BLACK, linewidth=0.7, zorder=1)
    places = np.cumsum(heights) - np.array(heights) / 2 - 0.5
    for place, line in zip(places, lines, strict=True):
        if isinstance(line, str):
            axis.text(-REACH, place, line, fontweight="bold", fontsize=6.5, va="center", ha="left", zorder=6)
            continue
        row = rows.loc[line]
        colour, marker = LOOKS[REPRODUCED if row.shown == WIDE else row.shown]
        if not math.isnan(row.published_low):
            low, high = max(row.published_low, -REACH), min(row.published_high, REACH)
            axis.plot([low, high], [place, place], color="#bbbbbb", linewidth=4, solid_capstyle="butt", zorder=2)
        if not math.isnan(row.low):
            axis.plot([max(row.low, -REACH), min(row.high, REACH)], [place, place], color=colour, linewidth=0.9, zorder=3)
        face = "white" if row.shown == WIDE else colour
        beyond = abs(row.ours) > REACH
        shown = math.copysign(REACH, row.ours) if beyond else row.ours
        symbol = (">" if row.ours > 0 else "<") if beyond else marker
        look = {"color": colour, "markerfacecolor": face, "markersize": 3.6, "linestyle": "none", "zorder": 4, "clip_on": False}
        axis.plot(shown, place, marker=symbol, **look)
        if not math.isnan(row.independent):
            axis.plot(max(-REACH, min(REACH, row.independent)), place, zorder=5, clip_on=False, **HOLLOW)
    ticks = [(place, rows.label[line]) for place, line in zip(places, lines, strict=True) if not isinstance(line, str)]
    axis.set_yticks([place for place, _ in ticks], [label for _, label in ticks], fontsize=5.8)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)
    axis.set_xlim(-REACH, REACH)
    axis.set_ylim(tallest + 0.6, -0.8)
    axis.set_xticks([-5, -3, -1, 0, 1, 3, 5])


def _handle(verdict: str) -> Line2D:
    colour, marker = LOOKS[REPRODUCED if verdict == WIDE else verdict]
    face = "white" if verdict == WIDE else colour
    return Line2D([], [], color=colour, marker=marker, markerfacecolor=face, linestyle="none", markersize=3.6, label=verdict)
