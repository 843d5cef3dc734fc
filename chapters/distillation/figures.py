"""Figures of distillation: controls, compression, shots, laws, angles, basis filters, calibration."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, FixedLocator, NullLocator, StrMethodFormatter

from lightweights.errors import LightweightsError
from lightweights.report.claims import Claim, published
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
    mark_cut,
    round_numbers,
    styled,
    without_runs,
)
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, span
from lightweights.study.layout import folder_of_row

from . import LAWS, PUBLISHED_COMPRESSION
from .panels import draw_laws, draw_shots
from .reliability import draw_calibration
from .shots import SHOTS, shot_gains
from .students import (
    HEADLINE,
    LABELS,
    REFERENCE,
    TABLE_1,
    by_label,
    compare,
    control_runs,
    distilled_runs,
    extreme_controls,
    frontier,
    margin_of,
)

PUBLISHED_ACCURACY = (96.0, 97.0)
"""The article's range at extreme compression, of validation images, after 100 epochs."""
GAIN = "asymptotic_gain_over_zero_feature_points"
CHANCE = 20.0
"""Controls that never reach so many percent are told in words: drawn, they would flatten all others."""


class MissingDetailsError(LightweightsError):
    """A run whose metrics.json lacks what a figure shows; names it and the remedy."""


@styled
def pqkd_controls(results: Results) -> Figure:
    """Controls of both compressions."""
    parts = {"First two convolutions": control_runs(results.runs), "All three convolutions": extreme_controls(results)}
    return draw_controls({title: part for title, part in parts.items() if len(part)})


@styled
def pqkd_compression(results: Results) -> Figure:
    """Accuracy against compression."""
    return draw_frontier(frontier(results), results.claims)


@styled
def pqkd_shots(results: Results) -> Figure:
    """Gain over the zero feature against shots."""
    trained_on = set(results.of(*SHOTS).dataset)
    return draw_shots(shot_gains(results.runs), [c for c in results.claims if c.quantity == GAIN and c.dataset in trained_on])


@styled
def pqkd_laws(results: Results) -> Figure:
    """The laws of shot noise."""
    return draw_laws(results.data(LAWS))


@styled
def pqkd_angles(results: Results) -> Figure:
    """How far the angles move."""
    runs = distilled_runs(results.runs)
    mine = runs[(runs.experiment == "pqkd_raw") | ((runs.experiment == "pqkd_controls") & (runs.source == "photonic"))]
    return draw_angles(mine, results.history(mine))


@styled
def pqkd_filters(results: Results) -> Figure:
    """Learned basis filters."""
    mine = distilled_runs(results.runs)
    first = [mine[(mine.experiment == "pqkd_student") & (mine.source == "photonic")]]
    first += [mine[(mine.experiment == "pqkd_controls") & (mine.source == source)] for source in ("photonic", REFERENCE)]
    return draw_filters({_short(g.iloc[0]): details(results, g.iloc[0])["basis"] for g in first if len(g)})


@styled
def pqkd_calibration(results: Results) -> Figure:
    """Reliability of teachers and students."""
    mine = distilled_runs(results.runs)
    mine = mine[mine.experiment.isin([name for pair in TABLE_1 for name in pair])]
    return draw_calibration(mine, lambda run: details(results, run)["reliability"])


def details(results: Results, run: Any) -> dict[str, Any]:
    """What a teacher's or student's metrics.json keeps for figures."""
    try:
        return results.details(run)["distillation"]
    except (KeyError, TypeError):
        path = folder_of_row(results.study.study.name, run, results.root) / "metrics.json"
        raise MissingDetailsError(f"{path} has no section distillation; delete the folder and start snakemake again") from None


def _amount(images: float) -> str:
    return "all images" if math.isnan(images) else f"{images:,.0f} images"


def _short(run: Any) -> str:
    return f"{run.dataset}, {LABELS[run.source]}, {_amount(run.images)}, {run.epochs} epochs, seed {run.seed}"


