"""Figures of distillation: controls, compression, shots, laws, angles, basis filters, calibration."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from lightweights.errors import LightweightsError
from lightweights.params import Study
from lightweights.study.ablation_figures import GREY, ORANGE, PURPLE, SKY, WORDS
from lightweights.study.claims import Claim
from lightweights.study.distillation_tables import (
    HEADLINE,
    LABELS,
    REFERENCE,
    TABLE_1,
    by_label,
    compare,
    control_runs,
    distilled_runs,
    frontier,
    margin_of,
    shot_fits,
    shot_gains,
)
from lightweights.study.figures import (
    BLACK,
    BLUE,
    GREEN,
    ONE_COLUMN,
    TWO_COLUMNS,
    VERMILLION,
    Draw,
    log_error,
    round_numbers,
    styled,
    without_runs,
)
from lightweights.study.files import read_json
from lightweights.study.layout import RESULTS, folder_of_row
from lightweights.study.statistics import Summary, span, summarise

PUBLISHED_COMPRESSION, PUBLISHED_ACCURACY = (41.0, 105.0), (96.0, 97.0)
"""The article's range at extreme compression; its accuracies are of validation images, after 100 epochs."""


class MissingDetailsError(LightweightsError):
    """A run whose metrics.json lacks what a figure shows; names it and the remedy."""


