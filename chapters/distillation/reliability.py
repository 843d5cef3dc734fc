"""Calibration: accuracy against confidence, bin by bin, drawn, and students beside their teachers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from lightweights.report.figure import BLACK, BLUE, ONE_COLUMN, TWO_COLUMNS, without_runs
from lightweights.report.statistics import CONFIDENCE, Summary, paired_by_seed, summarise
from lightweights.report.table import short_cell

from .students import CALIBRATION, HEADLINE, TABLE_1, epochs_of, images_of

FEWEST_IMAGES = 20
"""Bins of confidence with fewer images are not drawn."""


@dataclass(frozen=True)
class Calibrated:
    """Student minus teacher on test images: expected calibration error and cross-entropy, after so many epochs on so many images."""

    dataset: str
    images: str
    epochs: str
    error: Summary
    entropy: Summary
    on_validation: Summary
    """Cross-entropy on the images that the article tells of."""
    published: float | None
    """The same as published, of runs at the published schedule."""


def calibrated(mine: pd.DataFrame, scores: pd.DataFrame) -> list[Calibrated]:
    """Whether students are better calibrated than their teachers: as published, by data set, then where the controls were trained."""
    whole = tuple(mine[mine.experiment == name] for name in TABLE_1[0])
    controls = mine[(mine.experiment == "pqkd_controls") & (mine.source == "photonic")]
    found = []
    for teachers, every in (whole, (mine[mine.experiment == "pqkd_teacher_subset"], controls)):
        for dataset, students in every.groupby("dataset", sort=False):
            taught = teachers[teachers.dataset == dataset]
            columns = (*CALIBRATION, "validation_cross_entropy")
            entropy, error, on_validation = (paired_by_seed(students, taught, column)[0] for column in columns)
            told = scores[(scores.dataset == dataset) & (scores.quantity == columns[-1])].set_index("method").reported
            full = every is whole[1] and {"teacher", "pqkd_partial"} <= set(told.index)
            published = float(told["pqkd_partial"]) - float(told["teacher"]) if full else None
            if entropy.n:
                told_of = str(dataset), images_of(students), epochs_of(students)
                found.append(Calibrated(*told_of, error, entropy, on_validation, published))
    return found


def draw_calibration(runs: pd.DataFrame, reliability_of: Any) -> Figure:
    """Accuracy minus confidence on the test set, by bin of confidence, and below it times the bin's share of all images, its part in the
    calibration error; all seeds together, one column a data set, of the runs that trained longest on it, those that
    trained longest first.
    """
    runs = runs[runs.epochs == runs.groupby("dataset").epochs.transform("max")]
    sets = list(dict.fromkeys(runs.sort_values("epochs", ascending=False, kind="stable").dataset))
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
    for row, label in zip(axes, ("Accuracy minus\nconfidence (points)", "The same, times\nshare of images"), strict=True):
        for axis in row:
            axis.set_ylabel(label, visible=axis is row[0])
    told = f"Above: bins of {FEWEST_IMAGES} images or more. All seeds together; bars: 95 % binomial interval,\n"
    told += "as if all answers were independent. Each panel has its own scale"
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
