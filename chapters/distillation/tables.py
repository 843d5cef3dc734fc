"""Tables of distillation: Table 1, controls, calibration, open choices, compression, shots, laws."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from lightweights.report.claims import Claim
from lightweights.report.comparisons import SMALLEST_N, signed_interval, signed_summary
from lightweights.report.measures import NOTHING, format_number
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, summarise
from lightweights.report.table import Table, from_three, short_cell, signed_from_three, summary_cell
from lightweights.study.collect import IDENTITY

from . import LAWS
from .shots import SHOTS, shot_fits, shot_gains
from .students import (
    CALIBRATION,
    HEADLINE,
    LABELS,
    LAST_EPOCHS,
    REFERENCE,
    TABLE_1,
    by_label,
    compare,
    control_runs,
    distilled_runs,
    epochs_of,
    extreme_controls,
    frontier,
    images_of,
    margin_of,
)

CHOICES = {
    "pqkd_raw": "angles judged by the raw feature",
    "pqkd_fresh": "measured with a fresh feature of 3 S shots",
    "pqkd_unstandardised": "feature not standardised",
    "pqkd_uniform_start": "angles start uniform in [-pi, pi)",
}
"""What the sources leave open: experiments that differ from the photonic control in one thing, and in which."""
_PAIRED = (
    "Differences are paired by seed: mean [95 % t interval]. *differs*: p of the paired t test below 0.05 after Holm's correction over all "
    f"rows of {SMALLEST_N} pairs or more; *equivalent*: two one-sided tests place it within ±{{margin:g}} points (p < 0.05); "
    "*open*: neither, or fewer pairs."
)
_SUMMARY = "Mean ± sd (ddof = 1) over n seeds{when}; in brackets the 95 % t interval of the mean."
_OURS = _SUMMARY.format(when=" after the last epoch")
_LAST = _SUMMARY.format(when=f" of the mean test accuracy of the last {LAST_EPOCHS} epochs")


def pqkd(results: Results) -> Table | None:
    """Table 1: teachers and students, partial compression, ours beside the published; None without runs."""
    mine = distilled_runs(results.runs)
    rows, cells = [], []
    for pair in TABLE_1:
        for dataset, group in mine[mine.experiment.isin(pair)].groupby("dataset", sort=False):
            parts = [(name, group[group.experiment == experiment]) for name, experiment in zip(("teacher", "student"), pair, strict=True)]
            for network, part in ((name, part) for name, part in parts if len(part)):
                row, cell = _of_table_1(str(dataset), network, part, results.claims)
                rows += row
                cells.append(cell)
            if all(len(part) for _, part in parts):
                row, cell = _student_minus_teacher(str(dataset), *(part for _, part in parts))
                rows += row
                cells.append(cell)
    if not rows:
        return None
    precision = " and ".join(sorted(mine[mine.experiment.isin([name for pair in TABLE_1 for name in pair])].precision.unique()))
    caption = (
        "Teachers, and students with the first two convolutions compressed (Table 1). "
        f"{_OURS} Intervals of fewer than three seeds are in the data only. Published: mean ± sd (n) after 100 epochs, on validation "
        f"images; numbers after other epochs stand beside them as what they are. Precision: {precision}. "
        "Compression: all parameters of the teacher over those of the network, angles counted. Differences: paired by seed."
    )
    data = pd.DataFrame(rows).astype({"epochs": "Int64", "published_n": "Int64"})
    return Table("pqkd", caption, data, pd.DataFrame(cells).fillna(NOTHING))


_TABLE_1_COLUMNS = {
    HEADLINE: "Test\naccuracy (%)",
    "test_cross_entropy": "Test cross-\nentropy (nats)",
    "validation_accuracy_percent": "Validation\naccuracy (%)",
    "validation_cross_entropy": "Validation cross-\nentropy (nats)",
    "train_accuracy_percent": "Train\naccuracy (%)",
    "train_cross_entropy": "Train cross-\nentropy (nats)",
}


def _of_table_1(dataset: str, network: str, part: pd.DataFrame, claims: Sequence[Claim]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    method, rows = {"teacher": "teacher", "student": "pqkd_partial"}[network], []
    used = int(part.parameters_trained_used.max())
    cell = {"Data set": dataset, "Network": network, "Parameters": f"{used:,}", "Epochs": epochs_of(part), "n": str(len(part))}
    cell["Compression"] = f"{part.parameters_target.max() / used:.2f}"
    for column, heading in _TABLE_1_COLUMNS.items():
        found = summarise(part[column])
        claim = next((c for c in claims if (c.method, c.dataset, c.quantity) == (method, dataset, column)), None)
        row = {"dataset": dataset, "network": network, "epochs": part.epochs.max(), "parameters": used, "quantity": column}
        row |= found.columns() | {
            "published_mean": claim.reported_mean if claim else math.nan,
            "published_sd": claim.reported_sd if claim else math.nan,
        }
        rows.append(row | {"published_n": claim.reported_n if claim else None})
        cell[heading] = from_three(found, column)
        if claim is not None and claim.reported_mean is not None:
            spread = "" if claim.reported_sd is None else f" ± {format_number(claim.reported_sd, column)}"
            cell[f"{heading},\npublished"] = f"{format_number(claim.reported_mean, column)}{spread} ({claim.reported_n})"
    return rows, cell


def _student_minus_teacher(dataset: str, teachers: pd.DataFrame, students: pd.DataFrame) -> tuple[list[dict[str, Any]], dict[str, str]]:
    rows, cell = [], {"Data set": dataset, "Network": "student minus teacher"}
    for column, heading in _TABLE_1_COLUMNS.items():
        found, p = paired_by_seed(students, teachers, column)
        rows.append({"dataset": dataset, "network": "student minus teacher", "quantity": column, "p": p} | found.columns())
        cell |= {heading: signed_from_three(found, column), "n": str(found.n)}
    return rows, cell


def pqkd_controls(results: Results) -> Table | None:
    """What makes the mixing: every control, and its paired difference to a fixed Gaussian vector; None without runs."""
    mine = control_runs(results.runs)
    students = mine[mine.source != "plain"]
    ordinary = [9 * second * third + third for _, second, third in (map(int, widths.split("x")) for widths in students.widths)]
    share = 100 * (ordinary / students.parameters_trained_used.astype(float)).max()
    about = f"At this compression up to {share:.1f} % of all parameters are those of an ordinary convolution."
    return _controls("pqkd_controls", mine, results, about)


def pqkd_extreme_controls(results: Results) -> Table | None:
    """The same where the mixing makes all kernels; None without runs."""
    return _controls("pqkd_extreme_controls", extreme_controls(results), results, "All three convolutions are mixed.", _LAST)


def _controls(name: str, mine: pd.DataFrame, results: Results, about: str, value: str = _OURS) -> Table | None:
    if mine.empty:
        return None
    return _compared(name, by_label(mine), LABELS[REFERENCE], mine, results, f"{about} {value}")


def pqkd_choices(results: Results) -> Table | None:
    """What the sources leave open, each beside the photonic control of the same seed; None without runs."""
    mine = distilled_runs(results.runs)
    mine = mine[mine.source == "photonic"]
    photonic, chosen = mine[mine.experiment == "pqkd_controls"], mine[mine.experiment.isin(CHOICES)]
    if chosen.empty:
        return None
    about = "Photonic features throughout, one choice changed at a time."
    groups = {LABELS["photonic"]: photonic} if len(photonic) else {}
    groups |= {CHOICES[str(experiment)]: group for experiment, group in chosen.groupby("experiment", sort=False)}
    return _compared("pqkd_choices", groups, LABELS["photonic"], chosen, results, f"{about} {_OURS}")


def feature_sizes(group: pd.DataFrame, last: pd.DataFrame) -> Summary:
    """Root mean square of the runs' features; ``last``: the last row of each history."""
    return summarise(group[IDENTITY].merge(last, on=IDENTITY).feature_rms if "feature_rms" in last else [])


