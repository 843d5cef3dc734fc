"""Figures of the adapters: what every arm reaches against trained numbers, and differences with intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

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

from .comparisons import LABELS, PHOTONIC, TASKS, Task, differences, secondary

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
SPREAD = 0.32
"""How far the arms of a budget stand from its middle, in steps between budgets."""


@styled
def adapters_numbers(results: Results) -> Figure:
    """A dot a seed, a bar the mean of an arm; arms of a budget stand beside each other. Lines: no adapter, and all numbers trained."""
    figure = Figure(figsize=(TWO_COLUMNS, 4.0), layout="constrained")
    there = [task for task in TASKS if any(len(task.of_arm(results.runs, arm, budget)) for arm in LABELS for budget in task.budgets)]
    if not there:
        return without_runs(figure)
    for axis, task in zip(figure.subplots(1, len(there), squeeze=False)[0], there, strict=True):
        _arms(axis, task, results.runs)
    handles = {label: handle for axis in figure.axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def _arms(axis: Axes, task: Task, runs: pd.DataFrame) -> None:
    there = [arm for arm in LABELS if any(len(task.of_arm(runs, arm, budget)) for budget in task.budgets)]
    shifts = dict(zip(there, np.linspace(-SPREAD, SPREAD, len(there)) if len(there) > 1 else [0.0], strict=True))
    for arm in there:
        colour, marker = LOOKS[arm]
        for place, budget in enumerate(task.budgets):
            values = task.of_arm(runs, arm, budget).get(task.value, pd.Series(dtype=float)).to_numpy(dtype=float)
            if len(values):
                x = place + shifts[arm]
                axis.plot(np.full(len(values), x), values, marker, color=colour, markersize=3.2, alpha=0.7, label=LABELS[arm])
                axis.plot([x - 0.03, x + 0.03], [values.mean()] * 2, color=colour, linewidth=1.8)
    _line(axis, task, task.without_adapters(runs), "-", "no adapter")
    _line(axis, task, task.of_arm(runs, "lora", task.all_numbers), ":", "LoRA, all numbers")
    axis.xaxis.set_major_locator(FixedLocator(range(len(task.budgets))))
    axis.set_xticks(range(len(task.budgets)), [f"{budget:,}" for budget in task.budgets])
    axis.grid(axis="x", visible=False)
    ylabel = "Nats a token of the test texts" if task.better < 0 else "Test accuracy (%)"
    axis.set(xlabel=f"Budget of trained numbers ({task.words})", ylabel=ylabel, xlim=(-0.5, len(task.budgets) - 0.5))


def _line(axis: Axes, task: Task, own: pd.DataFrame, style: str, label: str) -> None:
    if len(own):
        axis.axhline(summarise(own[task.value]).mean, color=BLACK, linestyle=style, linewidth=0.9, label=label)


@styled
def adapters_differences(results: Results) -> Figure:
    """Photons minus every other arm at each budget, mean and 95 % t interval; the band is the margin of the plan."""
    parts = {task: data for task in TASKS if len(data := _against(results.runs, task))}
    figure = Figure(figsize=(TWO_COLUMNS, 3.4 if len(parts) < 2 else 4.9), layout="constrained")
    if not parts:
        return without_runs(figure)
    heights = [1 + data.minus.nunique() for data in parts.values()]
    rows = figure.subplots(len(parts), 3, squeeze=False, sharex="row", sharey="row", height_ratios=heights)
    for axes, (task, data) in zip(rows, parts.items(), strict=True):
        others = [arm for arm in LABELS if (data.minus == arm).any()]
        for axis, budget in zip(axes, task.budgets, strict=True):
            axis.axvspan(-task.margin, task.margin, color="#eeeeee", zorder=0)
            axis.axvline(0, color=BLACK, linewidth=0.6)
            for row in data[data.budget == budget].itertuples():
                colour, marker = WORDS.get(row.word, (BLACK, "."))
                reach = 0.0 if np.isnan(row.ci95_low) else row.mean - row.ci95_low
                axis.errorbar(row.mean, others.index(row.minus), xerr=reach, fmt=marker, color=colour, elinewidth=0.9)
            axis.set_title(f"{budget:,} trained numbers", fontsize=7.5)
        axes[0].set_yticks(range(len(others)), [LABELS[arm] for arm in others])
        axes[0].set_ylim(len(others) - 0.5, -0.5)
        unit = "nats a token; left is better" if task.better < 0 else "points of accuracy; right is better"
        axes[1].set_xlabel(f"Photons minus the other ({unit})")
    looks = dict(WORDS) | {"not among the plan's contrasts": (BLACK, ".")}
    handles = [rows[0, 0].plot([], [], marker, color=colour, label=word)[0] for word, (colour, marker) in looks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _against(runs: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Photons minus the other arms of the same budget."""
    parts = [part for part in (differences(runs, task), secondary(runs, task)) if len(part)]
    data = pd.concat(parts) if parts else differences(runs, task)
    return data[(data.arm == PHOTONIC) & (data.minus_budget != task.all_numbers)]
