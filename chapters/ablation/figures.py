"""Figures of the ablation: differences between arms, accuracy against what is really trained, the circuit as a factor, the photons."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from lightweights.report.comparisons import MARGIN, compared_column
from lightweights.report.contrasts import compare_contrasts
from lightweights.report.figure import (
    BLACK,
    BLUE,
    BROWN,
    GREEN,
    GREY,
    ONE_COLUMN,
    ORANGE,
    PURPLE,
    SKY,
    TWO_COLUMNS,
    VERMILLION,
    WORDS,
    log_error,
    round_numbers,
    styled,
    without_runs,
)
from lightweights.report.results import Results
from lightweights.report.statistics import span, summarise

from . import CIRCUITS, CONFIRMATION
from .arms import ARM_LABELS, CHANCE, COLLAPSED, MAIN_ARMS, arm_label, arm_runs, compare_arms, in_order, main_arms
from .generalisation import EQUAL_LOSS, ORDINARY, generalisation_of_runs
from .tables import circuit_sizes, influence_runs

_LOOKS = dict(zip(MAIN_ARMS, [(BLUE, "o"), (SKY, "v"), (ORANGE, "^"), (PURPLE, "D"), (GREEN, "s"), (BLACK, "X")], strict=True))
_ORDINARY_LOOKS = {"low rank": (VERMILLION, "<"), "tensor train": (GREY, "P"), "hypernetwork": (VERMILLION, "X")}
_OWN_LOOKS = [(VERMILLION, "*"), (BROWN, "P"), (GREY, "h"), (VERMILLION, "d"), (BROWN, "p")]
_SHORT = {
    "mps-only": "MPS only",
    "product-free": "free vectors",
    "distinguishable": "distinguishable",
    "distinguishable-matched": "distinguishable, matched",
    "classical-light": "classical light",
}
_ACCURACIES = {
    "trained": "as trained",
    "shuffled": "P shuffled",
    "ones": "P = its mean",
    "redrawn": "new random phases",
}


def look_of(arm: str, arms: Iterable[str]) -> tuple[str, str]:
    """Colour and marker of an arm among others; users' own have each their own."""
    own = sorted({other for other in arms if isinstance(other, str)} - set(ARM_LABELS) - set(_ORDINARY_LOOKS))
    return _LOOKS.get(arm) or (_OWN_LOOKS[own.index(arm) % len(_OWN_LOOKS)] if arm in own else (GREY, "."))


@styled
def ablation(results: Results) -> Figure:
    """The main arms minus "MPS only", by bond dimension: paired differences with 95 % t intervals, coloured by the plan's three words."""
    table = compare_arms(results.runs, "mps-only")
    arms = main_arms(table.arm)
    table = table[table.arm.isin(arms)]
    figure = Figure(figsize=(TWO_COLUMNS, 1.1 + 0.24 * max(len(arms), 2)), layout="constrained")
    if table.empty:
        return without_runs(figure)
    panels = list(table.groupby(["bond_dim", "rounds"]))
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, ((bond_dim, _), part) in zip(axes, panels, strict=True):
        axis.axvspan(-MARGIN, MARGIN, color="#d9e8f2", linewidth=0, zorder=0)
        axis.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
        for row in part.itertuples():
            colour, marker = WORDS[row.word]
            spread = [[row.mean - row.ci95_low], [row.ci95_high - row.mean]] if row.n > 1 else None
            axis.errorbar(row.mean, arms.index(row.arm), xerr=spread, color=colour, marker=marker, markersize=4, linestyle="none")
        axis.set_title(f"Bond dimension {bond_dim}", fontsize=7.5)
        axis.set_yticks(range(len(arms)), [arm_label(arm) for arm in arms])
        axis.set_ylim(len(arms) - 0.5, -0.5)
        reach = 1.08 * max(MARGIN, np.nanmax(np.abs(part[["mean", "ci95_low", "ci95_high"]].to_numpy(dtype=float))))
        axis.set_xlim(-reach, reach)
    figure.supxlabel("Test accuracy minus that of MPS only, with the same seeds (points; each panel has its own scale)", fontsize=7.5)
    handles = [Line2D([], [], color=c, marker=m, linestyle="none", label=w) for w, (c, m) in WORDS.items() if w in set(table.word)]
    title = f"n = {span(table.n)} pairs; bars: 95 % t interval; band: ±{MARGIN} points"
    figure.legend(handles=handles, loc="outside upper center", ncols=3, title=title)
    return figure