def draw_controls(parts: dict[str, pd.DataFrame]) -> Figure:
    """Left accuracy of every control, one dot a seed; right the paired difference to a fixed Gaussian vector; one row a part."""
    groups = {title: by_label(runs) for title, runs in parts.items()}
    heights = [max(len(labels), 3) + 1 for labels in groups.values()]
    figure = Figure(figsize=(TWO_COLUMNS, 0.9 + 0.2 * max(sum(heights), 4)), layout="constrained")
    if not parts:
        return without_runs(figure)
    words: set[str] = set()
    rows = figure.subplots(len(parts), 2, sharey="row", squeeze=False, height_ratios=heights)
    for (left, right), (title, runs) in zip(rows, parts.items(), strict=True):
        left.set_title(title, loc="left", fontsize=7.5)
        words |= _controls(left, right, groups[title], runs)
    left.set_xlabel("Test accuracy (%)")
    right.set_xlabel(f"Minus {LABELS[REFERENCE]} (points)")
    handles = [Line2D([], [], color=c, marker=m, linestyle="none", label=w) for w, (c, m) in WORDS.items() if w in words]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    first, seeds = runs.iloc[0], span(len(group) for labels in groups.values() for group in labels.values())
    told = f"{first.dataset}, {_amount(first.images)}, {first.epochs} epochs, n = {seeds}."
    told += f" Dots: seeds, with their mean. Bars: 95 % t interval, paired (n > 2); band: ±{margin_of(runs):g} points"
    figure.supxlabel(told, fontsize=6.5, color="#555555")
    return figure


def _controls(left: Axes, right: Axes, groups: dict[str, pd.DataFrame], runs: pd.DataFrame) -> set[str]:
    """Draws one row of panels; returns the words that the differences have."""
    labels = sorted(groups, key=lambda label: -float(groups[label][HEADLINE].mean()))
    at_chance = {label for label in labels if groups[label][HEADLINE].max() < CHANCE}
    for place, label in enumerate(labels):
        values = groups[label][HEADLINE]
        colour = BLUE if label.startswith("photons") else BLACK
        if label in at_chance:
            _at_edge(left, place, f"at {values.mean():.1f} %")
            continue
        left.plot(values, [place] * len(values), linestyle="none", marker="o", markersize=3, color=colour, alpha=0.6)
        left.plot(values.mean(), place, marker="|", markersize=9, color=colour, markeredgewidth=1.4)
    left.set_yticks(range(len(labels)), labels)
    left.set_ylim(len(labels) - 0.5, -0.5)
    if len(at_chance) == len(labels):
        left.set_xticks([])
    margin, rest = margin_of(runs), {label: group for label, group in groups.items() if label != LABELS[REFERENCE]}
    table = compare(rest, runs[runs.source == REFERENCE], margin)
    table = table[table.n > 0]
    if table.empty:
        right.text(0.5, 0.5, "no pairs", transform=right.transAxes, color=GREY, fontsize=6.5, ha="center", va="center")
        right.set_xticks([])
        return set()
    right.axvspan(-margin, margin, color="#d9e8f2", linewidth=0, zorder=0)
    right.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
    for row in table.itertuples():
        place, (colour, marker) = labels.index(row.label), WORDS[row.word]
        if row.label in at_chance:
            _at_edge(right, place, f"at {row.mean:+.1f}")
            continue
        spread = [[row.mean - row.ci95_low], [row.ci95_high - row.mean]] if row.n > 2 else None
        right.errorbar(row.mean, place, xerr=spread, color=colour, marker=marker, markersize=4, linestyle="none")
    return set(table[~table.label.isin(at_chance)].word)


def _at_edge(axis: Axes, place: float, text: str) -> None:
    axis.text(0.02, place, text, transform=axis.get_yaxis_transform(), color=GREY, fontsize=6.5, va="center")


