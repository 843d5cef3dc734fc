"""In words: what the study found about distillation (arXiv 2603.14898), for RESULTS.md."""

import pandas as pd

from lightweights.params import Study
from lightweights.study.ablation import signed_summary
from lightweights.study.claims import PUBLISHED_COMPRESSION, PUBLISHED_SHOTS
from lightweights.study.distillation_tables import (
    CALIBRATION,
    HEADLINE,
    LABELS,
    REFERENCE,
    SHOTS,
    TABLE_1,
    by_label,
    compare,
    control_runs,
    distilled_runs,
    epochs_of,
    extreme_control_runs,
    from_three,
    frontier,
    images_of,
    margin_of,
    shot_fits,
    shot_gains,
    signed_from_three,
)
from lightweights.study.statistics import paired_by_seed, summarise
from lightweights.study.tables import NOTHING, markdown, short_cell

PHOTONS = LABELS["photonic"]


def what_distillation_gives(runs: pd.DataFrame, scores: pd.DataFrame, study: Study) -> str:
    """Markdown: teachers beside students, and one line for each thing that was asked; empty without such runs."""
    mine = distilled_runs(runs, study)
    parts = {
        "Partial compression": ("pqkd_controls", control_runs(runs, study)),
        "All convolutions": ("pqkd_extreme_controls", extreme_control_runs(runs, study)),
    }
    lines = [*_compression(runs, study), *_shots(runs, scores, study), *_calibration(mine)]
    texts = (_teachers_and_students(mine, scores), _is_it_the_photons(parts), "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(part for part in texts if part)


def _teachers_and_students(mine: pd.DataFrame, scores: pd.DataFrame) -> str:
    rows = []
    for pair in TABLE_1:
        for dataset, group in mine[mine.experiment.isin(pair)].groupby("dataset", sort=False):
            teachers, students = (group[group.experiment == name] for name in pair)
            more, _ = paired_by_seed(students, teachers, HEADLINE)
            told = scores[(scores.dataset == dataset) & (scores.quantity == "validation_accuracy_percent")].set_index("method").reported
            rows.append(
                {
                    "Data set": dataset,
                    "Epochs": epochs_of(group),
                    "n": str(more.n),
                    "Teacher (%)": from_three(summarise(teachers[HEADLINE]), HEADLINE),
                    "Student, partial compression (%)": from_three(summarise(students[HEADLINE]), HEADLINE),
                    "Student minus teacher (points)": signed_from_three(more, HEADLINE),
                    "Published, 100 epochs, validation (%)": f"{told.get('teacher', '-')} and {told.get('pqkd_partial', '-')}",
                }
            )
    return markdown(pd.DataFrame(rows)) if rows else ""


def _is_it_the_photons(parts: dict[str, tuple[str, pd.DataFrame]]) -> str:
    """Photons against everything that stands in their place, in a column for each compression, and what follows."""
    told, cells = [], dict[str, dict[str, str]]()
    for where, (table, controls) in parts.items():
        groups = by_label(controls)
        photons = groups.get(PHOTONS)
        if photons is None:
            continue
        trained = f"{controls.dataset.iloc[0]}, {images_of(controls)} images, {epochs_of(controls)} epochs"
        line = f"[{where}](tables/{table}.md) ({trained})"
        if LABELS[REFERENCE] in groups:
            rest = {label: group for label, group in groups.items() if label != LABELS[REFERENCE]}
            words = compare(rest, groups[LABELS[REFERENCE]], margin_of(controls)).set_index("label")
            line += f": photons minus {LABELS[REFERENCE]} is **{words.word[PHOTONS]}**"
        sides: dict[str, list[str]] = {"above": [], "below": []}
        for label, group in groups.items():
            cell = cells.setdefault(label, {"What mixes the kernels": label})
            cell[f"{where} (%)"] = f"{short_cell(summarise(group[HEADLINE]), HEADLINE)} (n = {len(group)})"
            more, _ = paired_by_seed(photons, group, HEADLINE)
            cell[f"{where}: photons minus it (points)"] = signed_from_three(more, HEADLINE) if more.n and label != PHOTONS else NOTHING
            if label not in (PHOTONS, LABELS["zero"], LABELS[REFERENCE]) and more.n > 2 and more.low * more.high > 0:
                sides["above" if more.low > 0 else "below"].append(label)
        clear = [f"wholly {side} 0 against {'; '.join(labels)}" for side, labels in sides.items() if labels]
        told.append(f"{line}; intervals of photons minus the others lie {' and '.join(clear) or 'nowhere wholly on one side of 0'}.")
    if not told:
        return ""
    rows = markdown(pd.DataFrame(list(cells.values())).fillna(NOTHING))
    lines = "\n".join(f"- {line}" for line in told)
    return (
        "Is it the photons? All else equal, the kernels are mixed by other vectors, by trained numbers, or are those of a plain CNN of as "
        f"many parameters:\n\n{rows}\n\n{lines}\n"
        "- Intervals are of single comparisons; words are corrected. Features differ in size as much as in origin, which may be part of it."
    )


def _compression(runs: pd.DataFrame, study: Study) -> list[str]:
    found = frontier(runs, study)
    found = found[found.compressed == "extreme"] if len(found) else found
    if found.empty:
        return []
    found = found.assign(mean=[own.mean for own in found.accuracy])
    told = f"Convolutions compressed {found.compression.min():.0f} to {found.compression.max():.0f} times: test accuracy from "
    told += f"{found['mean'].min():.2f} to {found['mean'].max():.2f} %"
    least = PUBLISHED_COMPRESSION[0]
    far = found[found.compression >= least]
    if len(far):
        best = far.loc[far["mean"].idxmax()]
        told += f"; the best at {least:.0f} times and more has {short_cell(best.accuracy, HEADLINE)} % at {best.compression:.0f} times"
        told += f" ({signed_from_three(best.minus_teacher, HEADLINE)} points against its teacher, n = {best.accuracy.n})"
    return [f"{told} ([table](tables/pqkd_compression.md))."]


def _shots(runs: pd.DataFrame, scores: pd.DataFrame, study: Study) -> list[str]:
    gains = shot_gains(runs, study)
    lines = []
    for experiment, angles in SHOTS.items():
        own = gains[gains.experiment == experiment]
        parts = []
        for (_, ema), (limit, _) in shot_fits(own).items():
            at = summarise(own[(own.ema == ema) & (own.shots == PUBLISHED_SHOTS)].gain)
            averaged = "with averaging" if ema else "without"
            gained = f"{short_cell(at, HEADLINE)} at {PUBLISHED_SHOTS} shots (n = {limit.n})"
            parts.append(f"{averaged} delta_inf {short_cell(limit, HEADLINE)}, {gained}")
        if parts:
            told = f"Gain over the zero feature against shots, angles {angles}: {'; '.join(parts)} points"
            if experiment == "pqkd_shots":
                published = scores.set_index("claim").reported
                told += f"; published: {published['pqkd.delta_inf.ema']} with and {published['pqkd.delta_inf.no_ema']} without"
            lines.append(f"{told}.")
    return lines


def _calibration(mine: pd.DataFrame) -> list[str]:
    """Whether students are better calibrated than their teachers, as the article finds."""
    students = mine[(mine.experiment == "pqkd_controls") & (mine.source == "photonic")]
    teachers = mine[mine.experiment == "pqkd_teacher_subset"]
    if students.empty or teachers.empty:
        return []
    entropy, error = (paired_by_seed(students, teachers, column)[0] for column in CALIBRATION)
    sides = "worse" if error.low > 0 else "better" if error.high < 0 else "neither better nor worse"
    return [
        f"The article finds students better calibrated than their teachers; ours are {sides}: student minus teacher "
        f"({images_of(students)} images, n = {error.n}), expected calibration error "
        f"{signed_summary(error, CALIBRATION[1])} points, cross-entropy {signed_summary(entropy, CALIBRATION[0])} nats "
        "([all students](tables/pqkd_calibration.md))."
    ]
