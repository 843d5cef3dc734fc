"""Teachers and students: what their settings say, how they are called, compared and grouped.

Test accuracy is the headline; the angles are tuned on validation images, whose accuracy stands beside it as the article gives no other.
"""

import json
import math
from typing import Any

import pandas as pd

from lightweights.report.comparisons import with_words
from lightweights.report.results import Results
from lightweights.report.statistics import paired_by_seed, summarise, tost
from lightweights.study.collect import IDENTITY

HEADLINE = "test_accuracy_percent"
VALIDATION = "validation_accuracy_percent"
"""Of the images that the angles are tuned on, which are those of the article's numbers."""
LAST_EPOCHS = 3
"""The value at extreme compression is the mean over so many."""
CLIP = math.pi
"""Angles are kept within plus and minus this."""
REFERENCE = "gaussian-fixed"
"""The control that all others are compared with, as the analysis plan has it."""
CALIBRATION = ("test_cross_entropy", "test_calibration_error_percent")
MARGINS = {"mnist": 0.3, "fashion-mnist": 0.5, "cifar-10": 1.0}
"""Points of test accuracy within which two students count as equivalent, by data set; 1 for any other."""
TABLE_1 = (
    ("pqkd_teacher_published", "pqkd_student_published"),
    ("pqkd_teacher", "pqkd_student"),
    ("pqkd_teacher_cifar", "pqkd_student_cifar"),
)
DISTILLED = ("teacher", "student")
"""Methods of distillation, whose runs may train on other data sets than the study's."""
TRAINED = ("train_accuracy_percent", VALIDATION, "validation_cross_entropy")
"""Numbers of Table 1 that hang on how long teachers and students train."""
PUBLISHED_SCHEDULE = {shorter: full for pair in TABLE_1[1:] for full, shorter in zip(TABLE_1[0], pair, strict=True)}
"""Experiments whose namesakes train as long as published."""
CONTROLS = ("pqkd_controls", "pqkd_uniform_start", "pqkd_mixing", "pqkd_hypernetwork", "pqkd_plain")
EXTREME_CONTROLS = ("pqkd_extreme_controls", "pqkd_extreme_frozen", "pqkd_extreme_matched", "pqkd_plain")
FRONTIER = ("pqkd_student", "pqkd_extreme_full", "pqkd_controls", "pqkd_plain")
FRONTIER += ("pqkd_extreme_controls", "pqkd_extreme", "pqkd_extreme_narrow")
SMALLEST_LATENT = 512
"""Numbers that a linear hypernetwork maps to a layer's kernels unless its settings say another."""
LABELS = {
    "photonic": "photons, angles tuned",
    "photonic-frozen": "photons, frozen at zero",
    "distinguishable": "distinguishable photons",
    "distinguishable-frozen": "distinguishable photons, frozen at zero",
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

AT_RANDOM_ANGLES = {
    "photonic-frozen": "photons, frozen at random angles",
    "distinguishable-frozen": "distinguishable photons, frozen at the same angles",
    "gaussian-matched": "Gaussian, size of photons' at random angles",
}
"""Labels where the angles start anywhere and stay."""


def distilled_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The teachers and students of runs with every setting a column, with short names for what the settings say.

    Added: ``precision``, ``source`` (``trained``, ``latent``, ``plain`` where no feature is taken; ``teacher``), ``start`` of the angles,
    ``shots`` (infinite: exact; NaN: none), ``ema``, ``rank``, ``widths`` and ``compressed`` of the network, ``images`` to train on (NaN:
    all), ``latent``, ``full`` and ``compression`` (of the convolutions: parameters of all kernels, and these over the trained ones,
    angles counted).
    """
    mine = runs[runs.method.isin(DISTILLED)].reset_index(drop=True)
    told = [_told({name: value for name, value in row.items() if not _missing(value)}) for row in mine.to_dict("records")]
    columns = list(_TOLD)
    mine = mine.drop(columns=[name for name in columns if name in mine]).join(pd.DataFrame(told, columns=columns, index=mine.index))
    own = ("parameters_convolutions", "parameters_convolutions_with_theta", HEADLINE, "validation_accuracy_percent", *CALIBRATION)
    mine = mine.assign(**{name: math.nan for name in own if name not in mine})  # no such run has landed yet
    linear = (mine.parameters_trained_published - mine.parameters_convolutions_with_theta).astype(float)
    mine["full"] = mine.parameters_target.astype(float) - linear
    return mine.assign(compression=mine.full / mine.parameters_convolutions_with_theta.astype(float))


_TOLD = ("precision", "source", "start", "shots", "ema", "rank", "widths", "compressed", "images", "latent")


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """What the settings of a run say; ``row`` has those that are there."""
    taught, mixing, compressed = row["method"] == "student", row.get("student.mixing"), row.get("student.compressed", "none")
    source = row.get("feature.source", "plain" if compressed == "none" else mixing) if taught else "teacher"
    shots = row.get("feature.shots", math.nan) if taught else math.nan
    widths = json.loads((taught and row.get("student.widths")) or row["teacher.widths"])
    return {
        "precision": row["schedule.precision"],
        "source": source,
        "start": row.get("time_bin.theta_start", "none"),
        "shots": math.inf if shots == "exact" else float(shots),
        "ema": float(row.get("schedule.ema", math.nan)) if taught else math.nan,
        "rank": float(row["student.rank"]) if taught and compressed != "none" else math.nan,
        "widths": "x".join(map(str, widths)),
        "compressed": compressed if taught else "none",
        "images": float(row.get("distillation_data.train_images") or math.nan),
        "latent": float(row.get("student.latent") or SMALLEST_LATENT) if source == "latent" else math.nan,
    }


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def label_of(run: Any) -> str:
    """A student's name in a table: what mixes its kernels, or what it is instead."""
    if run.source in AT_RANDOM_ANGLES and run.start == "uniform":
        return AT_RANDOM_ANGLES[run.source]
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


def control_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The controls at partial compression: those of other networks only where they have as many parameters."""
    mine = distilled_runs(runs)
    mine = mine[mine.experiment.isin(CONTROLS) & ((mine.experiment != "pqkd_uniform_start") | (mine.source == "photonic-frozen"))]
    return _of_matched_size(mine, 0.01)


def extreme_control_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The same at extreme compression, where the mixing makes all kernels."""
    mine = distilled_runs(runs)
    mine = mine[mine.experiment.isin(EXTREME_CONTROLS)]
    return _of_matched_size(mine, 0.02) if "pqkd_extreme_controls" in set(mine.experiment) else mine.iloc[:0]


def extreme_controls(results: Results) -> pd.DataFrame:
    """The controls at extreme compression, each by the mean of its last epochs."""
    return by_last_epochs(extreme_control_runs(results.runs), results)


def by_last_epochs(mine: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Runs with the mean test accuracy of their last epochs in place of the last one's: at extreme compression single epochs fall by up to
    twenty points.
    """
    if mine.empty:
        return mine
    last = results.history(mine).groupby(IDENTITY, sort=False).tail(LAST_EPOCHS).groupby(IDENTITY)[HEADLINE].mean()
    return mine.assign(**{HEADLINE: last.reindex(pd.MultiIndex.from_frame(mine[IDENTITY])).to_numpy()})


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


def frontier(results: Results) -> pd.DataFrame:
    """Compression against accuracy: one row a network, with summaries of its accuracies, on test images by the mean of the last epochs, and
    of what it loses against its teacher.
    """
    mine = distilled_runs(results.runs)
    teachers = by_last_epochs(mine[mine.source == "teacher"], results)
    students = by_last_epochs(mine[mine.experiment.isin(FRONTIER) & mine.source.isin(("photonic", "plain"))], results)
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