def _compared(name: str, groups: dict[str, pd.DataFrame], reference: str, mine: pd.DataFrame, results: Results, about: str) -> Table:
    """Every group's accuracy and size of the feature, its difference to the reference, with a word, and that of photons to it, without."""
    rest = {label: group for label, group in groups.items() if label != reference}
    differences = compare(rest, groups.get(reference, mine.iloc[:0]), margin_of(mine))
    last = results.history(pd.concat(groups.values())).drop_duplicates(IDENTITY, keep="last")
    found, heading, photons = differences.set_index("label"), f"Minus {reference}\n(points)", LABELS["photonic"]
    rows, cells = [], []
    for label, group in groups.items():
        own, size = summarise(group[HEADLINE]), feature_sizes(group, last)
        trained = int(group.parameters_trained_used.max())
        row = {"label": label, "experiment": group.experiment.iloc[0], "parameters": trained, "quantity": HEADLINE} | own.columns()
        row |= size.columns("feature_rms_")
        cell = {"Mixing from": label, "Parameters": f"{trained:,}", "n": str(own.n), "Test accuracy (%)": summary_cell(own, HEADLINE)}
        cell[heading] = NOTHING
        if label in found.index:
            difference = found.loc[label]
            cell[heading] = f"{signed_interval(difference, HEADLINE)}\n{difference.word}" if difference.n else NOTHING
            row |= {f"minus_reference_{key}": difference[key] for key in differences if key != "label"}
        if reference != photons:
            cell["Photons minus it\n(points)"] = NOTHING
            if label != photons and photons in groups:
                against, p = paired_by_seed(groups[photons], group, HEADLINE)
                cell["Photons minus it\n(points)"] = signed_summary(against, HEADLINE)
                row |= against.columns("photons_minus_") | {"photons_minus_p": p}
        cell["Size of the feature\n(root mean square)"] = short_cell(size, HEADLINE)
        rows.append(row)
        cells.append(cell)
    caption = (
        f"Students at equal training on {mine.dataset.iloc[0]} ({images_of(mine)} images, {epochs_of(mine)} epochs), which share seeds, "
        f"teacher, initial basis and order of batches. {about} {_PAIRED.format(margin=margin_of(mine))} Kernels are as "
        "large as the feature that mixes them: its size in the last epoch differs between rows."
    )
    return Table(name, caption, pd.DataFrame(rows), pd.DataFrame(cells))