def distillation_figures(study: Study, laws: pd.DataFrame | None = None, results: Path = RESULTS) -> dict[str, Draw]:
    """The figures by name. ``laws``: what :func:`lightweights.study.distillation_laws.measure_laws` has found."""

    @styled
    def controls(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        return draw_controls(control_runs(runs, study))

    @styled
    def compression(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        return draw_frontier(frontier(runs, study))

    @styled
    def shots(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        trained_on = set(runs[runs.experiment == "pqkd_shots"].dataset)
        return draw_shots(shot_gains(runs, study), [c for c in claims if c.method == "pqkd" and c.dataset in trained_on])

    @styled
    def law(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        return draw_laws(laws)

    @styled
    def angles(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        return draw_angles(distilled_runs(runs, study), histories)

    @styled
    def filters(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        mine = distilled_runs(runs, study)
        first = [mine[(mine.experiment == "pqkd_student") & (mine.source == "photonic")]]
        first += [mine[(mine.experiment == "pqkd_controls") & (mine.source == source)] for source in ("photonic", REFERENCE)]
        return draw_filters({_short(g.iloc[0]): details(study, g.iloc[0], results)["basis"] for g in first if len(g)})

    @styled
    def calibration(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        mine = distilled_runs(runs, study)
        mine = mine[mine.experiment.isin([name for pair in TABLE_1 for name in pair])]
        return draw_calibration(mine, lambda run: details(study, run, results)["reliability"])

    return {
        "pqkd_controls": controls,
        "pqkd_compression": compression,
        "pqkd_shots": shots,
        "pqkd_laws": law,
        "pqkd_angles": angles,
        "pqkd_filters": filters,
        "pqkd_calibration": calibration,
    }


def details(study: Study, run: Any, results: Path) -> dict[str, Any]:
    """What a teacher's or student's metrics.json keeps for figures."""
    folder = folder_of_row(study.study.name, run, results)
    try:
        return read_json(folder / "metrics.json")["distillation"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingDetailsError(
            f"{folder / 'metrics.json'} has no section distillation ({error}); delete the folder and start snakemake again"
        ) from None


def _amount(images: float) -> str:
    return "all images" if math.isnan(images) else f"{images:,.0f} images"


def _short(run: Any) -> str:
    return f"{run.dataset}, {LABELS[run.source]}, {_amount(run.images)}, {run.epochs} epochs, seed {run.seed}"


def draw_controls(runs: pd.DataFrame) -> Figure:
    """Left accuracy of every control, one dot a seed; right the paired difference to a fixed Gaussian vector."""
    figure = Figure(figsize=(TWO_COLUMNS, 0.9 + 0.2 * max(runs.source.nunique(), 3)), layout="constrained")
    if runs.empty:
        return without_runs(figure)
    groups = by_label(runs)
    labels = sorted(groups, key=lambda label: -float(groups[label][HEADLINE].mean()))
    left, right = figure.subplots(1, 2, sharey=True)
    lowest = min(float(group[HEADLINE].min()) for label, group in groups.items() if label != LABELS["zero"])
    for place, label in enumerate(labels):
        values = groups[label][HEADLINE]
        colour = BLUE if label.startswith("photons") else BLACK
        if values.max() < lowest - 5:
            left.text(lowest, place, f"at {values.mean():.1f} %", color=GREY, fontsize=6.5, va="center")
            continue
        left.plot(values, [place] * len(values), linestyle="none", marker="o", markersize=3, color=colour, alpha=0.6)
        left.plot(values.mean(), place, marker="|", markersize=9, color=colour, markeredgewidth=1.4)
    left.set_yticks(range(len(labels)), labels)
    left.set_ylim(len(labels) - 0.5, -0.5)
    first = runs.iloc[0]
    left.set_xlabel("Test accuracy (%); line: mean over seeds")
    margin, reference = margin_of(runs), runs[runs.source == REFERENCE]
    if len(reference):
        rest = {label: groups[label] for label in labels if label not in (LABELS[REFERENCE], LABELS["zero"])}
        table = compare(rest, reference, margin)
        right.axvspan(-margin, margin, color="#d9e8f2", linewidth=0, zorder=0)
        right.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
        for row in table[table.n > 0].itertuples():
            colour, marker = WORDS[row.word]
            spread = [[row.mean - row.ci95_low], [row.ci95_high - row.mean]] if row.n > 1 else None
            right.errorbar(row.mean, labels.index(row.label), xerr=spread, color=colour, marker=marker, markersize=4, linestyle="none")
        for word, (colour, marker) in WORDS.items():
            if word in set(table.word):
                right.plot([], [], color=colour, marker=marker, linestyle="none", label=word)
        right.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)
    right.set_xlabel("Minus Gaussian, fixed (points)")
    told = f"{first.dataset}, {_amount(first.images)}, {first.epochs} epochs, n = {span(len(group) for group in groups.values())}."
    told += f" Bars: 95 % t interval, paired; band: ±{margin:g} points"
    figure.supxlabel(told, fontsize=6.5, color="#555555")
    return figure


def draw_frontier(found: pd.DataFrame) -> Figure:
    """Accuracy against the compression of the convolutions, and against all trained parameters, where plain CNNs stand beside."""
    figure = Figure(figsize=(TWO_COLUMNS, 3.1), layout="constrained")
    if found.empty:
        return without_runs(figure)
    found = found[found.dataset == found.dataset.mode()[0]]
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
        _summaries(right, plain.parameters, plain.accuracy, color=BLACK, marker="X", linestyle="--", label="plain CNN, distilled")
        right.legend(loc="lower right")
    if str(found.dataset.iloc[0]) == "mnist":
        width, height = PUBLISHED_COMPRESSION[1] - PUBLISHED_COMPRESSION[0], PUBLISHED_ACCURACY[1] - PUBLISHED_ACCURACY[0]
        corner = (PUBLISHED_COMPRESSION[0], PUBLISHED_ACCURACY[0])
        box = Rectangle(corner, width, height, fill=False, edgecolor=BLACK, linewidth=0.9, label="published (validation, 100 epochs)")
        left.add_patch(box)
    log_error(left)
    for axis, label in ((left, "Compression of the convolutions, angles counted"), (right, "Trained parameters")):
        axis.set(xscale="log", xlabel=label)
        axis.xaxis.set_major_locator(FixedLocator(round_numbers(*axis.get_xlim())))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.xaxis.set_minor_locator(NullLocator())
    seeds = span(s.n for s in found.accuracy)
    title = f"{found.dataset.iloc[0]}, {found.epochs.max()} epochs. Mean over {seeds} seeds; bars: 95 % t interval (n > 2)"
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, title=title)
    return figure


def _summaries(axis: Axes, x: pd.Series, found: pd.Series, **look: Any) -> None:
    summaries: list[Summary] = list(found)
    means = np.array([s.mean for s in summaries])
    spread = np.array([[s.mean - s.low, s.high - s.mean] if s.n > 2 else [0.0, 0.0] for s in summaries])
    axis.errorbar(x.astype(float), means, yerr=spread.T, elinewidth=0.7, **look)


def draw_shots(gains: pd.DataFrame, claims: list[Claim]) -> Figure:
    """delta(S) with and without averaging, one dot a run, the fitted curves, and the published asymptotes."""
    figure = Figure(figsize=(ONE_COLUMN, 3.5), layout="constrained")
    if gains.empty:
        return without_runs(figure)
    axis = figure.subplots()
    fits, shots = shot_fits(gains), np.geomspace(gains.shots.min(), gains.shots.max(), 100)
    for (ema, group), colour, marker, dash in zip(
        sorted(gains.groupby("ema"), reverse=True), (BLUE, VERMILLION, GREEN, PURPLE), "os^D", ("-", "--", ":", "-."), strict=False
    ):
        name = f"EMA {ema:g}" if ema else "no EMA"
        shift = 1.03 if ema else 0.97
        axis.plot(group.shots * shift, group.gain, linestyle="none", marker=marker, markersize=3, alpha=0.6, color=colour, label=name)
        if ema in fits:
            limit, slope = fits[ema]
            label = f"fit: δ∞ = {limit.value:.2f} ± {limit.error:.2f}, c = {slope.value:.1f} ± {slope.error:.1f}"
            axis.plot(shots, limit.value - slope.value * shots**-0.5, color=colour, linestyle=dash, linewidth=0.9, label=label)
    for claim in claims:
        colour = VERMILLION if "no_ema" in claim.id else BLUE
        axis.axhline(claim.reported_mean, color=colour, linewidth=0.7, linestyle=":", zorder=1)
        text = f"published {claim.reported}, {'without' if 'no_ema' in claim.id else 'with'} EMA"
        axis.text(gains.shots.max(), float(claim.reported_mean or 0), text, color=colour, fontsize=6, ha="right", va="bottom")
    axis.set(xscale="log", xlabel="Shots S of a feature", ylabel="Gain over zero feature (points)")
    figure.legend(loc="outside lower center", ncols=1, title="δ(S) = δ∞ - c / √S; one dot a run")
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
    axes[0].text(1, math.pi, "all angles at ±π", color=GREY, fontsize=6.5, va="bottom")
    axes[0].set(xlabel="Epoch", ylabel="RMS of the angles (rad)", ylim=(0, 3.5))
    axes[1].set(xlabel="Epoch", ylabel="Test accuracy (%)")
    figure.legend(loc="outside upper center", ncols=2, title="One line a seed")
    return figure


def draw_filters(basis: dict[str, dict[str, list[list[float]]]]) -> Figure:
    """Learned basis filters: one row a network and layer, each filter scaled to its own largest number."""
    basis = {name: layers for name, layers in basis.items() if layers}
    lines = sum(len(layers) for layers in basis.values())
    figure = Figure(figsize=(TWO_COLUMNS, 0.25 * len(basis) + 0.62 * max(lines, 1)), layout="constrained")
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
    return figure


def draw_calibration(runs: pd.DataFrame, reliability_of: Any) -> Figure:
    """Accuracy against confidence on the test set, all seeds together, with the expected calibration error; one panel a data set."""
    sets = list(dict.fromkeys(runs.dataset))
    figure = Figure(figsize=(TWO_COLUMNS if len(sets) > 1 else ONE_COLUMN, 2.6), layout="constrained")
    if runs.empty:
        return without_runs(figure)
    axes = figure.subplots(1, len(sets), squeeze=False, sharey=True)[0]
    for axis, dataset in zip(axes, sets, strict=True):
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        here = runs[runs.dataset == dataset]
        for network, colour, marker in (("teacher", BLACK, "s"), ("photonic", BLUE, "o")):
            group = here[here.source == network]
            if group.empty:
                continue
            images, accuracy, confidence = pooled([reliability_of(run) for run in group.itertuples()])
            error = summarise(group.test_calibration_error_percent)
            label = f"{'teacher' if network == 'teacher' else 'student'}: {error.mean:.2f} %"
            axis.plot(confidence, accuracy, color=colour, marker=marker, label=label)
            axis.scatter(confidence, accuracy, s=300 * images / images.sum(), color=colour, alpha=0.3, linewidth=0)
        axis.set(xlabel="Confidence", title=f"{dataset}, {here.epochs.max()} epochs, n = {here.groupby('source').size().min()}")
        axis.title.set_fontsize(7.5)
        axis.legend(loc="upper left", title="Calibration error")
    axes[0].set_ylabel("Accuracy")
    return figure


def pooled(bins: list[dict[str, list[float | None]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, accuracy and mean confidence of the bins of several runs taken together; empty bins are left out."""
    images = np.array([b["images"] for b in bins], dtype=float)
    accuracy, confidence = (np.array([b[name] for b in bins], dtype=float) for name in ("accuracy", "confidence"))
    total = images.sum(0)
    there = total > 0
    sums = [np.nansum(images * values, 0)[there] / total[there] for values in (accuracy, confidence)]
    return total[there], sums[0], sums[1]
