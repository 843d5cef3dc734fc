"""Tables of distillation (arXiv 2603.14898): Table 1, controls, calibration, open choices, compression, shots.

Test accuracy is the headline; the angles are tuned on validation images, whose accuracy stands beside it as the article gives no other.
"""

import math
from typing import Any

import pandas as pd

from lightweights.params import RunSettings, StudentSchedule, Study
from lightweights.study.ablation import SMALLEST_N, signed_interval, signed_summary, with_words
from lightweights.study.claims import Claim
from lightweights.study.collect import DISTILLED, IDENTITY
from lightweights.study.statistics import Summary, paired_by_seed, summarise, tost
from lightweights.study.tables import NOTHING, Table, format_number, short_cell, summary_cell

HEADLINE = "test_accuracy_percent"
REFERENCE = "gaussian-fixed"
"""The control that all others are compared with, as the analysis plan has it."""
CALIBRATION = ("test_cross_entropy", "test_calibration_error_percent")
MARGINS = {"mnist": 0.3, "fashion-mnist": 0.5, "cifar-10": 1.0}
"""Points of test accuracy within which two students count as equivalent, by data set; 1 for any other."""
TABLE_1 = (("pqkd_teacher", "pqkd_student"), ("pqkd_teacher_cifar", "pqkd_student_cifar"))
CONTROLS = ("pqkd_controls", "pqkd_uniform_start", "pqkd_mixing", "pqkd_hypernetwork", "pqkd_plain")
EXTREME_CONTROLS = ("pqkd_extreme_controls", "pqkd_plain")
CHOICES = {
    "pqkd_raw": "angles judged by the raw feature",
    "pqkd_fresh": "measured with a fresh feature of 3 S shots",
    "pqkd_unstandardised": "feature not standardised",
    "pqkd_uniform_start": "angles start uniform in [-pi, pi)",
}
"""What the sources leave open: experiments that differ from the photonic control in one thing, and in which."""
FRONTIER = ("pqkd_student", "pqkd_extreme_full", "pqkd_controls", "pqkd_plain")
FRONTIER += ("pqkd_extreme_controls", "pqkd_extreme", "pqkd_extreme_narrow")
SHOTS = {"pqkd_shots": "tuned", "pqkd_shots_frozen": "frozen"}
"""Experiments that vary the shots, and what their angles do."""

LABELS = {
    "photonic": "photons, angles tuned",
    "photonic-frozen": "photons, frozen at zero",
    "distinguishable": "distinguishable photons",
    "coherent": "independent modes, photons' means",
    "one-photon": "independent modes (article's code)",
    "uniform": "uniform histograms",
    "gaussian-fixed": "Gaussian, fixed",
    "gaussian-matched": "Gaussian, size of photons' at zero",
    "gaussian-resampled": "Gaussian, new each epoch",
    "zero": "zero feature",
    "trained": "mixing trained",
    "latent": "linear hypernetwork",
    "plain": "plain CNN",
}
_PAIRED = (
    "Differences are paired by seed: mean [95 % t interval]. *differs*: p of the paired t test below 0.05 after Holm's correction over all "
    f"rows of {SMALLEST_N} pairs or more; *equivalent*: two one-sided tests place it within ±{{margin:g}} points (p < 0.05); "
    "*open*: neither, or fewer pairs."
)
_OURS = "Mean ± sd (ddof = 1) over n seeds after the last epoch; in brackets the 95 % t interval of the mean."