def draw_frontier(found: pd.DataFrame, claims: Sequence[Claim]) -> Figure:
    """Accuracy against the compression of the convolutions, and against all trained parameters, where plain CNNs stand beside."""
    figure = Figure(figsize=(TWO_COLUMNS, 3.1), layout="constrained")
    if found.empty:
        return without_runs(figure)
    dataset = max(found.dataset.unique(), key=list(found.dataset).count)
    found = found[found.dataset == dataset]
    left, right = figure.subplots(1, 2, sharey=True)
    looks = iter([(BLUE, "o"), (VERMILLION, "s"), (GREEN, "^"), (PURPLE, "D"), (SKY, "v"), (ORANGE, "P")])
    dictionaries = found[found.compressed != "none"]
    for (compressed, widths, images, _), group in dictionaries.groupby(["compressed", "widths", "images", "epochs"], dropna=False):
        colour, marker = next(looks, (GREY, "x"))
        label = f"{compressed}, {widths.replace('x', ', ')}; {_amount(images)}"
        for axis, column in ((left, "compression"), (right, "parameters")):
            ordered = group.sort_values(column)
            _summaries(axis, ordered[column], ordered.accuracy, color=colour, marker=marker, label=label if axis is left else None)
    plain = found[found.compressed == "none"].sort_values("parameters")
    if len(plain):
        _summaries(right, plain.parameters, plain.accuracy, color=BROWN, marker="X", linestyle="none", label="plain CNN, distilled")
    _published(left, claims, dataset)
    if dataset == "mnist":
        width, height = PUBLISHED_COMPRESSION[1] - PUBLISHED_COMPRESSION[0], PUBLISHED_ACCURACY[1] - PUBLISHED_ACCURACY[0]
        corner = (PUBLISHED_COMPRESSION[0], PUBLISHED_ACCURACY[0])
        box = Rectangle(corner, width, height, fill=False, edgecolor=BLACK, linewidth=0.9, label="published, extreme")
        left.add_patch(box)
    left.dataLim.update_from_data_y(right.dataLim.intervaly, ignore=False)  # the panels share their y axis
    log_error(left)
    told = [c.reported_mean for c in published(claims, "pqkd_partial", "validation_accuracy_percent", dataset)]
    best = max([own.mean for own in found.accuracy] + [mean for mean in told if mean is not None])
    left.set_ylim(top=100 - (100 - best) / 2)  # intervals of few seeds may reach 100 %: an arrow
    for axis in (left, right):
        mark_cut(axis)
    for axis, label in ((left, "Compression of the convolutions, angles counted"), (right, "Trained parameters")):
        axis.set(xscale="log", xlabel=label)
        axis.xaxis.set_major_locator(FixedLocator(round_numbers(*axis.get_xlim())))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}") if axis is left else EngFormatter(sep=" "))
        axis.xaxis.set_minor_locator(NullLocator())
    seeds = span(s.n for s in found.accuracy)
    title = f"{dataset}, {found.epochs.max()} epochs. Mean (n = {seeds}); bars: 95 % t interval (n > 2). "
    title += "Published: validation, 100 epochs"
    entries = [entry for axis in (left, right) for entry in zip(*axis.get_legend_handles_labels(), strict=True)]
    entries.sort(key=lambda entry: entry[1].startswith("published"))
    figure.legend(*zip(*entries, strict=True), loc="outside lower center", ncols=3, title=title)
    return figure


def _summaries(axis: Axes, x: pd.Series, found: pd.Series, **look: Any) -> None:
    summaries: list[Summary] = list(found)
    means = np.array([s.mean for s in summaries])
    spread = np.array([[s.mean - max(s.low, 0.0), min(s.high, 100.0) - s.mean] if s.n > 2 else [0.0, 0.0] for s in summaries])
    axis.errorbar(x.astype(float), means, yerr=spread.T, elinewidth=0.7, **look)


