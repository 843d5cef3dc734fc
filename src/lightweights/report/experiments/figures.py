"""The figure of an experiment: what its runs reached against what varied, a line for each value of the other varied settings."""

import textwrap
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from lightweights.report.experiments.measured import Variant, heading_of, is_number, measured, told, variants_of
from lightweights.report.figure import BLUE, GREY, ONE_COLUMN, bars_of, ends_of, error_bars, styled, without_runs
from lightweights.report.measures import heading
from lightweights.report.results import Results
from lightweights.report.statistics import span

WIDE = 20.0
"""Ratio of the largest to the smallest value from which on the axis of a varied number is logarithmic."""
MARKERS = "osD^vPX<>"
LONGEST_LABEL = 28
"""Letters of a line of a row's label."""


@styled
def of_experiment(results: Results, experiment: str) -> Figure:
    """Mean over seeds against the varied number that has most values; without a varied number a row a variant, a dot a seed."""
    runs = results.of(experiment)
    column = measured(runs)
    variants = [variant for variant in variants_of(runs, results.study, experiment) if variant.summary.n]
    if not variants or not column:
        return without_runs(Figure(figsize=(ONE_COLUMN, 2.0), layout="constrained"))
    along = _along(variants)
    rows = 2.6 if along else max(1.4, 1.0 + 0.22 * len(variants))
    figure = Figure(figsize=(ONE_COLUMN, rows), layout="constrained")
    axis, bars = figure.subplots(), bars_of(runs)
    label = heading(column).replace("\n", " ")
    if along:
        _lines(axis, variants, along, bars, column)
        axis.set(xlabel=heading_of(along), ylabel=label)
        if axis.get_legend_handles_labels()[1]:
            figure.legend(loc="outside lower center", ncols=2)
    else:
        _rows(axis, variants, bars, column)
        axis.set_xlabel(label)
    counts = [variant.summary.n for variant in variants]
    said = f"Mean over n = {span(counts)} seeds; bars: {bars}" if max(counts) > 1 else "One seed"
    axis.set_title(said, fontsize=6.5, color="#555555", loc="left")
    return figure


def _along(variants: Sequence[Variant]) -> str:
    """The varied number with most values; nothing where no number is varied."""
    values = {path: {told(variant.varied[path]) for variant in variants} for path in variants[0].varied}
    numbers = [path for path in values if is_number(variant.varied[path] for variant in variants) and len(values[path]) > 1]
    return max(numbers, key=lambda path: len(values[path]), default="")


def _lines(axis: Axes, variants: Sequence[Variant], along: str, bars: str, column: str) -> None:
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        rest = {path: value for path, value in variant.varied.items() if path != along}
        words = ", ".join(
            told(value) if isinstance(value, str | dict) else f"{heading_of(path)} {told(value)}" for path, value in rest.items()
        )
        groups.setdefault(words, []).append(variant)
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.8, len(groups))) if len(groups) > 1 else [BLUE]
    for number, (words, group) in enumerate(groups.items()):
        group.sort(key=lambda variant: variant.varied[along])
        x = np.array([float(variant.varied[along]) for variant in group])
        look = {"color": colours[number], "marker": MARKERS[number % len(MARKERS)], "label": words or None}
        error_bars(axis, x, [variant.summary for variant in group], bars, column, **look)
    places = sorted({float(variant.varied[along]) for variant in variants})
    if places[0] > 0 and places[-1] > WIDE * places[0]:
        axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(places))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_locator(NullLocator())


def _rows(axis: Axes, variants: Sequence[Variant], bars: str, column: str) -> None:
    for place, variant in enumerate(variants):
        low, high = ends_of(variant.summary, bars, column)
        axis.plot([low, high], [place, place], color=GREY, linewidth=0.9, zorder=1)
        axis.plot(variant.values, [place] * len(variant.values), linestyle="none", marker="o", color=BLUE, alpha=0.5, markersize=3)
        axis.plot(variant.summary.mean, place, marker="|", color=BLUE, markersize=9, markeredgewidth=1.4)
    said = [", ".join(told(value) for value in variant.varied.values()) or "all runs" for variant in variants]
    axis.set_yticks(range(len(variants)), ["\n".join(textwrap.wrap(words, LONGEST_LABEL)) for words in said])
    axis.set_ylim(len(variants) - 0.5, -0.5)
