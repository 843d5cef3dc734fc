"""Figures of photonic Quantum-Train: training curves, accuracy and generalisation error by bond dimension, both protocols."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter

from lightweights.report.claims import Claim, published
from lightweights.report.figure import (
    BLACK,
    BLUE,
    GREEN,
    ONE_COLUMN,
    SETS,
    TWO_COLUMNS,
    VERMILLION,
    bars_of,
    curve,
    ends_of,
    error_bars,
    log_error,
    over_seeds,
    parameters_label,
    round_numbers,
    shifts,
    styled,
    without_runs,
)
from lightweights.report.forest import forest
from lightweights.report.measures import test_set
from lightweights.report.results import Results
from lightweights.report.statistics import span, summarise
from lightweights.study.collect import reported_test_sets

from .tables import FULL, POWELLS, PUBLISHED_DATASET, protocol_runs

SMOOTHED_FROM, WINDOW = 50, 5
"""Training curves of at least so many rounds are drawn as a running mean over so many rounds, which the figure says."""
_PHASES = {
    "gradient": (BLUE, "-", "o", "gradients on the phases"),
    "cobyla": (VERMILLION, "--", "s", "COBYLA on the phases"),
    POWELLS: (GREEN, ":", "^", "Powell's COBYLA on the phases"),
}
_PHASES |= {"spsa": (GREEN, ":", "^", "SPSA on the phases")}


def claims(results: Results) -> Figure:
    """Every judged claim of all chapters, in tolerances: the picture of the project."""
    return forest(results)


@styled
def training_curves(results: Results) -> Figure:
    """Loss and accuracy of the last minibatch of each round by bond dimension (the paper's Fig. 3): mean and range over seeds."""
    runs = results.of("quantum_train")
    figure = Figure(figsize=(TWO_COLUMNS, 2.5), layout="constrained")
    if runs.empty:
        return without_runs(figure)
    axes = figure.subplots(1, 2, sharex=True)
    arms = list(_arms(runs))
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.87, len(arms)))
    window = WINDOW if runs.rounds.max() >= SMOOTHED_FROM else 1
    own = dict(list(results.history(runs).groupby("variant")))
    for (label, group), colour in zip(arms, colours, strict=True):
        history = own[group.variant.iloc[0]]
        curve(axes[0], history, "last_batch_loss", colour, window, label=label)
        curve(axes[1], history, "last_batch_accuracy_percent", colour, window)
    axes[0].set(yscale="log", ylabel="Training loss (nats)", xlabel="Round")
    axes[0].yaxis.set_major_locator(FixedLocator(round_numbers(*axes[0].get_ylim())))
    axes[0].yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes[0].yaxis.set_minor_locator(NullLocator())
    axes[1].set(ylabel="Training accuracy (%)", xlabel="Round")
    for axis in axes:
        axis.set_xlim(1, runs.rounds.max())
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    title = "Bond\ndimension" if _by_bond_dim(runs) else "Variant"
    legend = figure.legend(loc="outside right upper", title=title, handlelength=1.4, labelspacing=0.35)
    legend.get_title().set_multialignment("center")
    note = "Last minibatch of each round" + (f", running mean of {window} rounds" if window > 1 else "")
    figure.supxlabel(f"{note}; {over_seeds(runs)}.", fontsize=6.5, color="#555555")
    return figure


