"""Panels over shots: the gain over the zero feature, and the laws of shot noise."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from lightweights.report.claims import Claim
from lightweights.report.figure import BLACK, BLUE, GREEN, ONE_COLUMN, PURPLE, TWO_COLUMNS, VERMILLION, round_numbers, without_runs
from lightweights.report.statistics import span
from lightweights.report.table import short_cell

from .shots import SHOTS, shot_fits
from .students import HEADLINE


def draw_shots(gains: pd.DataFrame, claims: Sequence[Claim]) -> Figure:
    """delta(S) with and without averaging: thin lines a seed, thick ones the mean of their fits; at the right edge the exact feature."""
    gains = gains.dropna(subset="gain")
    parts = {f"Angles {angles}": gains[gains.experiment == name] for name, angles in SHOTS.items() if name in set(gains.experiment)}
    figure = Figure(figsize=(TWO_COLUMNS if len(parts) > 1 else ONE_COLUMN, 3.3), layout="constrained")
    if not parts:
        return without_runs(figure)
    fits, shots = shot_fits(gains), sorted({s for s in gains.shots if s < math.inf})
    least, most = min(shots, default=1.0), max(shots, default=1.0)
    smooth, edge = np.geomspace(least, most, 100), 4 * most
    spans = [float(part.gain.max() - part.gain.min()) for part in parts.values()]
    axes = figure.subplots(1, len(parts), sharey=3 * min(spans) > max(spans), squeeze=False)[0]
    for axis, (title, part) in zip(axes, parts.items(), strict=True):
        axis.axvspan(edge / 1.7, edge * 1.7, color="#f2f2f2", linewidth=0, zorder=0)
        for (ema, group), colour, marker, dash in zip(
            sorted(part.groupby("ema"), reverse=True), (BLUE, VERMILLION, GREEN, PURPLE), "os^D", ("-", "--", ":", "-."), strict=False
        ):
            shift, label = (1.06, f"EMA {ema:g}") if ema else (0.94, "no EMA")
            look = {"color": colour, "marker": marker, "markersize": 2.5, "linestyle": dash, "linewidth": 0.5, "alpha": 0.5}
            for _, one in group[group.shots < math.inf].sort_values("shots").groupby("seed"):
                axis.plot(one.shots * shift, one.gain, **look)
            exact = group[group.shots == math.inf].gain
            axis.plot([edge * shift] * len(exact), exact, **look | {"linestyle": "none"})
            axis.hlines(exact.mean(), edge / 1.5, edge * 1.5, color=colour, linestyle=dash)
            if fit := fits.get((part.experiment.iloc[0], ema)):
                label += ": " + ", ".join(f"{name} = {short_cell(f, HEADLINE)}" for name, f in zip(("δ∞", "c"), fit, strict=True))
                axis.plot(smooth, fit[0].mean - fit[1].mean * smooth**-0.5, color=colour, linestyle=dash)
            axis.plot([], [], color=colour, linestyle=dash, marker=marker, markersize=2.5, label=label)
        axis.set(xscale="log", xlabel="Shots S of a feature", xlim=(least / 1.5, edge * 1.7))
        axis.set_xticks([*shots, edge], [*(f"{s:,.0f}" for s in shots), "exact"])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_title(title, fontsize=7.5)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17))
    axes[0].set_ylabel("Gain over zero feature (points)")
    seeds = span(gains.groupby(["experiment", "ema", "shots"]).size())
    told = f"Thin: one seed (n = {seeds}). Thick: means over seeds,\nfor S shots of the fits δ(S) = δ∞ - c / √S (± sd)."
    words = [f"{c.reported} {'without' if 'no_ema' in c.id else 'with'} EMA" for c in claims]
    told += f"\nPublished δ∞, angles tuned: {', '.join(words)}" if words else ""
    figure.supxlabel(told, fontsize=6.5, color="#555555")
    figure.draw_without_rendering()  # places ticks, whose labels the final layout has to make room for
    return figure


def draw_laws(laws: pd.DataFrame | None) -> Figure:
    """Variance and kernel error against shots, and what averaging leaves, measured (dots) and predicted (lines)."""
    figure = Figure(figsize=(TWO_COLUMNS, 2.2), layout="constrained")
    if laws is None or laws.empty:
        return without_runs(figure)
    axes = figure.subplots(1, 3)
    shown = (("variance", "shots", "Variance of the feature"), ("kernel_error", "shots", "Error of a kernel"), ("ema", "beta", ""))
    for axis, (law, x, label) in zip(axes, shown, strict=True):
        mine = laws[laws.law == law].sort_values(x)
        betas = np.linspace(0.97 * mine[x].min(), min(1.02 * mine[x].max(), 0.98), 100)
        line = (mine[x], mine.predicted) if x == "shots" else (betas, (1 - betas) / (1 + betas))
        axis.plot(*line, color=BLACK, linewidth=0.9, label="predicted")
        axis.errorbar(mine[x], mine.measured, yerr=mine.standard_error, color=BLUE, marker="o", linestyle="none", label="measured")
        axis.set_yscale("log")
        axis.set(xlabel="Shots S" if x == "shots" else "EMA factor β", ylabel=label or "Share of variance left")
        if x == "shots":
            axis.set_xscale("log")
        else:
            axis.yaxis.set_major_locator(FixedLocator(round_numbers(*axis.get_ylim())))
            axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.yaxis.set_minor_locator(NullLocator())
    axes[0].legend(loc="lower left", title="bars: standard error")
    return figure
