"""Figures of the adapters: nats a token against trained numbers, and differences with intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from lightweights.report.figure import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    TWO_COLUMNS,
    VERMILLION,
    WORDS,
    styled,
    without_runs,
)
from lightweights.report.results import Results
from lightweights.report.statistics import summarise

from .comparisons import BUDGETS, CEILING, LABELS, MARGIN, PHOTONIC, VALUE, differences, of_arm, secondary

LOOKS = {
    "photonic": (VERMILLION, "D"),
    "mps-only": (BLUE, "o"),
    "product-free": (SKY, "^"),
    "classical-light": (ORANGE, "v"),
    "distinguishable": (PURPLE, "x"),
    "photonic-frozen": (GREY, "s"),
    "gaussian-fixed": (GREY, "+"),
    "lora": (GREEN, "*"),
    "subspace": (BLACK, "P"),
    "vera": (GREEN, "1"),
    "low-rank": (BLACK, "_"),
    "affine": (ORANGE, "<"),
    "affine-angles": (ORANGE, ">"),
}
"""Colour and marker of each arm."""
SPREAD = 0.22
"""How far apart the arms of a budget stand, as powers of ten to both sides."""


@styled
def adapters_numbers(results: Results) -> Figure:
    """A dot a seed, a bar the mean of an arm; arms of a budget stand beside each other. Lines: no adapter, and all numbers trained."""
    figure = Figure(figsize=(TWO_COLUMNS, 3.7), layout="constrained")
    there = {(arm, budget): own for budget in BUDGETS for arm in LABELS if len(own := of_arm(results.runs, arm, budget))}
    if not there:
        return without_runs(figure)
    axis = figure.subplots()
    shifts = dict(zip(LABELS, 10 ** np.linspace(-SPREAD, SPREAD, len(LABELS)), strict=True))
    for (arm, budget), own in there.items():
        colour, marker = LOOKS[arm]
        x, values = budget * shifts[arm], own[VALUE].to_numpy(dtype=float)
        label = LABELS[arm] if budget == min(b for a, b in there if a == arm) else None
        axis.plot(np.full(len(values), x), values, marker, color=colour, markersize=3.4, alpha=0.75, label=label)
        axis.plot([x * 0.985, x * 1.015], [values.mean()] * 2, color=colour, linewidth=1.8)
    _line(axis, results.of("adapters_frozen"), "-", "no adapter")
    _line(axis, of_arm(results.runs, "lora", CEILING), ":", f"LoRA, all {CEILING:,} numbers")
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(sorted({budget for _, budget in there})))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set(xlabel="Budget of trained numbers", ylabel="Nats a token of the test texts")
    figure.legend(loc="outside lower center", ncols=5)
    return figure


def _line(axis: Axes, own: pd.DataFrame, style: str, label: str) -> None:
    if len(own) and VALUE in own:
        axis.axhline(summarise(own[VALUE]).mean, color=BLACK, linestyle=style, linewidth=0.9, label=label)


@styled
def adapters_differences(results: Results) -> Figure:
    """Photons minus every other arm at each budget, mean and 95 % t interval; the band is the margin of the plan."""
    figure = Figure(figsize=(TWO_COLUMNS, 3.4), layout="constrained")
    parts = [part for part in (differences(results.runs), secondary(results.runs)) if len(part)]
    data = pd.concat(parts) if parts else differences(results.runs)
    data = data[(data.arm == PHOTONIC) & (data.minus_budget != CEILING)] if len(data) else data
    if data.empty:
        return without_runs(figure)
    budgets = [budget for budget in BUDGETS if (data.budget == budget).any()]
    others = [arm for arm in LABELS if (data.minus == arm).any()]
    axes = figure.subplots(1, len(budgets), sharey=True, sharex=True, squeeze=False)[0]
    for axis, budget in zip(axes, budgets, strict=True):
        axis.axvspan(-MARGIN, MARGIN, color="#eeeeee", zorder=0)
        axis.axvline(0, color=BLACK, linewidth=0.6)
        for row in data[data.budget == budget].itertuples():
            colour, marker = WORDS.get(row.word, (BLACK, "."))
            reach = 0.0 if np.isnan(row.ci95_low) else row.mean - row.ci95_low
            axis.errorbar(row.mean, others.index(row.minus), xerr=reach, fmt=marker, color=colour, elinewidth=0.9)
        axis.set_title(f"{budget:,} trained numbers", fontsize=7.5)
        axis.set_xlabel("Photons minus the other (nats)")
    axes[0].set_yticks(range(len(others)), [LABELS[arm] for arm in others])
    axes[0].invert_yaxis()
    handles = [axes[0].plot([], [], marker, color=colour, label=word)[0] for word, (colour, marker) in WORDS.items()]
    handles.append(axes[0].plot([], [], ".", color=BLACK, label="not among the plan's contrasts")[0])
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure
