"""Figures of imperfect devices: the published sweeps, what the sources leave open, two parameters together, and the price in time."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from lightweights.report.comparisons import compared_column
from lightweights.report.figure import BLACK, BLUE, GREEN, ONE_COLUMN, TWO_COLUMNS, VERMILLION, styled, without_runs
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, span, summarise
from lightweights.settings.schedules import GradientSchedule

from . import OPEN_QUESTIONS, SWEEPS
from .sweeps import CLAIMED, CONTROL, LABELS, OTHERS, REFERENCE, drop, name_of, noise_runs, sweep, value_of

LOGARITHMIC = ("noise_g2", *OPEN_QUESTIONS)
"""Sweeps over orders of magnitude."""


BOUND: dict[str, Any] = {"color": BLACK, "linewidth": 1.2, "linestyle": ":", "zorder": 5}
"""The claimed bound: above other lines, which may lie at the same level."""


@styled
def noise(results: Results) -> Figure:
    """The four published sweeps: points lost against no noise, trained under noise and with noise at generation only."""
    return _sweeps(results.runs, list(SWEEPS))


@styled
def noise_open(results: Results) -> Figure:
    """Errors of phases and beam splitters, which the sources leave open: points lost against no noise."""
    return _sweeps(results.runs, list(OPEN_QUESTIONS))


@styled
def noise_map(results: Results) -> Figure:
    """Points lost by g2 and transmittance together, mean over seeds."""
    figure = Figure(figsize=(ONE_COLUMN, 2.5), layout="constrained")
    runs, own, column = results.runs, results.of("noise_map"), compared_column(results.runs)
    if own.empty:
        return without_runs(figure)
    rows = []
    for _, group in noise_runs(runs, "noise_map"):
        y, x = (float(group[path].iloc[0]) for path in OTHERS["noise_map"])
        rows.append((x, y, drop(runs, group, column)))
    xs, ys = sorted({x for x, *_ in rows}), sorted({y for _, y, _ in rows})
    lost = np.full((len(ys), len(xs)), np.nan)
    for x, y, found in rows:
        lost[ys.index(y), xs.index(x)] = found.mean
    axis = figure.subplots()
    reach = max(CLAIMED, np.nanmax(np.abs(lost))) if not np.isnan(lost).all() else CLAIMED
    image = axis.imshow(lost, origin="lower", cmap="RdBu_r", vmin=-reach, vmax=reach, aspect="auto")
    for x, y, found in rows:
        half = "" if np.isnan(found.low) else f"\n±{(found.high - found.low) / 2:.1f}"
        dark = abs(found.mean) > 0.65 * reach
        look = {"ha": "center", "va": "center", "fontsize": 6.5, "color": "white" if dark else BLACK}
        axis.text(xs.index(x), ys.index(y), f"{found.mean:+.1f}{half}" if found.n else "-", **look)
    axis.grid(visible=False)
    axis.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
    axis.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
    axis.set(xlabel=LABELS["transmittance"], ylabel=LABELS["g2"])
    figure.colorbar(image, ax=axis, label="Accuracy lost (points)")
    axis.set_title(f"mean over {_seeds(own)} seeds, ± half the 95 % t interval", fontsize=6.5)
    return figure


@styled
def noise_cycles(results: Results) -> Figure:
    """Accuracy against the clock cycles of an evaluation; above, the time that all evaluations of a training take a device."""
    study, runs = results.study, results.runs
    own = [run.settings for run in study.runs() if run.experiment == "noise_cycles"]
    schedule = own[0].schedule if own else None
    figure = Figure(figsize=(ONE_COLUMN, 2.9), layout="constrained")
    points = sweep(runs, "noise_cycles")
    if points.empty:
        return without_runs(figure)
    axis = figure.subplots()
    _band(axis, points.value, list(points.accuracy), BLUE, "o", "trained on counts")
    clean = summarise(runs[runs.experiment == REFERENCE][compared_column(runs)])
    again = [_minus(clean.mean, lost) for lost in points.regenerated]
    if any(found.n for found in again):
        _band(axis, points.value, again, VERMILLION, "s", "counts at generation only")
    for name, colour, label in ((REFERENCE, BLACK, "exact, no noise"), (CONTROL, GREEN, "MPS only")):
        level = summarise(runs[runs.experiment == name][compared_column(runs)])
        if level.n:
            axis.axhline(level.mean, color=colour, linestyle="--", linewidth=0.9, label=label)
    axis.axhline(clean.mean - CLAIMED, **BOUND, label=f"{CLAIMED:g} points below exact")
    axis.set(xscale="log", xlabel="Clock cycles of each circuit for each evaluation", ylabel="Test accuracy (%)")
    axis.set_ylim(top=min(100, axis.get_ylim()[1]))
    axis.xaxis.set_minor_locator(NullLocator())
    if isinstance(schedule, GradientSchedule):
        asked, clock = schedule.rounds * (2 + schedule.phase_steps), 1e6 * study.study.clock_mhz
        above = axis.secondary_xaxis("top", functions=(lambda c: c * asked / clock, lambda s: s * clock / asked))
        above.set_xlabel(
            f"Device time of a whole training at {study.study.clock_mhz:g} MHz:\n{asked} evaluations, without gradients", fontsize=7
        )
        above.xaxis.set_major_locator(FixedLocator([asked * c / clock for c in points.value]))
        above.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: duration(seconds)))
        above.xaxis.set_minor_locator(NullLocator())
    figure.legend(
        loc="outside lower center",
        ncols=2,
        title=f"Mean over {_seeds(runs[runs.experiment == 'noise_cycles'])} seeds; band: 95 % t interval",
    )
    return figure


@styled
def noise_staleness(results: Results) -> Figure:
    """Accuracy when the devices' probabilities come rounds late."""
    figure = Figure(figsize=(ONE_COLUMN, 2.5), layout="constrained")
    runs = results.runs
    points = sweep(runs, "noise_staleness")
    if points.empty:
        return without_runs(figure)
    axis = figure.subplots()
    axis.plot(points.value, [found.mean for found in points.accuracy], color=BLUE, marker="o")
    for _, group in noise_runs(runs, "noise_staleness"):
        late, values = value_of(group, "noise_staleness"), group[compared_column(runs)]
        axis.plot([late] * len(values), values, color=BLACK, marker="_", markersize=6, linestyle="none", zorder=3)
    axis.set_xticks(points.value)
    axis.set(xlabel=LABELS["staleness"], ylabel="Test accuracy (%)")
    axis.set_ylim(0, 100)
    seeds = _seeds(runs[runs.experiment == "noise_staleness"])
    axis.set_title(f"mean over {seeds} seeds; dashes: each seed", fontsize=6.5)
    return figure


def duration(seconds: float) -> str:
    """A time in the unit that a reader would use."""
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{1e3 * seconds:.3g} ms"


def _sweeps(runs: pd.DataFrame, experiments: list[str]) -> Figure:
    """A column a sweep. Above what is lost by training under noise, below by noise at generation only, where that was measured."""
    found = {experiment: sweep(runs, experiment) for experiment in experiments}
    found = {experiment: points for experiment, points in found.items() if any(s.n for s in points["drop"])}
    again = any(s.n for points in found.values() for s in points.regenerated)
    figure = Figure(figsize=(TWO_COLUMNS if len(found) > 1 else ONE_COLUMN, 3.9 if again else 2.5), layout="constrained")
    if not found:
        return without_runs(figure)
    axes = figure.subplots(2 if again else 1, len(found), sharex="col", sharey="row", squeeze=False)
    for column, (experiment, points) in zip(axes.T, found.items(), strict=True):
        for axis in column:
            axis.axhline(0, color=BLACK, linewidth=0.6)
            axis.axhline(CLAIMED, **BOUND, label=f"claimed bound, {CLAIMED:g} points")
        _band(column[0], points.value, list(points["drop"]), BLUE, "o", "trained under noise")
        _control(column[0], runs)
        if again:
            _band(column[1], points.value, list(points.regenerated), VERMILLION, "s", "noise at generation only")
        column[-1].set_xlabel(LABELS[name_of(experiment)])
        if experiment in LOGARITHMIC and points.value.min() > 0:
            axis = column[-1]
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(FixedLocator(list(points.value)[:: 2 if len(points) > 3 else 1]))
            axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
            axis.xaxis.set_minor_formatter(NullFormatter())
            axis.xaxis.set_minor_locator(NullLocator())
    for axis in axes[:, 0]:
        axis.set_ylabel("Accuracy lost against\nno noise (points)")
    seeds = _seeds(runs[runs.experiment.isin(experiments)])
    labelled = {label: handle for axis in axes[:, 0] for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    title = f"Paired by seed, mean over {seeds} seeds; bands: 95 % t interval"
    figure.legend(list(labelled.values()), list(labelled), loc="outside upper center", ncols=4, title=title)
    return figure


def _control(axis: Axes, runs: pd.DataFrame) -> None:
    """What is lost without photons, which no noise can change."""
    control = [drop(runs, group, compared_column(runs)) for _, group in noise_runs(runs, CONTROL)]
    if control and control[0].n:
        axis.axhline(control[0].mean, color=GREEN, linestyle="--", linewidth=0.9, label="MPS only (feels no noise)")
        if not np.isnan(control[0].low):
            axis.axhspan(control[0].low, control[0].high, color=GREEN, alpha=0.1, linewidth=0)


def _band(axis: Axes, x: pd.Series, found: list[Summary], colour: str, marker: str, label: str) -> None:
    means = [s.mean for s in found]
    axis.plot(x, means, color=colour, marker=marker, label=label)
    lows = [s.mean if np.isnan(s.low) else s.low for s in found]
    highs = [s.mean if np.isnan(s.high) else s.high for s in found]
    axis.fill_between(x, lows, highs, color=colour, alpha=0.15, linewidth=0)


def _minus(level: float, lost: Summary) -> Summary:
    return Summary(lost.n, level - lost.mean, lost.sd, level - lost.high, level - lost.low)


def _seeds(runs: pd.DataFrame) -> str:
    return span(runs.groupby(["experiment", "variant"]).size())
