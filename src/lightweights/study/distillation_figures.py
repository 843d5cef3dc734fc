"""Figures of distillation: controls, compression, shots, laws, angles, basis filters, calibration."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, FixedLocator, NullLocator, StrMethodFormatter
from scipy import stats

from lightweights.errors import LightweightsError
from lightweights.params import Study
from lightweights.study.ablation_figures import GREY, ORANGE, PURPLE, SKY, WORDS
from lightweights.study.claims import PUBLISHED_COMPRESSION, Claim, published
from lightweights.study.distillation_tables import (
    HEADLINE,
    LABELS,
    REFERENCE,
    SHOTS,
    TABLE_1,
    by_label,
    compare,
    control_runs,
    distilled_runs,
    extreme_control_runs,
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
from lightweights.study.statistics import CONFIDENCE, Summary, span, summarise
from lightweights.study.tables import short_cell

PUBLISHED_ACCURACY = (96.0, 97.0)
"""The article's range at extreme compression, of validation images, after 100 epochs."""
CHANCE = 20.0
"""Controls that never reach so many percent are told in words: drawn, they would flatten all others."""
FEWEST_IMAGES = 20
"""Bins of confidence with fewer images are not drawn."""


class MissingDetailsError(LightweightsError):
    """A run whose metrics.json lacks what a figure shows; names it and the remedy."""


def distillation_figures(study: Study, laws: pd.DataFrame | None = None, results: Path = RESULTS) -> dict[str, Draw]:
    """The figures by name. ``laws``: what :func:`lightweights.study.distillation_laws.measure_laws` has found."""

    @styled
    def controls(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        parts = {"First two convolutions": control_runs(runs, study), "All three convolutions": extreme_control_runs(runs, study)}
        return draw_controls({title: part for title, part in parts.items() if len(part)})

    @styled
    def compression(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        return draw_frontier(frontier(runs, study), claims)

    @styled
    def shots(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
        trained_on = set(runs[runs.experiment.isin(SHOTS)].dataset)
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
    left.set_xlabel("Test accuracy (%); line: mean over seeds")
    right.set_xlabel(f"Minus {LABELS[REFERENCE]} (points)")
    handles = [Line2D([], [], color=c, marker=m, linestyle="none", label=w) for w, (c, m) in WORDS.items() if w in words]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    first, seeds = runs.iloc[0], span(len(group) for labels in groups.values() for group in labels.values())
    told = f"{first.dataset}, {_amount(first.images)}, {first.epochs} epochs, n = {seeds}."
    told += f" Bars: 95 % t interval, paired (n > 2); band: ±{margin_of(runs):g} points"
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


def draw_frontier(found: pd.DataFrame, claims: list[Claim]) -> Figure:
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
        _summaries(right, plain.parameters, plain.accuracy, color=BLACK, marker="X", linestyle="none", label="plain CNN, distilled")
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
    left.set_ylim(top=100 - (100 - best) / 2)  # intervals of few seeds may reach beyond 100 %
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
    spread = np.array([[s.mean - s.low, s.high - s.mean] if s.n > 2 else [0.0, 0.0] for s in summaries])
    axis.errorbar(x.astype(float), means, yerr=spread.T, elinewidth=0.7, **look)


def _published(axis: Axes, claims: list[Claim], dataset: str) -> None:
    """Table 1 as published, with t intervals: the teacher, and the student at partial compression."""
    for method, compression, marker in (("teacher", 1.0, "s"), ("pqkd_partial", 1.5, "D")):
        summaries = [c.summary for c in published(claims, method, "validation_accuracy_percent", dataset) if c.summary]
        look = {"color": BLACK, "marker": marker, "markerfacecolor": "white", "linestyle": "none"}
        look["label"] = f"published, {method.removeprefix('pqkd_')}"
        _summaries(axis, pd.Series([compression] * len(summaries)), pd.Series(summaries), **look)


def draw_shots(gains: pd.DataFrame, claims: list[Claim]) -> Figure:
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
    figure.supxlabel("Each filter scaled to its own largest number; orange: negative, purple: positive", fontsize=6.5, color="#555555")
    return figure


def draw_calibration(runs: pd.DataFrame, reliability_of: Any) -> Figure:
    """Accuracy minus confidence on the test set, by bin of confidence, and below it times the bin's share of all images, its part in the
    calibration error; all seeds together, one column a data set.
    """
    sets = list(dict.fromkeys(runs.dataset))
    figure = Figure(figsize=(TWO_COLUMNS if len(sets) > 1 else ONE_COLUMN, 3.6), layout="constrained")
    if runs.empty:
        return without_runs(figure)
    axes = figure.subplots(2, len(sets), squeeze=False, sharex=True)
    for (above, below), dataset in zip(axes.T, sets, strict=True):
        here = runs[runs.dataset == dataset]
        for network, colour, marker, shift in (("teacher", BLACK, "s", -0.006), ("photonic", BLUE, "o", 0.006)):
            group = here[here.source == network]
            if group.empty:
                continue
            images, accuracy, confidence = pooled([reliability_of(run) for run in group.itertuples()])
            spread = np.abs(np.array(binomial_interval(accuracy, images)) - accuracy)
            error = short_cell(summarise(group.test_calibration_error_percent), HEADLINE)
            look = {"color": colour, "marker": marker, "markersize": 3, "linestyle": "none", "elinewidth": 0.7}
            look["label"] = f"{'teacher' if network == 'teacher' else 'student'}: {error} % (n = {len(group)})"
            for axis, some, weight in (
                (above, images >= FEWEST_IMAGES, 100.0),
                (below, images > 0, 100 * images / images.sum()),
            ):
                y, bars = weight * (accuracy - confidence), weight * spread
                axis.errorbar(confidence[some] + shift, y[some], yerr=bars[:, some], **look)
        for axis in (above, below):
            axis.axhline(0, color=BLACK, linewidth=0.8, zorder=1)
        above.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), title=f"{dataset}, {here.epochs.max()} epochs. Calibration error:")
        below.set_xlabel("Confidence")
    axes[0, 0].set_ylabel("Accuracy minus\nconfidence (points)")
    axes[1, 0].set_ylabel("The same, times\nshare of images")
    told = f"Above: bins of {FEWEST_IMAGES} images or more. All seeds together; bars: 95 % binomial interval"
    figure.supxlabel(told, fontsize=6.5, color="#555555")
    return figure


def binomial_interval(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of a share of n (J. Am. Stat. Assoc. 22 (1927) 209)."""
    z2 = stats.norm.ppf((1 + CONFIDENCE) / 2) ** 2
    centre, half = share + z2 / (2 * n), np.sqrt(z2 * share * (1 - share) / n + (z2 / (2 * n)) ** 2)
    return (centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n)


def pooled(bins: list[dict[str, list[float | None]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, accuracy and mean confidence of the bins of several runs taken together; empty bins are left out."""
    images = np.array([b["images"] for b in bins], dtype=float)
    accuracy, confidence = (np.array([b[name] for b in bins], dtype=float) for name in ("accuracy", "confidence"))
    total = images.sum(0)
    there = total > 0
    sums = [np.nansum(images * values, 0)[there] / total[there] for values in (accuracy, confidence)]
    return total[there], sums[0], sums[1]
