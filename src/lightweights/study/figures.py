"""Figures of a study, one function each of runs, histories and claims; sized for one (3.4 in) or two columns (7 in) of a paper.

Colours are Okabe and Ito's and viridis, which colour-blind readers can tell apart; markers and dashes say the same again.
Bytes are the same for the same numbers and library versions.
"""

import functools
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter

from lightweights.study.claims import Claim, published
from lightweights.study.collect import reported_test_sets
from lightweights.study.files import write_atomic
from lightweights.study.statistics import Summary, span, summarise
from lightweights.study.tables import PUBLISHED_DATASET, protocol_runs

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0
BLUE, VERMILLION, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#222222"
SMOOTHED_FROM, WINDOW = 50, 5
"""Training curves of at least so many rounds are drawn as a running mean over so many rounds, which the figure says."""
SMALLEST_ERROR = 0.1
"""Test errors below so many percent are drawn as this."""

STYLE = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 7.5,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "errorbar.capsize": 1.5,
    "legend.fontsize": 6.5,
    "legend.title_fontsize": 6.5,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "lightweights",
    "savefig.dpi": 300,
}

_SETS = {"test600": (BLUE, "o", "test 600"), "test10k": (VERMILLION, "s", "test 10k"), "test": (BLUE, "o", "test")}
_PHASES = {"gradient": (BLUE, "-", "o", "gradients on the phases"), "cobyla": (VERMILLION, "--", "s", "COBYLA on the phases")}
_PHASES |= {"spsa": (GREEN, ":", "^", "SPSA on the phases")}

Draw = Callable[[pd.DataFrame, pd.DataFrame, list[Claim]], Figure]


def styled(draw: Draw) -> Draw:
    """The function that draws in the style of all figures."""

    @functools.wraps(draw)
    def styled(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(runs, histories, claims)

    return styled


@styled
def training_curves(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
    """Loss and accuracy of the last minibatch of each round by bond dimension (the paper's Fig. 3): mean and range over seeds."""
    runs = runs[runs.experiment == "quantum_train"]
    figure = Figure(figsize=(TWO_COLUMNS, 2.5), layout="constrained")
    if runs.empty:
        return without_runs(figure)
    axes = figure.subplots(1, 2, sharex=True)
    arms = list(_arms(runs))
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.87, len(arms)))
    window = WINDOW if runs.rounds.max() >= SMOOTHED_FROM else 1
    own = dict(list(histories[histories.experiment == "quantum_train"].groupby("variant")))
    for (label, group), colour in zip(arms, colours, strict=True):
        history = own[group.variant.iloc[0]]
        _curve(axes[0], history, "last_batch_loss", colour, window, label=label)
        _curve(axes[1], history, "last_batch_accuracy_percent", colour, window)
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
    figure.supxlabel(f"{note}; {_over_seeds(runs)}.", fontsize=6.5, color="#555555")
    return figure