@styled
def confirmation(results: Results) -> Figure:
    """Trained photons minus what replaces them, on fresh seeds: a panel a bond dimension, the band of equivalence, words by colour."""
    table = compare_contrasts(results, CONFIRMATION)
    contrasts = list(dict.fromkeys(zip(table.kind, table["first"], table.second, strict=True)))
    figure = Figure(figsize=(TWO_COLUMNS, 1.2 + 0.24 * max(len(contrasts), 2)), layout="constrained")
    if table.empty:
        return without_runs(figure)
    margin = results.study.experiments[CONFIRMATION].contrasts.margin  # type: ignore[union-attr]
    panels = list(table.groupby("bond_dim"))
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, (bond_dim, part) in zip(axes, panels, strict=True):
        axis.axvspan(-margin, margin, color="#d9e8f2", linewidth=0, zorder=0)
        axis.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
        for row in part.itertuples():
            colour, marker = WORDS.get(row.word, (GREY, "|"))
            spread = None if np.isnan(row.ci95_low) else [[row.mean - row.ci95_low], [row.ci95_high - row.mean]]
            place = contrasts.index((row.kind, row.first, row.second))
            axis.errorbar(row.mean, place, xerr=spread, color=colour, marker=marker, markersize=4, linestyle="none")
        axis.set_title(f"Bond dimension {bond_dim}", fontsize=7.5)
        axis.set_yticks(range(len(contrasts)), [_contrast_label(first, second) for _, first, second in contrasts])
        axis.set_ylim(len(contrasts) - 0.5, -0.5)
        reach = 1.08 * max(margin, np.nanmax(np.abs(part[["mean", "ci95_low", "ci95_high"]].to_numpy(dtype=float))))
        axis.set_xlim(-reach, reach)
    figure.supxlabel("Difference in test accuracy, mean of the last rounds (points; each panel has its own scale)", fontsize=7.5)
    handles = [Line2D([], [], color=c, marker=m, linestyle="none", label=w) for w, (c, m) in WORDS.items() if w in set(table.word)]
    if "secondary" in set(table.kind):
        handles.append(Line2D([], [], color=GREY, marker="|", linestyle="none", label="secondary: no word"))
    title = f"n = {span(table.n)} pairs; bars: 95 % t interval; band: ±{margin:g} points"
    figure.legend(handles=handles, loc="outside upper center", ncols=4, title=title)
    return figure


def _contrast_label(first: str, second: str) -> str:
    """A contrast on one line, arms by short names."""
    names = ["photons" if name == "photonic" else _SHORT.get(name, arm_label(name)) for name in (first, second)]
    return f"{names[0]} minus {names[1]}"


@styled
def generalisation_by_arm(results: Results) -> Figure:
    """Gap at the end, test loss at its best round, and gap at equal training loss, against effective numbers: mean and range over seeds."""
    runs = generalisation_of_runs(results)
    figure = Figure(figsize=(TWO_COLUMNS, 3.4), layout="constrained")
    if runs.empty:
        return without_runs(figure)
    panels = {"gap": "Gap at the end (nats)", "best_loss": "Test loss at its best round (nats)"}
    panels |= {"gap_at_equal_loss": f"Gap at training loss {EQUAL_LOSS:g} (nats)"}
    axes = figure.subplots(1, len(panels))
    for _, own in runs.groupby("family", sort=False):
        first = own.iloc[0]
        colour, marker = _ORDINARY_LOOKS.get(first.arm) or look_of(first.arm, runs.arm)
        apart = first.experiment != "ablation"
        look = {"color": colour, "marker": marker, "linestyle": "--" if apart else "-"} | ({"markerfacecolor": "white"} if apart else {})
        label = first.arm if first.experiment in ORDINARY else arm_label(first.arm)
        for axis, name in zip(axes, panels, strict=True):
            groups = [part for _, part in own.dropna(subset=[name]).groupby("variant", sort=False)]
            points = sorted((part.numbers.mean(), part[name].mean(), part[name].min(), part[name].max()) for part in groups)
            if points:
                x, means, lows, highs = np.array(points).T
                spread = [means - lows, highs - means]
                axis.errorbar(x, means, yerr=spread, elinewidth=0.6, linewidth=0.9, label=f"{label}, {first.length}", **look)
    for axis, words in zip(axes, panels.values(), strict=True):
        axis.set_ylabel(words)
        axis.set(xscale="log", xlabel="Trained numbers, effective")
        axis.xaxis.set_major_locator(FixedLocator([30, 100, 300, 1000, 3000]))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
        axis.xaxis.set_minor_locator(NullLocator())
    axes[1].set_yscale("log")
    axes[1].yaxis.set_major_locator(FixedLocator(round_numbers(*axes[1].get_ylim())))
    axes[1].yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes[1].yaxis.set_minor_locator(NullLocator())
    entries = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    title = f"Mean and range over {span(runs.groupby(['family', 'variant']).size())} seeds"
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=3, title=title)
    return figure