def _published(axis: Axes, claims: Sequence[Claim], dataset: str) -> None:
    """Table 1 as published, with t intervals: the teacher, and the student at partial compression."""
    for method, compression, marker in (("teacher", 1.0, "s"), ("pqkd_partial", 1.5, "D")):
        summaries = [c.summary for c in published(claims, method, "validation_accuracy_percent", dataset) if c.summary]
        look = {"color": BLACK, "marker": marker, "markerfacecolor": "white", "linestyle": "none"}
        look["label"] = f"published, {method.removeprefix('pqkd_')}"
        _summaries(axis, pd.Series([compression] * len(summaries)), pd.Series(summaries), **look)


def draw_angles(runs: pd.DataFrame, histories: pd.DataFrame) -> Figure:
    """Size of the angles and test accuracy over epochs: judged by the raw feature, and by the averaged one."""
    figure = Figure(figsize=(TWO_COLUMNS, 2.2), layout="constrained")
    raw = runs[runs.experiment == "pqkd_raw"]
    averaged = runs[(runs.experiment == "pqkd_controls") & (runs.source == "photonic")]
    if raw.empty:
        return without_runs(figure)
    axes = figure.subplots(1, 2)
    for group, colour, label in ((averaged, BLUE, "judged by the averaged feature"), (raw, VERMILLION, "judged by the raw feature")):
        mine = histories.merge(group[["experiment", "variant", "seed"]], on=["experiment", "variant", "seed"])
        for number, (_, one) in enumerate(mine.groupby("seed")):
            axes[0].plot(one.epoch, one.theta_rms, color=colour, marker="o", markersize=2.5, label=None if number else label)
            axes[1].plot(one.epoch, one[HEADLINE], color=colour, marker="o", markersize=2.5)
    axes[0].axhline(math.pi, color=GREY, linewidth=0.8, linestyle=":")
    axes[0].text(1, math.pi + 0.06, "all angles at ±π", color=GREY, fontsize=6.5, va="bottom")
    axes[0].set(xlabel="Epoch", ylabel="RMS of the angles (rad)", ylim=(0, 3.6))
    axes[1].set(xlabel="Epoch", ylabel="Test accuracy (%)")
    figure.legend(loc="outside upper center", ncols=2, title="One line a seed")
    return figure


def draw_filters(basis: dict[str, dict[str, list[list[float]]]]) -> Figure:
    """Learned basis filters: one row a network and layer, each filter scaled to its own largest number."""
    basis = {name: layers for name, layers in basis.items() if layers}
    lines = sum(len(layers) for layers in basis.values())
    figure = Figure(figsize=(ONE_COLUMN, 0.3 + 0.25 * len(basis) + 0.36 * max(lines, 1)), layout="constrained")
    if not lines:
        return without_runs(figure)
    parts = figure.subfigures(len(basis), 1, squeeze=False, height_ratios=[len(layers) + 0.3 for layers in basis.values()])[:, 0]
    for part, (name, layers) in zip(parts, basis.items(), strict=True):
        part.suptitle(name, x=0.02, ha="left", fontsize=6.5)
        axes = part.subplots(len(layers), max(map(len, layers.values())), squeeze=False)
        for line, (layer, filters) in zip(axes, layers.items(), strict=True):
            for axis in line:
                axis.set_axis_off()
            for axis, values in zip(line, filters, strict=False):
                side = math.isqrt(len(values))
                picture = np.array(values).reshape(side, side)
                reach = float(np.abs(picture).max()) or 1.0
                axis.imshow(picture, cmap="PuOr", vmin=-reach, vmax=reach)
            line[0].text(-0.25, 0.5, layer, transform=line[0].transAxes, rotation=90, va="center", ha="center", fontsize=6.5)
    figure.supxlabel("Each filter scaled to its own largest number;\norange: negative, purple: positive", fontsize=6.5, color="#555555")
    return figure
