"""Figure 4: accuracy against trained parameters."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from lightweights.report.claims import Claim
from lightweights.report.comparisons import compared_column
from lightweights.report.figure import (
    BLACK,
    BLUE,
    BROWN,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    TWO_COLUMNS,
    VERMILLION,
    curve,
    log_error,
    mark_cut,
    parameters_label,
    round_numbers,
    styled,
    without_runs,
)
from lightweights.report.measures import test_set
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.study.collect import reported_test_sets

from . import DENSE_FIRST, LONG, NEED_A_NETWORK
from .facts import equal_training as equal_training_facts
from .facts import passes, runs_at, unequal_epochs
from .tables import METHODS, OTHER_TEST_SET, PUBLISHED_DATASET

LOOKS = {
    "quantum_train": (BLUE, "o"),
    "weight_sharing": (ORANGE, "s"),
    "pruning": (GREEN, "^"),
    "gate_qt": (PURPLE, "D"),
    "magnitude_pruning": (GREY, "v"),
    "low_rank": (BROWN, "<"),
    "tensor_train": (SKY, "P"),
    "hypernetwork": (VERMILLION, "X"),
    "small_cnn": (BLACK, "D"),
}
"""Colour and marker of each method that is drawn; one colour a method over both panels."""
LONG_LOOKS = {
    "quantum_train": BLUE,
    "long_plain": BLACK,
    "long_low_rank": ORANGE,
    "long_tensor_train": SKY,
    "long_hypernetwork": VERMILLION,
    "long_magnitude_pruning": GREEN,
    "long_small_cnn": PURPLE,
}
"""Colour of each method that is trained as long as the mapping."""
TOP = 99.0
"""Percent where the axis ends; intervals of few seeds that reach further end in an arrow."""
LEFT = ("quantum_train", "weight_sharing", "pruning", "gate_qt")
"""The paper's methods and its authors'."""
RIGHT = ("quantum_train", "magnitude_pruning", "low_rank", "tensor_train", "hypernetwork", "small_cnn")
"""What the paper leaves out."""


@styled
def compression(results: Results) -> Figure:
    """Figure 4: accuracy against trained parameters. Left the paper's methods and the published points, right what it leaves out."""
    figure = Figure(figsize=(TWO_COLUMNS, 3.7), layout="constrained")
    mine = results.of(*METHODS)
    if mine.empty:
        return without_runs(figure)
    sets = reported_test_sets(mine)
    axes = figure.subplots(1, 2, sharey=True)
    for axis, experiments, name in zip(axes, (LEFT, RIGHT), (sets[0], sets[-1]), strict=True):
        for experiment in experiments:
            label = METHODS[experiment] + " (published: other test set)" * (experiment in OTHER_TEST_SET)
            _method(axis, mine[mine.experiment == experiment], f"{name}_accuracy_percent", label, *LOOKS[experiment])
        if axis is axes[0] and str(mine.dataset.iloc[0]) == PUBLISHED_DATASET:
            _published_points(axis, results.claims, set(mine.experiment))
    for axis, name in zip(axes, (sets[0], sets[-1]), strict=True):
        log_error(axis)
        axis.set_ylabel(f"Accuracy on {test_set(name).axis} (%), log error")
        axis.set(xscale="log", xlabel=parameters_label(str(mine.dataset.iloc[0]) == PUBLISHED_DATASET))
        axis.xaxis.set_major_locator(FixedLocator(round_numbers(*axis.get_xlim())))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, handlelength=1.8)
    axes[1].yaxis.set_tick_params(labelleft=True)
    low = min(axis.dataLim.y0 for axis in axes)
    axes[0].set_ylim(100 - 1.15 * (100 - low), TOP)
    for axis in axes:
        mark_cut(axis)
    axes[0].set_title("The paper's comparison", fontsize=7.5)
    axes[1].set_title(f"Left out{unequal_epochs(mine)}", fontsize=6.5)
    return figure


@styled
def equal_training(results: Results) -> Figure:
    """Accuracy against epochs at equal numbers: a panel a size, mean and range over seeds; dashed what needs a trained network first."""
    figure = Figure(figsize=(TWO_COLUMNS, 3.4), layout="constrained")
    found, column = equal_training_facts(results), compared_column(results.runs)
    if not found:
        return without_runs(figure)
    for axis, size in zip(figure.subplots(1, len(found), squeeze=False)[0], found, strict=True):
        for name, group in runs_at(results, size).items():
            history = results.history(group).dropna(subset=[column])
            colour, dash = LONG_LOOKS[name], "--" if name in NEED_A_NETWORK else "-"
            first = f"{group.parameters_target.max()}, then " if name in DENSE_FIRST else ""
            label = f"{LONG.get(name, 'photonic QT')} ({first}{group.parameters_trained_used.mean():.0f})"
            curve(axis, history.assign(round=passes(history, group)), column, colour, 1, label=label, linestyle=dash)
        log_error(axis)
        axis.set_xlabel("Epochs (photonic QT: of mapping)")
        axis.set_title(f"Beside bond dimension {size.bond_dim} (in brackets: numbers)", fontsize=7.5)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, handlelength=1.8)
    told = "Lines: mean over seeds; bands: least to largest. Dashed: needs a trained network first"
    figure.supxlabel(told, fontsize=6.5, color="#555555")
    return figure


def _method(axis: Axes, runs: pd.DataFrame, column: str, label: str, colour: str, marker: str) -> None:
    groups = [group for _, group in runs.groupby("variant")]
    points = sorted((float(group.parameters_trained_used.mean()), *_numbers(group[column])) for group in groups)
    if points:
        x, means, lows, highs = np.array(points).T
        spread = [means - lows, highs - means]
        axis.errorbar(x, means, yerr=spread, color=colour, marker=marker, label=label, elinewidth=0.7, linewidth=0.9)


def _published_points(axis: Axes, claims: Sequence[Claim], named: set[str]) -> None:
    axis.plot([], [], color=BLACK, marker="o", markerfacecolor="white", linestyle="none", label="hollow: published")
    for claim in claims:
        if (
            claim.experiment in LEFT
            and claim.experiment not in OTHER_TEST_SET
            and claim.quantity == "test_accuracy_percent"
            and claim.reported_parameters
        ):
            label, (colour, marker) = METHODS[claim.experiment], LOOKS[claim.experiment]
            look = {"color": colour, "marker": marker, "markerfacecolor": "white", "linestyle": "none", "zorder": 3}
            new = claim.experiment not in named
            axis.plot(claim.reported_parameters, claim.reported_mean, **look, label=f"{label}, published" if new else None)
            named = named | {claim.experiment}


def _numbers(values: pd.Series) -> tuple[float, float, float]:
    found = summarise(values)
    return (
        found.mean,
        found.mean if math.isnan(found.low) else max(found.low, 0),
        found.mean if math.isnan(found.high) else min(found.high, 100),
    )