@styled
def arms(results: Results) -> Figure:
    """Accuracy of every arm, one dot a seed, where the random arms were run too: what collapses, and what does not."""
    named, column = arm_runs(results.runs), compared_column(results.runs)
    figure = Figure(figsize=(ONE_COLUMN, 3.1), layout="constrained")
    if named.empty:
        return without_runs(figure)
    setting = named.groupby("setting").arm.nunique().idxmax()
    named = named[named.setting == setting]
    order = in_order(named.arm)
    order.sort(key=lambda arm: -float(named[named.arm == arm][column].mean()))
    low = named[column] < COLLAPSED
    panels = [part for part in (named[low], named[~low]) if len(part)]  # one axis over both would hide what differs among the others
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False, width_ratios=[1, 3][-len(panels) :])[0]
    for axis, part in zip(axes, panels, strict=True):
        for place, arm in enumerate(order):
            values = part[part.arm == arm][column]
            colour = BLUE if arm.startswith("photonic") else VERMILLION if arm == "paper-random" else BLACK
            axis.plot(values, [place] * len(values), linestyle="none", marker="o", markersize=3, color=colour, alpha=0.6)
            if len(values):
                axis.plot(values.mean(), place, marker="|", markersize=9, color=colour, markeredgewidth=1.4)
    if low.any():
        axes[0].axvline(CHANCE, color=GREY, linewidth=0.8, linestyle=":")
        axes[0].text(CHANCE + 0.4, -0.55, "chance", color=GREY, fontsize=6.5, va="top")
        axes[0].set_xlim(CHANCE - 3, max(CHANCE + 5, named[column][low].max() + 1))
    axes[0].set_yticks(range(len(order)), [arm_label(arm) for arm in order])
    axes[0].set_ylim(len(order) - 0.4, -0.6)
    first = named.iloc[0]
    told = f"line: mean over seeds; bond dimension {first.bond_dim}, {first.rounds} rounds"
    figure.supxlabel(f"Test accuracy (%), each panel with its own scale\n{told}", fontsize=7)
    return figure


@styled
def budget(results: Results) -> Figure:
    """Accuracy of the main arms against the parameters that are really trained: the mapping's, and the effective number beside it."""
    named, column = arm_runs(results.runs), compared_column(results.runs)
    named = named[named.arm.isin(main_arms(named.arm))]
    figure = Figure(figsize=(ONE_COLUMN, 3.0), layout="constrained")
    if named.empty:
        return without_runs(figure)
    axis = figure.subplots()
    for arm in main_arms(named.arm):
        colour, marker = look_of(arm, named.arm)
        groups = [group for _, group in named[named.arm == arm].groupby("setting")]
        points = [(float(group.parameters_trained_effective.mean()), summarise(group[column])) for group in groups]
        x, means = [p for p, _ in points], [s.mean for _, s in points]
        spread = [
            [0 if np.isnan(s.low) else s.mean - s.low for _, s in points],
            [0 if np.isnan(s.low) else s.high - s.mean for _, s in points],
        ]
        axis.errorbar(x, means, yerr=spread, color=colour, marker=marker, label=arm_label(arm), elinewidth=0.7)
    log_error(axis)
    _parameter_axis(axis, "Trained parameters, effective")
    seeds = span(named.groupby(["setting", "arm"]).size())
    figure.legend(loc="outside lower center", ncols=2, title=f"Mean over {seeds} seeds; bars: 95 % t interval")
    return figure


