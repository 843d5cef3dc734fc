"""What all figures share: size for one (3.4 in) or two columns (7 in) of a paper, style, axes, and bytes of a file.

Colours are Okabe and Ito's and viridis, which colour-blind readers can tell apart; markers and dashes say the same again.
Bytes are the same for the same numbers and library versions, whatever the surroundings say: of MPLBACKEND, which Jupyter sets, matplotlib
would refuse what is not installed here, and it reads it while it is imported.
"""
# ruff: noqa: E402

import contextlib
import functools
import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

_backend = os.environ.pop("MPLBACKEND", None)
import matplotlib as mpl

if _backend is not None:
    os.environ["MPLBACKEND"] = _backend

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.markers import CARETDOWNBASE, CARETUPBASE
from matplotlib.ticker import FixedLocator, StrMethodFormatter

from lightweights.report.comparisons import DIFFERS, EQUIVALENT, OPEN
from lightweights.report.measures import possible
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, span

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0
BLUE, VERMILLION, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#222222"
GREY, ORANGE, PURPLE, SKY, BROWN = "#8a8a8a", "#E69F00", "#CC79A7", "#56B4E9", "#8C564B"
WORDS = {DIFFERS: (VERMILLION, "D"), EQUIVALENT: (BLUE, "o"), OPEN: (GREY, "s")}
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


SETS = {"test600": (BLUE, "o"), "test10k": (VERMILLION, "s"), "test": (BLUE, "o")}
"""Colour and marker of each test set."""

Draw = Callable[..., Figure]


def styled(draw: Draw) -> Draw:
    """The function that draws in the style of all figures; results come first."""

    @functools.wraps(draw)
    def styled(results: Results, **named: Any) -> Figure:
        with style():
            return draw(results, **named)

    return styled


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The style of all figures upon matplotlib's own defaults, whatever a matplotlibrc says; what was set before is there again after."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def render(figure: Figure, kind: str) -> bytes:
    """The figure as pdf, svg or png, without dates."""
    dates = {"pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    buffer = io.BytesIO()
    with style():
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


def bars_of(runs: pd.DataFrame) -> str:
    """What bars and bands show: the 95 % t interval, or the sd where it is too wide to be seen (n < 3 somewhere)."""
    smallest = runs.groupby(["experiment", "variant"]).size().min()
    return "95 % t interval" if smallest >= 3 else "sd (ddof = 1)"


def ends_of(summary: Summary, bars: str, column: str = "") -> tuple[float, float]:
    """Ends of the bar of a mean, whose kind is that of :func:`bars_of`, no further than its column can be; the mean where there is none."""
    low, high = (summary.low, summary.high) if bars.startswith("95") else (summary.mean - summary.sd, summary.mean + summary.sd)
    return (summary.mean, summary.mean) if np.isnan(low) else (possible(low, column), possible(high, column))


def error_bars(axis: Axes, x: np.ndarray, summaries: list[Summary], bars: str, column: str = "", **look: object) -> None:
    """Means of a column with their bars at places x."""
    means = np.array([s.mean for s in summaries])
    ends = np.array([ends_of(s, bars, column) for s in summaries])
    axis.errorbar(x, means, yerr=np.abs(ends.T - means), elinewidth=0.8, capthick=0.8, **{"linestyle": "-", **look})


def mark_cut(axis: Axes) -> None:
    """An arrow where a bar reaches beyond the axis, whose limits stand."""
    low, high = axis.get_ylim()
    for container in axis.containers:
        for bars in container[2] if isinstance(container, ErrorbarContainer) else ():
            for segment in bars.get_segments():
                for end, edge, marker in ((segment[1][1], high, CARETUPBASE), (segment[0][1], low, CARETDOWNBASE)):
                    if (end - edge) * (high - low) * (1 if edge == high else -1) > 0:
                        look = {"marker": marker, "color": bars.get_color()[0], "markersize": 3.5, "linestyle": "none"}
                        axis.plot(segment[0][0], edge, clip_on=False, zorder=4, **look)
    axis.set_ylim(low, high)


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


def without_runs(figure: Figure) -> Figure:
    """A figure that says that its runs are not there."""
    figure.text(0.5, 0.5, "not run", ha="center", va="center", color="#555555")
    return figure


def parameters_label(published: bool) -> str:
    """Of an axis with numbers in use, on which published counts may stand beside."""
    return f"Trained parameters in use{' (published: as stated)' if published else ''}"


def over_seeds(runs: pd.DataFrame) -> str:
    """What curves are, in words: of one seed, or the mean and range of several."""
    counts = runs.groupby("variant").size()
    if counts.max() == 1:
        return "one seed"
    return f"mean and range of {span(counts)} seeds"


def shifts(names: list[str], step: float) -> dict[str, float]:
    """Small shifts that keep the bars of several test sets apart."""
    return {name: step * (2 * index - len(names) + 1) for index, name in enumerate(names)}


def curve(axis: Axes, history: pd.DataFrame, column: str, colour: object, window: int, **line: object) -> None:
    """Mean over seeds of a column against rounds, and the range as a band; each seed is smoothed first if at all."""
    by_round = history.pivot(index="round", columns="seed", values=column).dropna(how="all")  # those measured
    if window > 1:
        by_round = by_round.rolling(window, center=True, min_periods=1).mean()
    x = by_round.index.to_numpy(dtype=float)
    axis.plot(x, by_round.mean(axis=1), color=colour, **line)
    if by_round.shape[1] > 1:
        axis.fill_between(x, by_round.min(axis=1), by_round.max(axis=1), color=colour, alpha=0.18, linewidth=0)
