"""Figures of sequence models: R2 against trained numbers, and forecasts beside the series."""

import importlib

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lightweights.report.figure import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, TWO_COLUMNS, VERMILLION, styled, without_runs
from lightweights.report.results import Results

from . import TASKS
from .arms import FAIR_ARMS, LINEAR, LSTM_6, PERSISTENCE, SPLIT_2X3, VALUE, WHOLE_6, Arm

LOOKS = {
    "whole": (BLUE, "o"),
    "split": (VERMILLION, "s"),
    "without CNOTs": (GREY, "v"),
    "photons": (PURPLE, "D"),
    "distinguishable": (PURPLE, "x"),
    "generated LSTM": (ORANGE, "P"),
    "frozen": (SKY, "^"),
    "LSTM": (GREEN, "*"),
}
"""Colour and marker of each family."""
NAMES = {"whole": "circuits, whole", "split": "circuits, split", "without CNOTs": "circuits without CNOTs", "frozen": "frozen circuits"}
LINES = {LINEAR: ("-", "linear, 5 numbers"), PERSISTENCE: (":", "last value again")}
NUDGE = {"whole": 0.985, "split": 1.015, "without CNOTs": 1.045, "photons": 0.97, "distinguishable": 0.945}
"""Shifts that keep seeds of equal numbers apart."""
SEED = 0


@styled
def sequence_numbers(results: Results) -> Figure:
    """R2 of every forecaster against its trained numbers: a dot a seed, a bar their mean. The axis is logarithmic in 1 - R2."""
    figure = Figure(figsize=(TWO_COLUMNS, 4.6), layout="constrained")
    there = [(task, words) for task, words in TASKS.items() if any(len(arm.of(results.runs, task)) for arm in FAIR_ARMS)]
    if not there:
        return without_runs(figure)
    axes = figure.subplots(-(-len(there) // 2), min(2, len(there)), sharex=True, squeeze=False).flatten()
    for axis in axes[len(there) :]:
        axis.set_visible(False)
    for axis, (task, words) in zip(axes, there, strict=False):
        for arm in FAIR_ARMS:
            own = arm.of(results.runs, task)
            if arm in LINES and len(own):
                style, label = LINES[arm]
                axis.axhline(1 - own[VALUE].iloc[0], color=BLACK, linestyle=style, linewidth=0.9, label=label)
            elif len(own):
                _dots(axis, arm, own)
        axis.set_title(words, fontsize=7.5)
        axis.set_xscale("log")
        _r2_axis(axis)
        axis.xaxis.set_major_locator(FixedLocator([5, 10, 20, 50, 100, 150, 220]))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlim(5, 280)
    for axis in axes[max(0, len(there) - 2) :]:
        axis.set_xlabel("Trained numbers")
    found = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=5)
    return figure


def _dots(axis: Axes, arm: Arm, own: pd.DataFrame) -> None:
    colour, marker = LOOKS[arm.family]
    x = float(own.parameters_trained_used.iloc[0]) * NUDGE.get(arm.family, 1.0)
    lost = 1 - own[VALUE].to_numpy(dtype=float)
    axis.plot(np.full(len(lost), x), lost, marker, color=colour, markersize=3.2, alpha=0.65, label=NAMES.get(arm.family, arm.family))
    axis.plot([x * 0.96, x * 1.04], [1 - own[VALUE].mean()] * 2, color=colour, linewidth=1.6)


def _r2_axis(axis: Axes) -> None:
    """An axis of R2, upwards, from values of 1 - R2."""
    axis.set_yscale("log")
    axis.invert_yaxis()
    axis.set_ylabel("R2 on the test part")
    lowest, highest = sorted(axis.get_ylim())
    coarse = [10.0**power for power in range(-7, 4)] + [0.5, 0.2]
    axis.yaxis.set_major_locator(FixedLocator(coarse if highest > 4 * lowest else [k / 20 for k in range(1, 40)]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda lost, _: f"{1 - lost:.10g}" if lost < 5 else f"{1 - lost:,.0f}"))
    axis.yaxis.set_minor_locator(NullLocator())


@styled
def sequence_forecasts(results: Results) -> Figure:
    """The test part of each series, in scaled units, and below what three forecasters miss of it; the first seed, fair protocol."""
    figure = Figure(figsize=(TWO_COLUMNS, 5.0), layout="constrained")
    shown = {WHOLE_6: (BLUE, "o"), SPLIT_2X3: (VERMILLION, "s"), LSTM_6: (GREEN, "*")}
    found = {task: {arm: _foretold(results, arm, task) for arm in shown} for task in TASKS}
    there = [task for task, values in found.items() if any(value is not None for value in values.values())]
    if not there:
        return without_runs(figure)
    axes = figure.subplots(2 * -(-len(there) // 2), min(2, len(there)), squeeze=False, height_ratios=[2, 1] * -(-len(there) // 2))
    for axis in axes.flatten():
        axis.set_visible(False)
    for number, task in enumerate(there):
        above, below = axes[2 * (number // 2) : 2 * (number // 2) + 2, number % 2]
        truth = _truth(task)
        above.set_visible(True)
        below.set_visible(True)
        above.plot(truth, color=BLACK, linewidth=0.9, label="series")
        for arm, (colour, marker) in shown.items():
            values = found[task][arm]
            if values is not None:
                above.plot(values, marker, color=colour, markersize=2.0, alpha=0.7, label=arm.label)
                below.plot(values - truth, color=colour, linewidth=0.8)
        above.set_title(TASKS[task], fontsize=7.5)
        above.tick_params(labelbottom=False)
        below.axhline(0, color=BLACK, linewidth=0.6)
        above.set_ylabel("scaled value")
        below.set(ylabel="error", xlabel="window of the test part")
    handles = {label: handle for axis in axes.flatten() for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def _foretold(results: Results, arm: Arm, task: str) -> np.ndarray | None:
    own = arm.of(results.runs, task)
    own = own[own.seed == SEED]
    return np.array(results.details(next(own.itertuples()))["forecast"]["test"]) if len(own) else None


def _truth(task: str) -> np.ndarray:
    from .data import values_of  # torch, which nothing else here needs
    from .windows import cut

    module, _, name = task.partition(":")
    return cut(values_of(getattr(importlib.import_module(module), name)()), "fair").test.targets.numpy()