@styled
def circuits(results: Results) -> Figure:
    """The circuit as a factor: number and size of circuits, meshes, input states and both networks; one dot a seed."""
    column = compared_column(results.runs)
    figure = Figure(figsize=(TWO_COLUMNS, 2.7), layout="constrained")
    shown = [(name, results.of(name)) for name in CIRCUITS]
    shown = [(name, group) for name, group in shown if len(group)]
    if not shown:
        return without_runs(figure)
    axes = figure.subplots(1, len(shown), squeeze=False, sharex=True)[0]
    for axis, (name, group) in zip(axes, shown, strict=True):
        ordered = sorted(group.groupby("variant", sort=False), key=lambda item: float(item[1].parameters_phases_effective.mean()))
        labels = []
        for place, (_, part) in enumerate(ordered):
            axis.plot(part[column], [place] * len(part), marker="o", linestyle="none", color=BLUE, markersize=3, alpha=0.7)
            axis.plot(part[column].mean(), place, marker="|", markersize=9, color=BLUE, markeredgewidth=1.4)
            labels.append(f"{circuit_label(part.iloc[0], name)}: {span(part.parameters_phases_effective.astype(int))}")
        axis.set_yticks(range(len(ordered)), labels)
        axis.set_ylim(len(ordered) - 0.5, -0.5)
        names = {"circuits": "(modes, photons) of each circuit", "meshes": "Mesh, input, network"}
        axis.set_title(f"{names[name]}: number of effective phases", fontsize=7.5, loc="right")
    seeds = span(results.of(*CIRCUITS).groupby(["experiment", "variant"]).size())
    figure.supxlabel(f"Test accuracy (%), one dot for each of {seeds} seeds; line: mean", fontsize=7.5)
    return figure


def circuit_label(run: pd.Series, experiment: str) -> str:
    """A circuit in short: its shape, or its mesh, input state and network."""
    if experiment == "meshes":
        return ", ".join(str(run[name]) for name in ("photonics.mesh", "photonics.input_state", "network"))
    return circuit_sizes(run)


def _parameter_axis(axis: Axes, label: str) -> None:
    axis.set(xscale="log", xlabel=label)
    axis.set_xlim(axis.dataLim.x0 / 1.15, axis.dataLim.x1 * 1.15)
    axis.xaxis.set_major_locator(FixedLocator(round_numbers(*axis.get_xlim())))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())


@styled
def photons(results: Results) -> Figure:
    """Movement of P in training, shares of the weights' variance, and accuracy with P changed after training, by bond dimension."""
    own = influence_runs(results.runs)
    figure = Figure(figsize=(TWO_COLUMNS, 2.5), layout="constrained")
    if own.empty:
        return without_runs(figure)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 1.35])
    dims = sorted(own.bond_dim.unique())
    looks = {"moved": (BLUE, "o", "by training"), "random": (BLACK, "s", "independent phases")}
    for name, (colour, marker, label) in looks.items():
        _points(axes[0], own, dims, f"photons_{name}_total_variation", 1, colour, marker, label)
    axes[0].set(ylabel="Total variation of P", ylim=(0, 1))
    for name, colour, marker, label in (("term", BLUE, "o", "B P"), ("pattern", VERMILLION, "^", "B (P - mean)")):
        _points(axes[1], own, dims, f"photons_variance_share_of_{name}", 100, colour, marker, label)
    axes[1].set(ylabel="Share of the weights' variance (%)")
    axes[1].axhline(0, color=BLACK, linewidth=0.5)
    colours = (BLACK, BLUE, "#009E73", VERMILLION)
    for (name, label), colour, marker in zip(_ACCURACIES.items(), colours, "oD^s", strict=True):
        _points(axes[2], own, dims, f"photons_{name}_accuracy_percent", 1, colour, marker, label)
    axes[2].set(ylabel="Test accuracy (%)", ylim=(0, 100))
    for axis in axes:
        axis.set_xticks(range(len(dims)), [str(dim) for dim in dims])
        axis.set_xlim(-0.5, len(dims) - 0.5)
        axis.set_xlabel("Bond dimension")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.28), ncols=2 if axis is axes[2] else 1, handletextpad=0.3)
    return figure


def _points(axis: Axes, own: pd.DataFrame, dims: list[int], column: str, scale: float, colour: str, marker: str, label: str) -> None:
    for place, dim in enumerate(dims):
        values = scale * own[own.bond_dim == dim][column]
        axis.plot([place] * len(values), values, linestyle="none", marker=marker, color=colour, alpha=0.35, markersize=2.6)
    means = [scale * own[own.bond_dim == dim][column].mean() for dim in dims]
    axis.plot(range(len(dims)), means, color=colour, marker=marker, label=label)