def pqkd_calibration(results: Results) -> Table | None:
    """Calibration error and cross-entropy on test images of teachers and of students of every kind, and what students have more than their
    teachers, paired by seed; None without runs.
    """
    mine = distilled_runs(results.runs)
    pairs = [(mine[mine.experiment == teacher], mine[mine.experiment == student]) for teacher, student in TABLE_1]
    pairs.append((mine[mine.experiment == "pqkd_teacher_subset"], control_runs(results.runs)))
    rows, cells = [], []
    for teachers, students in pairs:
        for dataset, taught in teachers.groupby("dataset", sort=False):
            for label, group in {"teacher": taught, **by_label(students[students.dataset == dataset])}.items():
                row, cell = _calibration(group, taught if label != "teacher" else None)
                rows.append({"dataset": dataset, "images": group.images.iloc[0], "label": label} | row)
                trained = f"{dataset}, {images_of(group)} images, {epochs_of(group)} epochs"
                cells.append({"Data set": trained, "Network": label, "n": str(len(group))} | cell)
    if not rows:
        return None
    caption = (
        "Calibration on test images: expected calibration error in 15 bins of confidence, and cross-entropy, which wrong answers and bad "
        "calibration both raise. Minus teacher: paired by seed, [95 % t interval] from three pairs on, of single comparisons."
    )
    return Table("pqkd_calibration", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def _calibration(group: pd.DataFrame, teachers: pd.DataFrame | None) -> tuple[dict[str, Any], dict[str, str]]:
    row = summarise(group[HEADLINE]).columns("accuracy_")
    cell = {"Test accuracy (%)": format_number(row["accuracy_mean"], HEADLINE)}
    for column, heading in zip(CALIBRATION, ("Cross-entropy\n(nats)", "Calibration\nerror (%)"), strict=True):
        found, minus = summarise(group[column]), f"{heading.split()[0]}\nminus teacher"
        row |= found.columns(f"{column}_")
        cell |= {heading: from_three(found, column), minus: NOTHING}
        if teachers is not None:
            more, p = paired_by_seed(group, teachers, column)
            row |= more.columns(f"{column}_minus_teacher_") | {f"{column}_minus_teacher_p": p}
            cell[minus] = signed_from_three(more, column)
    return row, cell


def pqkd_compression(results: Results) -> Table | None:
    """How far the convolutions can be compressed, by widths and rank; None without runs."""
    found = frontier(results)
    if found.empty:
        return None
    found = found.sort_values(["dataset", "compressed", "parameters"], kind="stable")
    rows, cells = [], []
    for row in found.itertuples():
        plain = row.compressed == "none"
        data = {name: getattr(row, name) for name in found if name not in ("accuracy", "validation", "minus_teacher")}
        rows.append(data | row.accuracy.columns() | row.validation.columns("validation_") | row.minus_teacher.columns("minus_teacher_"))
        cells.append(
            {
                "Data set": row.dataset,
                "Compressed": {"none": "plain CNN", "partial": "conv1, conv2", "extreme": "all three"}.get(row.compressed, row.compressed),
                "Widths": row.widths.replace("x", ", "),
                "Rank": NOTHING if math.isnan(row.rank) else f"{row.rank:.0f}",
                "Images,\nepochs": f"{'all' if math.isnan(row.images) else f'{row.images:,.0f}'}, {row.epochs}",
                "n": str(row.accuracy.n),
                "Parameters of\nconvolutions": f"{row.convolutions_with_theta:,}",
                "Compression of\nconvolutions": NOTHING if plain else f"{row.compression:.1f} ({row.compression_without_theta:.1f})",
                "Parameters": f"{row.parameters:,}",
                "Test accuracy (%)": from_three(row.accuracy, HEADLINE),
                "Validation\naccuracy (%)": from_three(row.validation, HEADLINE),
                "Minus teacher\n(points)": signed_from_three(row.minus_teacher, HEADLINE),
            }
        )
    caption = (
        "Compression of the convolutions by photonic dictionaries, and plain CNNs distilled alike. Compression: parameters of all "
        "kernels and biases over trained ones, the angles counted (in parentheses: not counted). Minus teacher: paired by seed; for plain "
        f"CNNs the largest teacher. {_LAST} Validation: after the last epoch."
    )
    return Table("pqkd_compression", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def pqkd_shots(results: Results) -> Table | None:
    """Accuracy and gain over the zero feature against shots, with and without averaging, and the fitted asymptote; None without runs."""
    gains = shot_gains(results.runs)
    if gains.empty:
        return None
    rows, cells = [], []
    fits = shot_fits(gains)
    for (experiment, ema), half in gains.groupby(["experiment", "ema"]):
        start = {"Angles": SHOTS[experiment], "EMA": f"{ema:g}"}
        rest = gains[(gains.experiment == experiment) & (gains.ema != ema)] if ema else gains.iloc[:0]
        for shots, group in half.groupby("shots"):
            own, gain = summarise(group.accuracy), summarise(group.gain)
            more, p = paired_by_seed(group, rest[rest.shots == shots], "accuracy")
            row = {"experiment": experiment, "ema": ema, "shots": shots} | own.columns() | gain.columns("gain_")
            rows.append(row | more.columns("minus_no_ema_") | {"minus_no_ema_p": p})
            cell = start | {"Shots": "exact" if math.isinf(shots) else f"{shots:,.0f}", "n": str(own.n)}
            cell |= {
                "Test accuracy (%)": summary_cell(own, HEADLINE),
                "Gain over zero\nfeature (points)": signed_from_three(gain, HEADLINE),
            }
            cells.append(cell | {"Minus EMA 0\n(points)": signed_summary(more, HEADLINE)})
        for name, fit in zip(("delta_inf", "c"), fits.get((experiment, ema), ()), strict=False):
            rows.append({"experiment": experiment, "ema": ema, "fit": name} | fit.columns("gain_"))
            cell = start | {"Shots": f"fit: {name}", "n": str(fit.n), "Test accuracy (%)": NOTHING}
            cells.append(cell | {"Gain over zero\nfeature (points)": signed_from_three(fit, HEADLINE), "Minus EMA 0\n(points)": NOTHING})
    mine = distilled_runs(results.runs)
    mine = mine[mine.experiment.isin(SHOTS)]
    still = mine[(mine.source == "photonic") & (mine.start == "zero") & mine.shots.map(math.isinf)]
    stays = " Exact and tuned from angle zero: there the expectation is even in the angles, SPSA finds no slope, and they stay." * bool(
        len(still)
    )
    sizes = {run.settings.feature.fit_shots for run in results.study.runs() if run.experiment in SHOTS and run.settings.feature}
    fitted = "".join(f", of {size} shots," for size in sizes if size and len(sizes) == 1)
    caption = (
        f"Shots S of the feature ({mine.dataset.iloc[0]}, {images_of(mine)} images, {epochs_of(mine)} epochs); exact: its expectation, "
        "without shot noise. Gain delta(S): over the zero feature with the same seed, which is at chance (about 10 %), so that no gain can "
        "exceed about 90. Fit: delta(S) = delta_inf - c / sqrt(S), seed by seed. Angles tuned: without averaging they are judged by the "
        f"raw feature, and may run far.{stays} Angles frozen: random and never tuned, so that shots and averaging alone "
        f"vary. One standardisation{fitted} for all S. Minus EMA 0: paired by seed. {_OURS}"
    )
    return Table("pqkd_shots", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def pqkd_laws(results: Results) -> Table | None:
    """The laws of shot noise, measured beside predicted."""
    from .laws import laws_table  # imports torch, as few tables do

    return laws_table(results.data(LAWS))