@styled
def accuracy_against_parameters(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
    """Test accuracy of photonic Quantum-Train against trained parameters, with the classical target and the published points.

    Our parameters are those that enter the circuit, and the mapping's; the published ones as they were counted. The accuracy
    axis is logarithmic in the error, because the interesting differences are those between small errors.
    """
    ours = runs[runs.experiment == "quantum_train"]
    figure = Figure(figsize=(ONE_COLUMN, 2.9), layout="constrained")
    if ours.empty:
        return without_runs(figure)
    axis = figure.subplots()
    bars = _bars(runs[runs.experiment.isin(("quantum_train", "classical"))])
    shift = _shifts(reported_test_sets(ours), 0.015)
    for name in reported_test_sets(ours):
        colour, marker, label = _SETS.get(name, (GREEN, "^", name))
        column = f"{name}_accuracy_percent"
        points = [(float(group.parameters_trained_used.mean()), summarise(group[column])) for _, group in _arms(ours)]
        x = np.array([parameters for parameters, _ in points]) * (1 + shift[name])
        _error_bars(axis, x, [summary for _, summary in points], bars, color=colour, marker=marker, label=f"photonic QT, {label}")
        _level(axis, runs, column, bars, colour, f"classical, {label}")
    _published_points(axis, claims, ours, "test_accuracy_percent", bars, lambda claim: claim.reported_parameters)
    axis.set(xscale="log", xlabel=parameters_label(ours))
    log_error(axis)
    axis.set_xlim(axis.dataLim.x0 / 1.15, axis.dataLim.x1 * 1.15)
    axis.xaxis.set_major_locator(FixedLocator(round_numbers(*axis.get_xlim())))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    _legend_below(figure, ours, bars)
    return figure


@styled
def generalisation_error(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
    """Generalisation error (test minus training cross-entropy) against bond dimension, with the published points."""
    ours = runs[runs.experiment == "quantum_train"]
    figure = Figure(figsize=(ONE_COLUMN, 2.9), layout="constrained")
    if ours.empty:
        return without_runs(figure)
    axis = figure.subplots()
    bars = _bars(runs[runs.experiment.isin(("quantum_train", "classical"))])
    shift = _shifts(reported_test_sets(ours), 0.06)
    for name in reported_test_sets(ours):
        colour, marker, label = _SETS.get(name, (GREEN, "^", name))
        column = f"{name}_generalisation_error"
        points = [(float(group.bond_dim.iloc[0]), summarise(group[column])) for _, group in _arms(ours)]
        x = np.array([dim for dim, _ in points]) + shift[name]
        axis.plot(x, [summary.mean for _, summary in points], color=colour, marker=marker, label=f"photonic QT, {label}")
        axis.fill_between(x, *zip(*(_ends(summary, bars) for _, summary in points), strict=True), color=colour, alpha=0.15, linewidth=0)
        _level(axis, runs, column, bars, colour, f"classical, {label}")
    _published_points(axis, claims, ours, "generalisation_error", bars, lambda claim: claim.bond_dim)
    axis.set(xlabel="Bond dimension", ylabel="Generalisation error (nats)")
    axis.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axis.margins(x=0.06)
    _legend_below(figure, ours, bars)
    return figure


@styled
def protocols(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
    """COBYLA against gradients on the phases, over the epochs spent on the mapping: mean and range over seeds."""
    runs = protocol_runs(runs)
    if runs.empty:
        return without_runs(Figure(figsize=(TWO_COLUMNS, 2.3), layout="constrained"))
    lengths = list(runs.groupby(runs.experiment == "protocols", sort=False))
    figure = Figure(figsize=(TWO_COLUMNS, 2.3 * len(lengths)), layout="constrained")
    measured = reported_test_sets(runs)[-1]
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
            _curve(axis, history, column, colour, 1, label=variant if several else words, linestyle=dash, marker=marker if few else "")
    axes[0].set(ylabel="Training cross-entropy (nats)", xlabel="Epochs on the mapping")
    axes[1].set(ylabel=f"{_SETS.get(measured, ('', '', measured))[2].capitalize()} accuracy (%)", xlabel="Epochs on the mapping")
    axes[0].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes[1].legend(loc="lower right", title=_over_seeds(runs).capitalize())


FIGURES: dict[str, Draw] = {
    "training_curves": training_curves,
    "accuracy_against_parameters": accuracy_against_parameters,
    "generalisation_error": generalisation_error,
    "protocols": protocols,
}


def render(figure: Figure, kind: str) -> bytes:
    """The figure as pdf, svg or png, without dates."""
    dates = {"pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        settle(figure)
        figure.savefig(buffer, format=kind, metadata=dates[kind])
    return buffer.getvalue()


def settle(figure: Figure) -> None:
    """Fix the layout at four decimals: the solver's last digits differ between processes, and ids in SVG are made from them."""
    if figure.get_layout_engine() is None:
        return
    FigureCanvasAgg(figure).draw()
    figure.set_layout_engine("none")
    for axis in figure.axes:
        axis.set_position(tuple(round(value, 4) for value in axis.get_position().bounds))


def write_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write <name>.pdf, .svg and .png."""
    for kind in ("pdf", "png", "svg"):
        write_atomic(folder / f"{name}.{kind}", render(figure, kind))


def _arms(runs: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Label and runs of each variant, by bond dimension."""
    ordered = runs.sort_values("bond_dim", kind="stable")
    by_dim = _by_bond_dim(runs)
    for variant, group in ordered.groupby("variant", sort=False):
        yield str(group.bond_dim.iloc[0]) if by_dim else str(variant), group


def _by_bond_dim(runs: pd.DataFrame) -> bool:
    return runs.variant.nunique() == runs.bond_dim.nunique()


def _curve(axis: Axes, history: pd.DataFrame, column: str, colour: object, window: int, **line: object) -> None:
    """Mean over seeds of a column against rounds, and the range as a band; each seed is smoothed first if at all."""
    by_round = history.pivot(index="round", columns="seed", values=column)
    if window > 1:
        by_round = by_round.rolling(window, center=True, min_periods=1).mean()
    x = by_round.index.to_numpy(dtype=float)
    axis.plot(x, by_round.mean(axis=1), color=colour, **line)
    if by_round.shape[1] > 1:
        axis.fill_between(x, by_round.min(axis=1), by_round.max(axis=1), color=colour, alpha=0.18, linewidth=0)


def _bars(runs: pd.DataFrame) -> str:
    """What bars and bands show: the 95 % t interval, or the sd where it is too wide to be seen (n < 3 somewhere)."""
    smallest = runs.groupby(["experiment", "variant"]).size().min()
    return "95 % t interval" if smallest >= 3 else "sd (ddof = 1)"


def _ends(summary: Summary, bars: str) -> tuple[float, float]:
    ends = (summary.low, summary.high) if bars.startswith("95") else (summary.mean - summary.sd, summary.mean + summary.sd)
    return (summary.mean, summary.mean) if np.isnan(ends[0]) else ends


def _error_bars(axis: Axes, x: np.ndarray, summaries: list[Summary], bars: str, **look: object) -> None:
    means = np.array([s.mean for s in summaries])
    ends = np.array([_ends(s, bars) for s in summaries])
    axis.errorbar(x, means, yerr=np.abs(ends.T - means), elinewidth=0.8, capthick=0.8, **{"linestyle": "-", **look})


def _level(axis: Axes, runs: pd.DataFrame, column: str, bars: str, colour: str, label: str) -> None:
    """The classical target as a dashed line with its band."""
    target = runs[runs.experiment == "classical"]
    if target.empty or target.variant.nunique() > 1:
        return
    summary = summarise(target[column])
    axis.axhline(summary.mean, color=colour, linestyle="--", linewidth=0.9, label=label)
    axis.axhspan(*_ends(summary, bars), color=colour, alpha=0.12, linewidth=0)


def parameters_label(runs: pd.DataFrame) -> str:
    """Of an axis with numbers in use, on which published counts may stand beside."""
    return f"Trained parameters in use{' (published: as stated)' if str(runs.dataset.iloc[0]) == PUBLISHED_DATASET else ''}"


def _published_points(
    axis: Axes, claims: list[Claim], ours: pd.DataFrame, quantity: str, bars: str, x: Callable[[Claim], int | None]
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
        _error_bars(axis, places, summaries, bars, **look, label="published QT, test 600")


def log_error(axis: Axes) -> None:
    """An accuracy axis that is logarithmic in the error, because the interesting differences are those between small errors."""
    axis.set_ylabel("Test accuracy (%), log error")
    axis.set_yscale("function", functions=(lambda y: -np.log10(np.maximum(100 - y, SMALLEST_ERROR)), lambda u: 100 - 10.0**-u))
    axis.yaxis.set_major_locator(FixedLocator([20, 40, 60, 70, 80, 85, 90, 93, 95, 97, 98, 99, 99.5]))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_ylim(100 - 1.15 * (100 - axis.dataLim.y0), 100 - max(100 - axis.dataLim.y1, SMALLEST_ERROR) / 1.15)


def round_numbers(low: float, high: float) -> list[float]:
    """Places of ticks on a logarithmic axis, closer together where it spans less."""
    leading = (1, 2, 5) if high > 5 * low else (1, 1.5, 2, 3, 4, 5, 6, 8)
    return [digit * 10.0**power for power in range(-6, 12) for digit in leading]


def _shifts(names: list[str], step: float) -> dict[str, float]:
    """Small shifts that keep the bars of several test sets apart."""
    return {name: step * (2 * index - len(names) + 1) for index, name in enumerate(names)}


def _legend_below(figure: Figure, runs: pd.DataFrame, bars: str) -> None:
    counts = runs.groupby("variant").size()
    title = f"Mean over n = {span(counts)} seeds" if counts.max() > 1 else "One seed"
    title += f"; bars and bands: {bars}"
    order = ("photonic", "published", "classical")
    entries = zip(*figure.axes[0].get_legend_handles_labels(), strict=True)
    handles, labels = zip(*sorted(entries, key=lambda entry: order.index(entry[1].split()[0].rstrip(","))), strict=True)
    figure.legend(handles, labels, loc="outside lower center", ncols=2, title=title, columnspacing=1.2, handlelength=2.2)


def _over_seeds(runs: pd.DataFrame) -> str:
    counts = runs.groupby("variant").size()
    if counts.max() == 1:
        return "one seed"
    return f"mean and range of {span(counts)} seeds"


def without_runs(figure: Figure) -> Figure:
    """A figure that says that its runs are not there."""
    figure.text(0.5, 0.5, "not run", ha="center", va="center", color="#555555")
    return figure