@styled
def accuracy_against_parameters(results: Results) -> Figure:
    """Test accuracy of photonic Quantum-Train against trained parameters, with the classical target and the published points.

    Our parameters are those that enter the circuit, and the mapping's; the published ones as they were counted. The accuracy
    axis is logarithmic in the error, because the interesting differences are those between small errors.
    """
    ours = results.of("quantum_train")
    figure = Figure(figsize=(ONE_COLUMN, 2.9), layout="constrained")
    if ours.empty:
        return without_runs(figure)
    axis = figure.subplots()
    bars = bars_of(results.of("quantum_train", "classical"))
    shift = shifts(reported_test_sets(ours), 0.015)
    for name in reported_test_sets(ours):
        (colour, marker), label = SETS.get(name, (GREEN, "^")), test_set(name).legend
        column = f"{name}_accuracy_percent"
        for words, line, shade in _lines(ours, colour):
            points = [(float(group.parameters_trained_used.mean()), summarise(group[column])) for _, group in _arms(line)]
            x = np.array([parameters for parameters, _ in points]) * (1 + shift[name])
            look = {"color": shade, "marker": marker, "label": f"photonic QT, {words}{label}"}
            error_bars(axis, x, [summary for _, summary in points], bars, column, **look)
        _level(axis, results.of("classical"), column, bars, colour, f"classical, {label}")
    _published_points(axis, results.claims, ours, "test_accuracy_percent", bars, lambda claim: claim.reported_parameters)
    axis.set(xscale="log", xlabel=parameters_label(str(ours.dataset.iloc[0]) == PUBLISHED_DATASET))
    log_error(axis)
    axis.set_xlim(axis.dataLim.x0 / 1.15, axis.dataLim.x1 * 1.15)
    axis.xaxis.set_major_locator(FixedLocator(round_numbers(*axis.get_xlim())))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    _legend_below(figure, ours, bars)
    return figure


@styled
def generalisation_error(results: Results) -> Figure:
    """Generalisation error (test minus training cross-entropy) against bond dimension, with the published points."""
    ours = results.of("quantum_train")
    figure = Figure(figsize=(ONE_COLUMN, 2.9), layout="constrained")
    if ours.empty:
        return without_runs(figure)
    axis = figure.subplots()
    bars = bars_of(results.of("quantum_train", "classical"))
    shift = shifts(reported_test_sets(ours), 0.06)
    for name in reported_test_sets(ours):
        (colour, marker), label = SETS.get(name, (GREEN, "^")), test_set(name).legend
        column = f"{name}_generalisation_error"
        for words, line, shade in _lines(ours, colour):
            points = [(float(group.bond_dim.iloc[0]), summarise(group[column])) for _, group in _arms(line)]
            x = np.array([dim for dim, _ in points]) + shift[name]
            axis.plot(x, [summary.mean for _, summary in points], color=shade, marker=marker, label=f"photonic QT, {words}{label}")
            ends = zip(*(ends_of(summary, bars) for _, summary in points), strict=True)
            axis.fill_between(x, *ends, color=shade, alpha=0.15, linewidth=0)
        _level(axis, results.of("classical"), column, bars, colour, f"classical, {label}")
    _published_points(axis, results.claims, ours, "generalisation_error", bars, lambda claim: claim.at("bond_dim"))
    axis.set(xlabel="Bond dimension", ylabel="Generalisation error (nats)")
    axis.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axis.margins(x=0.06)
    _legend_below(figure, ours, bars)
    return figure


@styled
def protocols(results: Results) -> Figure:
    """COBYLA against gradients on the phases, over the epochs spent on the mapping: mean and range over seeds."""
    runs = protocol_runs(results.runs)
    if runs.empty:
        return without_runs(Figure(figsize=(TWO_COLUMNS, 2.3), layout="constrained"))
    lengths = list(runs.groupby(~runs.experiment.isin([*FULL, "quantum_train"]), sort=False))
    figure = Figure(figsize=(TWO_COLUMNS, 2.3 * len(lengths)), layout="constrained")
    measured, histories = reported_test_sets(runs)[-1], results.history(runs)
    for axes, (_, part) in zip(figure.subplots(len(lengths), 2, sharex="row", squeeze=False), lengths, strict=True):
        _protocols(axes, part, histories, measured)
    return figure