def distilled_runs(runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The teachers and students, with columns for what their settings say, whether it varies in the study or not.

    Added: ``precision``, ``source`` (``trained``, ``latent``, ``plain`` where no feature is taken; ``teacher``), ``start`` of the angles,
    ``shots`` (infinite: exact; NaN: none), ``ema``, ``rank``, ``widths`` and ``compressed`` of the network, ``images`` to train on (NaN:
    all), ``latent``, ``full`` and ``compression`` (of the convolutions: parameters of all kernels, and these over the trained ones,
    angles counted).
    """
    settings = {(run.experiment, run.variant): run.settings for run in study.runs()}
    mine = runs[runs.method.isin(DISTILLED)].reset_index(drop=True)
    told = [_told(settings[row.experiment, row.variant]) for row in mine.itertuples()]
    columns = list(_told_names)
    mine = mine.drop(columns=[name for name in columns if name in mine]).join(pd.DataFrame(told, columns=columns, index=mine.index))
    own = ("parameters_convolutions", "parameters_convolutions_with_theta", HEADLINE, "validation_accuracy_percent", *CALIBRATION)
    mine = mine.assign(**{name: math.nan for name in own if name not in mine})  # no such run has landed yet
    linear = (mine.parameters_trained_published - mine.parameters_convolutions_with_theta).astype(float)
    mine["full"] = mine.parameters_target.astype(float) - linear
    return mine.assign(compression=mine.full / mine.parameters_convolutions_with_theta.astype(float))


_told_names = ("precision", "source", "start", "shots", "ema", "rank", "widths", "compressed", "images", "latent")


def _told(settings: RunSettings) -> dict[str, Any]:
    student, teacher, feature, schedule = settings.student, settings.teacher, settings.feature, settings.schedule
    assert teacher is not None and settings.distillation_data is not None
    source = "teacher" if student is None else feature.source if feature else "plain" if student.compressed == "none" else student.mixing
    return {
        "precision": schedule.precision,
        "source": source,
        "start": "none" if settings.time_bin is None else settings.time_bin.theta_start,
        "shots": math.nan if feature is None else math.inf if feature.shots == "exact" else float(feature.shots),
        "ema": schedule.ema if isinstance(schedule, StudentSchedule) else math.nan,
        "rank": math.nan if student is None or student.compressed == "none" else float(student.rank),
        "widths": "x".join(map(str, (student and student.widths) or teacher.widths)),
        "compressed": "none" if student is None else student.compressed,
        "images": float(settings.distillation_data.train_images or math.nan),
        "latent": float(student.latent or 512) if student is not None and source == "latent" else math.nan,
    }


def label_of(run: Any) -> str:
    """A student's name in a table: what mixes its kernels, or what it is instead."""
    if run.source == "photonic-frozen" and run.start == "uniform":
        return "photons, frozen at random angles"
    extra = f", {run.latent:.0f} numbers a layer" if run.source == "latent" else ""
    return LABELS[run.source] + extra


def margin_of(runs: pd.DataFrame) -> float:
    """Margin of equivalence on the data set of the runs."""
    return MARGINS.get(str(runs.dataset.iloc[0]), 1.0)


def images_of(runs: pd.DataFrame) -> str:
    """How many images were trained on, in words."""
    counts = sorted(runs.images.dropna().unique())
    return " and ".join([*(f"{int(n):,}" for n in counts), *(["all"] if runs.images.isna().any() else [])])


def epochs_of(runs: pd.DataFrame) -> str:
    """How many epochs, in words."""
    return " and ".join(str(n) for n in sorted(runs.epochs.unique()))


def pqkd_table(runs: pd.DataFrame, claims: list[Claim], study: Study) -> Table | None:
    """Table 1: teachers and students, partial compression, ours beside the published; None without runs."""
    mine = distilled_runs(runs, study)
    rows, cells = [], []
    for pair in TABLE_1:
        for dataset, group in mine[mine.experiment.isin(pair)].groupby("dataset", sort=False):
            parts = [(name, group[group.experiment == experiment]) for name, experiment in zip(("teacher", "student"), pair, strict=True)]
            for network, part in ((name, part) for name, part in parts if len(part)):
                row, cell = _of_table_1(str(dataset), network, part, claims)
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


def _of_table_1(dataset: str, network: str, part: pd.DataFrame, claims: list[Claim]) -> tuple[list[dict[str, Any]], dict[str, str]]:
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


def from_three(summary: Summary, column: str) -> str:
    """Mean ± sd, the interval from three values on: that of two reaches beyond all that is possible."""
    return summary_cell(summary, column) if summary.n > 2 else short_cell(summary, column)


def signed_from_three(difference: Summary, column: str) -> str:
    """A mean of differences with its sign: with its interval from three on, else with its sd."""
    return signed_summary(difference, column) if difference.n > 2 else "+" * (difference.mean > 0) + short_cell(difference, column)


def control_runs(runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The controls at partial compression: those of other networks only where they have as many parameters."""
    mine = distilled_runs(runs, study)
    mine = mine[mine.experiment.isin(CONTROLS) & ((mine.experiment != "pqkd_uniform_start") | (mine.source == "photonic-frozen"))]
    return _of_matched_size(mine, 0.01)


def extreme_control_runs(runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The same at extreme compression, where the mixing makes all kernels."""
    mine = distilled_runs(runs, study)
    mine = mine[mine.experiment.isin(EXTREME_CONTROLS)]
    return _of_matched_size(mine, 0.02) if "pqkd_extreme_controls" in set(mine.experiment) else mine.iloc[:0]


def _of_matched_size(mine: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    """Without plain networks whose count is further from the photonic students' than that share of it."""
    photonic = mine[mine.source == "photonic"].parameters_trained_used.astype(float).mean()
    count = mine.parameters_trained_used.astype(float)
    return mine[(mine.source != "plain") | ((count - photonic).abs() < tolerance * photonic)]


def compare(groups: dict[str, pd.DataFrame], reference: pd.DataFrame, margin: float, column: str = HEADLINE) -> pd.DataFrame:
    """Each group minus the reference, paired by seed: ``label n mean sd_ddof1 ci95_low ci95_high p p_equivalence p_holm word``."""
    rows = []
    for label, group in groups.items():
        difference, p = paired_by_seed(group, reference, column)
        rows.append({"label": label} | difference.columns() | {"p": p, "p_equivalence": tost(difference, margin)})
    names = ["label", *summarise([]).columns(), "p", "p_equivalence"]
    return with_words(pd.DataFrame(rows, columns=names))


def by_label(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Runs by their label, in the order of the labels."""
    order = {source: place for place, source in enumerate(LABELS)}
    groups = [group for _, group in runs.groupby(["source", "start", "latent"], dropna=False, sort=False)]
    return {label_of(group.iloc[0]): group for group in sorted(groups, key=lambda g: (order[g.source.iloc[0]], g.latent.iloc[0]))}


def controls_table(runs: pd.DataFrame, study: Study, histories: pd.DataFrame) -> Table | None:
    """What makes the mixing: every control, and its paired difference to a fixed Gaussian vector; None without runs."""
    mine = control_runs(runs, study)
    students = mine[mine.source != "plain"]
    ordinary = [9 * second * third + third for _, second, third in (map(int, widths.split("x")) for widths in students.widths)]
    share = 100 * (ordinary / students.parameters_trained_used.astype(float)).max()
    about = f"At this compression up to {share:.1f} % of all parameters are those of an ordinary convolution."
    return _controls("pqkd_controls", mine, histories, about)


def extreme_controls_table(runs: pd.DataFrame, study: Study, histories: pd.DataFrame) -> Table | None:
    """The same where the mixing makes all kernels; None without runs."""
    return _controls("pqkd_extreme_controls", extreme_control_runs(runs, study), histories, "All three convolutions are mixed.")


def _controls(name: str, mine: pd.DataFrame, histories: pd.DataFrame, about: str) -> Table | None:
    if mine.empty:
        return None
    return _compared(name, by_label(mine), LABELS[REFERENCE], mine, histories, about)


def choices_table(runs: pd.DataFrame, study: Study, histories: pd.DataFrame) -> Table | None:
    """What the sources leave open, each beside the photonic control of the same seed; None without runs."""
    mine = distilled_runs(runs, study)
    mine = mine[mine.source == "photonic"]
    photonic, chosen = mine[mine.experiment == "pqkd_controls"], mine[mine.experiment.isin(CHOICES)]
    if chosen.empty:
        return None
    about = "Photonic features throughout, one choice changed at a time."
    groups = {LABELS["photonic"]: photonic} if len(photonic) else {}
    groups |= {CHOICES[str(experiment)]: group for experiment, group in chosen.groupby("experiment", sort=False)}
    return _compared("pqkd_choices", groups, LABELS["photonic"], chosen, histories, about)


def feature_sizes(group: pd.DataFrame, last: pd.DataFrame) -> Summary:
    """Root mean square of the runs' features; ``last``: the last row of each history."""
    return summarise(group[IDENTITY].merge(last, on=IDENTITY).feature_rms if "feature_rms" in last else [])


def _compared(name: str, groups: dict[str, pd.DataFrame], reference: str, mine: pd.DataFrame, histories: pd.DataFrame, about: str) -> Table:
    """Every group's accuracy and size of the feature, its difference to the reference, with a word, and that of photons to it, without."""
    rest = {label: group for label, group in groups.items() if label != reference}
    differences = compare(rest, groups.get(reference, mine.iloc[:0]), margin_of(mine))
    last = histories.drop_duplicates(IDENTITY, keep="last")
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
        f"teacher, initial basis and order of batches. {about} {_OURS} {_PAIRED.format(margin=margin_of(mine))} Kernels are as "
        "large as the feature that mixes them: its size in the last epoch differs between rows."
    )
    return Table(name, caption, pd.DataFrame(rows), pd.DataFrame(cells))


def calibration_table(runs: pd.DataFrame, study: Study) -> Table | None:
    """Calibration error and cross-entropy on test images of teachers and of students of every kind, and what students have more than their
    teachers, paired by seed; None without runs.
    """
    mine = distilled_runs(runs, study)
    pairs = [(mine[mine.experiment == teacher], mine[mine.experiment == student]) for teacher, student in TABLE_1]
    pairs.append((mine[mine.experiment == "pqkd_teacher_subset"], control_runs(runs, study)))
    rows, cells = [], []
    for teachers, students in pairs:
        for dataset, taught in teachers.groupby("dataset", sort=False):
            for label, group in {"teacher": taught, **by_label(students[students.dataset == dataset])}.items():
                row, cell = _calibration(group, taught if label != "teacher" else None)
                rows.append({"dataset": dataset, "images": group.images.iloc[0], "label": label} | row)
                cells.append({"Data set": f"{dataset}, {images_of(group)} images", "Network": label, "n": str(len(group))} | cell)
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


def frontier(runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Compression against accuracy: one row a network, with summaries of its accuracies and of what it loses against its teacher."""
    mine = distilled_runs(runs, study)
    teachers = mine[mine.source == "teacher"]
    students = mine[mine.experiment.isin(FRONTIER) & mine.source.isin(("photonic", "plain"))]
    keys = ["dataset", "experiment", "compressed", "widths", "rank"]
    rows = []
    for (dataset, experiment, compressed, widths, rank), group in students.groupby(keys, dropna=False, sort=False):
        first = group.iloc[0]
        same = teachers[(teachers.dataset == dataset) & (teachers.epochs == first.epochs) & teachers.images.isin([first.images])]
        same = same[same.widths == widths] if compressed != "none" else same[same.parameters_target == same.parameters_target.max()]
        lost = paired_by_seed(group, same.drop_duplicates("seed"), HEADLINE)[0]
        rows.append(
            {
                "dataset": dataset,
                "experiment": experiment,
                "compressed": compressed,
                "widths": widths,
                "rank": rank,
                "images": first.images,
                "epochs": first.epochs,
                "convolutions": int(first.parameters_convolutions),
                "convolutions_with_theta": int(first.parameters_convolutions_with_theta),
                "compression": first.compression,
                "compression_without_theta": first.full / float(first.parameters_convolutions),
                "parameters": int(first.parameters_trained_used),
                "accuracy": summarise(group[HEADLINE]),
                "validation": summarise(group.validation_accuracy_percent),
                "minus_teacher": lost,
            }
        )
    return pd.DataFrame(rows)


def compression_table(runs: pd.DataFrame, study: Study) -> Table | None:
    """How far the convolutions can be compressed, by widths and rank; None without runs."""
    found = frontier(runs, study)
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
        f"CNNs the largest teacher. {_OURS}"
    )
    return Table("pqkd_compression", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def shot_gains(runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """delta(S): test accuracy over that of the zero feature with the same seed, NaN where that is missing. Columns ``experiment seed shots
    ema accuracy gain``; infinitely many shots are the exact expectation.
    """
    mine = distilled_runs(runs, study)
    zero = mine[(mine.experiment == "pqkd_controls") & (mine.source == "zero")].set_index("seed")[HEADLINE]
    found = mine[mine.experiment.isin(SHOTS)]
    table = found[["experiment", "seed", "shots", "ema", HEADLINE]].rename(columns={HEADLINE: "accuracy"})
    return table.assign(gain=table.accuracy - table.seed.map(zero).astype(float))


def shot_fits(gains: pd.DataFrame) -> dict[tuple[str, float], tuple[Summary, Summary]]:
    """delta_inf and c of delta(S) = delta_inf - c / sqrt(S), by experiment and EMA factor: fitted seed by seed, as runs of a seed share
    their teacher and the run with the zero feature, and summarised over seeds. Only seeds with three numbers of shots.
    """
    from lightweights.distillation.variance import asymptote  # imports torch

    fits = {}
    finite = gains[gains.gain.notna() & (gains.shots < math.inf)]
    for (experiment, ema), group in finite.groupby(["experiment", "ema"], sort=False):
        lines = [asymptote(own.shots.tolist(), own.gain.tolist()) for _, own in group.groupby("seed") if own.shots.nunique() > 2]
        if lines:
            fits[str(experiment), float(ema)] = (summarise([limit for limit, _ in lines]), summarise([slope for _, slope in lines]))
    return fits


def shots_table(runs: pd.DataFrame, study: Study) -> Table | None:
    """Accuracy and gain over the zero feature against shots, with and without averaging, and the fitted asymptote; None without runs."""
    gains = shot_gains(runs, study)
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
            cell |= {"Test accuracy (%)": summary_cell(own, HEADLINE), "Gain over zero\nfeature (points)": summary_cell(gain, HEADLINE)}
            cells.append(cell | {"Minus EMA 0\n(points)": signed_summary(more, HEADLINE)})
        for name, fit in zip(("delta_inf", "c"), fits.get((experiment, ema), ()), strict=False):
            rows.append({"experiment": experiment, "ema": ema, "fit": name} | fit.columns("gain_"))
            cell = start | {"Shots": f"fit: {name}", "n": str(fit.n), "Test accuracy (%)": NOTHING}
            cells.append(cell | {"Gain over zero\nfeature (points)": summary_cell(fit, HEADLINE), "Minus EMA 0\n(points)": NOTHING})
    mine = distilled_runs(runs, study)
    mine = mine[mine.experiment.isin(SHOTS)]
    still = mine[(mine.source == "photonic") & (mine.start == "zero") & mine.shots.map(math.isinf)]
    stays = " Exact and tuned from angle zero: there the expectation is even in the angles, SPSA finds no slope, and they stay." * bool(
        len(still)
    )
    sizes = {run.settings.feature.fit_shots for run in study.runs() if run.experiment in SHOTS and run.settings.feature}
    fitted = "".join(f", of {size} shots," for size in sizes if size and len(sizes) == 1)
    caption = (
        f"Shots S of the feature ({mine.dataset.iloc[0]}, {images_of(mine)} images, {epochs_of(mine)} epochs); exact: its expectation, "
        "without shot noise. Gain delta(S): over the zero feature with the same seed, which is at chance (about 10 %), so that no gain can "
        "exceed about 90. Fit: delta(S) = delta_inf - c / sqrt(S), seed by seed. Angles tuned: without averaging they are judged by the "
        f"raw feature, and may run far.{stays} Angles frozen: random and never tuned, so that shots and averaging alone "
        f"vary. One standardisation{fitted} for all S. Minus EMA 0: paired by seed. {_OURS}"
    )
    return Table("pqkd_shots", caption, pd.DataFrame(rows), pd.DataFrame(cells))