def _protocols(axes: Sequence[Axes], runs: pd.DataFrame, histories: pd.DataFrame, measured: str) -> None:
    """One row of panels: runs of one length."""
    several = runs.groupby("protocol").variant.nunique().max() > 1
    for position, ((experiment, variant), group) in enumerate(runs.groupby(["experiment", "variant"], sort=False)):
        colour, dash, marker, words = _PHASES[group.protocol.iloc[0]]
        colour = mpl.colormaps["viridis"](0.9 * position / runs.variant.nunique()) if several else colour
        history = histories[(histories.experiment == experiment) & (histories.variant == variant) & histories.seed.isin(group.seed)]
        history = history.assign(round=history["round"] * int(group.mapping_epochs.iloc[0]))
        few = len(history) <= 30 * len(group)
        for axis, column in zip(axes, ("train_cross_entropy", f"{measured}_accuracy_percent"), strict=True):
            curve(axis, history, column, colour, 1, label=variant if several else words, linestyle=dash, marker=marker if few else "")
    axes[0].set(ylabel="Training cross-entropy (nats)", xlabel="Epochs on the mapping")
    axes[1].set(ylabel=f"{test_set(measured).legend.capitalize()} accuracy (%)", xlabel="Epochs on the mapping")
    axes[0].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes[1].legend(loc="lower right", title=over_seeds(runs).capitalize())


def _arms(runs: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Label and runs of each variant, by bond dimension."""
    ordered = runs.sort_values("bond_dim", kind="stable")
    by_dim = _by_bond_dim(runs)
    for variant, group in ordered.groupby("variant", sort=False):
        yield str(group.bond_dim.iloc[0]) if by_dim else str(variant), group


def _lines(runs: pd.DataFrame, colour: str) -> Iterator[tuple[str, pd.DataFrame, Any]]:
    """What varies besides the bond dimension, such as two networks, has a line each: words for it, its runs, its colour."""
    rest = runs.variant.str.replace(r"(^|,)bond_dim=\d+", "", regex=True).str.strip(",").replace("base", "")
    groups = list(runs.groupby(rest, sort=False))
    shades = mpl.colormaps["viridis"](np.linspace(0.0, 0.8, len(groups))) if len(groups) > 1 else [colour]
    for (words, line), shade in zip(groups, shades, strict=True):
        yield f"{words}, " if len(groups) > 1 and words else "", line, shade


def _by_bond_dim(runs: pd.DataFrame) -> bool:
    return runs.variant.nunique() == runs.bond_dim.nunique()


def _level(axis: Axes, target: pd.DataFrame, column: str, bars: str, colour: str, label: str) -> None:
    """The classical target as a dashed line with its band."""
    if target.empty or target.variant.nunique() > 1:
        return
    summary = summarise(target[column])
    axis.axhline(summary.mean, color=colour, linestyle="--", linewidth=0.9, label=label)
    axis.axhspan(*ends_of(summary, bars, column), color=colour, alpha=0.12, linewidth=0)


def _published_points(
    axis: Axes, claims: Sequence[Claim], ours: pd.DataFrame, quantity: str, bars: str, x: Callable[[Claim], float | None]
) -> None:
    """The published means where they are for the data set of our runs, with the same kind of bar."""
    found = [
        claim
        for claim in published(claims, "photonic_qt", quantity, str(ours.dataset.iloc[0]))
        if claim.summary is not None and x(claim) is not None
    ]
    if found:
        places, summaries = np.array([x(claim) for claim in found], dtype=float), [claim.summary for claim in found]
        look = {"color": BLACK, "marker": "D", "markerfacecolor": "white", "markersize": 3.2, "linestyle": "none", "zorder": 3}
        error_bars(axis, places, summaries, bars, quantity, **look, label="published QT, test 600")


def _legend_below(figure: Figure, runs: pd.DataFrame, bars: str) -> None:
    counts = runs.groupby("variant").size()
    title = f"Mean over n = {span(counts)} seeds" if counts.max() > 1 else "One seed"
    title += f"; bars and bands: {bars}"
    order = ("photonic", "published", "classical")
    entries = zip(*figure.axes[0].get_legend_handles_labels(), strict=True)
    handles, labels = zip(*sorted(entries, key=lambda entry: order.index(entry[1].split()[0].rstrip(","))), strict=True)
    figure.legend(handles, labels, loc="outside lower center", ncols=2, title=title, columnspacing=1.2, handlelength=2.2)
