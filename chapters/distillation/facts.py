"""What photonic distillation found, as numbers."""

import math
from dataclasses import dataclass

import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, summarise
from lightweights.settings.distillation import TUNED_SOURCES

from . import PUBLISHED_COMPRESSION, PUBLISHED_EPOCHS, PUBLISHED_SHOTS
from .reliability import Calibrated, calibrated
from .shots import SHOTS, shot_fits, shot_gains
from .students import (
    AT_RANDOM_ANGLES,
    CALIBRATION,
    CLIP,
    HEADLINE,
    LABELS,
    LAST_EPOCHS,
    REFERENCE,
    TABLE_1,
    TRAINED,
    VALIDATION,
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

PHOTONS, AS_LARGE, AT_RANDOM = LABELS["photonic"], LABELS["gaussian-matched"], AT_RANDOM_ANGLES["photonic-frozen"]
NEARLY = 0.97
"""A root mean square of so much of the clip leaves no angle anywhere else."""
FAR = 1.5
"""Radians of root mean square beyond which tuned angles have run away."""
STILL_TO_RUN = (AT_RANDOM_ANGLES["photonic-frozen"], AT_RANDOM_ANGLES["distinguishable-frozen"], LABELS["gaussian-matched"])
"""Controls at extreme compression that the second edition of the analysis plan adds."""
PARTS = {
    "Partial compression": ("pqkd_controls", lambda results: control_runs(results.runs)),
    "All convolutions": ("pqkd_extreme_controls", extreme_controls),
}
"""Where the photons are replaced: the table, and what chooses its runs."""


@dataclass(frozen=True)
class Taught:
    """Teachers and students of a data set at partial compression, on test and on validation images; published: validation accuracies of
    both, as they stand.
    """

    dataset: str
    epochs: str
    teacher: Summary
    student: Summary
    more: Summary
    validation: tuple[Summary, Summary]
    more_validation: Summary
    published: tuple[str, str]

    @property
    def published_more(self) -> float | None:
        """Published student minus teacher."""
        try:
            teacher, student = map(float, self.published)
        except ValueError:
            return None
        return student - teacher


@dataclass(frozen=True)
class Angles:
    """Where tuned angles ended: root mean squares (least, largest), runs of which all stand at the clip, and the accuracy before and after
    the last epoch of the run that fell most.
    """

    label: str
    runs: int
    sizes: tuple[float, float]
    at_clip: int
    fall: tuple[float, float]


@dataclass(frozen=True)
class Replaced:
    """Photons against all that stands in their place: accuracy, and photons minus it, by label; and the word against the reference.
    ``still``: photons frozen at random angles minus what is frozen, or drawn, like them. ``as_large``: the fixed vector as large as the
    photons' feature where their tuning starts, minus the reference. ``more_numbers``: what trains at least a tenth more numbers than
    photons do, with theirs and the photons'.
    """

    where: str
    table: str
    dataset: str
    images: str
    epochs: str
    accuracy: dict[str, Summary]
    minus: dict[str, Summary]
    still: dict[str, Summary]
    as_large: Summary | None
    more_numbers: dict[str, tuple[int, int]]
    word: str | None
    angles: list[Angles]
    missing: list[str]

    @property
    def unfinished(self) -> bool:
        """Whether tuned angles ran far, as they do where a run has not converged."""
        return max((own.sizes[1] for own in self.angles), default=0.0) > FAR

    @property
    def size_suffices(self) -> bool:
        """Whether a vector that is merely as large falls below the reference, and photons are not told apart from it (single intervals)."""
        beside = self.minus.get(AS_LARGE)
        return beside is not None and self.as_large is not None and self.as_large.high < 0 and beside.low <= 0 <= beside.high

    @property
    def indifferent(self) -> bool:
        """Whether the interval of each of these differences, of three pairs or more, contains 0."""
        return bool(self.still) and all(found.n > 2 and found.low <= 0 <= found.high for found in self.still.values())

    @property
    def others(self) -> dict[str, Summary]:
        """Photons minus all but the reference, where three pairs or more give an interval."""
        return {label: found for label, found in self.minus.items() if label != LABELS[REFERENCE] and found.n > 2}

    def clear(self, above: bool) -> list[str]:
        """Labels of these that photons lie wholly above, or below, by single intervals."""
        return [label for label, found in self.others.items() if (found.low > 0 if above else found.high < 0)]


@dataclass(frozen=True)
class Compressed:
    """How far the convolutions were compressed, accuracies there, and at the published compression and beyond how
    many settings there are and the best of them.
    """

    compression: tuple[float, float]
    accuracy: tuple[float, float]
    sizes: int
    least: float
    best: tuple[float, Summary, Summary] | None


@dataclass(frozen=True)
class Gain:
    """The fitted gain over the zero feature, delta_inf and c of delta_inf - c / sqrt(S), and that at the published shots."""

    averaged: bool
    limit: Summary
    slope: Summary
    at: Summary


@dataclass(frozen=True)
class Moved:
    """Root mean squares of the angles of a data set's students at the end, least and largest, and how many of the runs had practically all
    angles at the clip after some epoch.
    """

    sizes: tuple[float, float]
    at_clip: int
    runs: int


@dataclass(frozen=True)
class Facts:
    """What distillation found; what was not run is empty or None."""

    headline: str
    calibration: tuple[str, str]
    epochs: int
    trained: tuple[str, ...]
    shots: int
    labels: list[str]
    reference: str
    photons: str
    at_random: str
    as_large: str
    taught: list[Taught]
    replaced: list[Replaced]
    compressed: dict[str, Compressed]
    clip: float
    last_epochs: int
    gains: dict[str, list[Gain]]
    published_gains: dict[str, str]
    calibrated: list[Calibrated]
    moved: dict[str, Moved]
    spread: float
    """Root mean square of angles anywhere between the clips."""


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    runs, mine = results.runs, distilled_runs(results.runs)
    replaced = [found for where in PARTS if (found := replaced_photons(where, results)) is not None]
    gains = {claim.id: claim.reported for claim in results.claims if claim.quantity == "asymptotic_gain_over_zero_feature_points"}
    return Facts(
        headline=HEADLINE,
        calibration=CALIBRATION,
        epochs=PUBLISHED_EPOCHS,
        trained=TRAINED,
        shots=PUBLISHED_SHOTS,
        labels=list(dict.fromkeys(label for part in replaced for label in part.accuracy)),
        reference=LABELS[REFERENCE],
        photons=PHOTONS,
        at_random=AT_RANDOM,
        as_large=AS_LARGE,
        taught=teachers_and_students(mine, results.scores),
        replaced=replaced,
        compressed=how_far_by_images(frontier(results)),
        clip=CLIP,
        last_epochs=LAST_EPOCHS,
        gains=gains_of(shot_gains(runs)),
        published_gains={"with": gains["pqkd.delta_inf.ema"], "without": gains["pqkd.delta_inf.no_ema"]} if gains else {},
        calibrated=calibrated(mine, results.scores),
        moved=where_angles_went(mine, results),
        spread=CLIP / math.sqrt(3),
    )


def teachers_and_students(mine: pd.DataFrame, scores: pd.DataFrame) -> list[Taught]:
    """One row a data set."""
    found = []
    for pair in TABLE_1:
        for dataset, group in mine[mine.experiment.isin(pair)].groupby("dataset", sort=False):
            teachers, students = (group[group.experiment == name] for name in pair)
            told = scores[(scores.dataset == dataset) & (scores.quantity == VALIDATION)].set_index("method").reported
            tested, validated = ([summarise(part[column]) for part in (teachers, students)] for column in (HEADLINE, VALIDATION))
            more, more_validation = (paired_by_seed(students, teachers, column)[0] for column in (HEADLINE, VALIDATION))
            published = (told.get("teacher", "-"), told.get("pqkd_partial", "-"))
            found.append(Taught(str(dataset), epochs_of(group), *tested, more, (validated[0], validated[1]), more_validation, published))
    return found


def replaced_photons(where: str, results: Results) -> Replaced | None:
    """Photons against everything that stands in their place; None without photons."""
    table, choose = PARTS[where]
    controls = choose(results)
    groups = by_label(controls) if len(controls) else {}
    photons = groups.get(PHOTONS)
    if photons is None:
        return None
    word = None
    if (reference := groups.get(LABELS[REFERENCE])) is not None:
        rest = {label: group for label, group in groups.items() if label != LABELS[REFERENCE]}
        word = str(compare(rest, reference, margin_of(controls)).set_index("label").word[PHOTONS])
    return Replaced(
        where,
        table,
        str(controls.dataset.iloc[0]),
        images_of(controls),
        epochs_of(controls),
        {label: summarise(group[HEADLINE]) for label, group in groups.items()},
        {label: paired_by_seed(photons, group, HEADLINE)[0] for label, group in groups.items() if label != PHOTONS},
        {
            label: paired_by_seed(groups[AT_RANDOM], groups[label], HEADLINE)[0]
            for label in (AT_RANDOM_ANGLES["distinguishable-frozen"], AT_RANDOM_ANGLES["gaussian-matched"])
            if {label, AT_RANDOM} <= set(groups)
        },
        paired_by_seed(groups[AS_LARGE], reference, HEADLINE)[0] if reference is not None and AS_LARGE in groups else None,
        more_numbers(groups),
        word,
        angles_of(groups, results),
        [label for label in STILL_TO_RUN if label not in groups] if where != "Partial compression" else [],
    )


def more_numbers(groups: dict[str, pd.DataFrame]) -> dict[str, tuple[int, int]]:
    """Labels of runs that train at least a tenth more numbers than photons do, with theirs and the photons'."""
    counts = {label: int(group.parameters_trained_used.max()) for label, group in groups.items()}
    own = counts[PHOTONS]
    return {label: (count, own) for label, count in counts.items() if count > 1.1 * own}


def angles_of(groups: dict[str, pd.DataFrame], results: Results) -> list[Angles]:
    """Where the tuned angles ended, and how much one epoch matters, by label."""
    found = []
    for label, group in groups.items():
        history = results.history(group)
        if "theta_rms" not in history or not (history.theta_rms > 0).any() or not group.source.isin(TUNED_SOURCES).all():
            continue
        ends = history.groupby("seed").tail(1).set_index("seed")
        before = history.groupby("seed").nth(-2).set_index("seed") if (history.groupby("seed").size() > 1).all() else ends
        fall = (ends[HEADLINE] - before[HEADLINE]).idxmin()
        at_clip = int((ends.theta_rms > NEARLY * CLIP).sum())
        sizes = (float(ends.theta_rms.min()), float(ends.theta_rms.max()))
        found.append(Angles(label, len(ends), sizes, at_clip, (float(before[HEADLINE][fall]), float(ends[HEADLINE][fall]))))
    return found


def how_far_by_images(found: pd.DataFrame) -> dict[str, Compressed]:
    """What is left of accuracy, by how many images were trained on: only such runs are alike."""
    if found.empty:
        return {}
    found = found[found.compressed == "extreme"]
    parts = {images_of(part): how_far(part) for _, part in found.groupby(["dataset", found.images.fillna(math.inf)], sort=False)}
    return {images: own for images, own in parts.items() if own is not None}


def how_far(found: pd.DataFrame) -> Compressed | None:
    """What is left of accuracy where all convolutions are compressed; None without such runs."""
    found = found[found.compressed == "extreme"] if len(found) else found
    if found.empty:
        return None
    found, least = found.assign(mean=[own.mean for own in found.accuracy]), PUBLISHED_COMPRESSION[0]
    far, best = found[found.compression >= least], None
    if len(far):
        row = far.loc[far["mean"].idxmax()]
        best = (float(row.compression), row.accuracy, row.minus_teacher)
    ends = [(float(found[name].min()), float(found[name].max())) for name in ("compression", "mean")]
    return Compressed(ends[0], ends[1], len(far), least, best)


def gains_of(gains: pd.DataFrame) -> dict[str, list[Gain]]:
    """Gain over the zero feature against shots, by what the angles do."""
    found: dict[str, list[Gain]] = {}
    for experiment, angles in SHOTS.items():
        own = gains[gains.experiment == experiment]
        for (_, ema), (limit, slope) in shot_fits(own).items():
            at = summarise(own[(own.ema == ema) & (own.shots == PUBLISHED_SHOTS)].gain)
            found.setdefault(angles, []).append(Gain(ema > 0, limit, slope, at))
    return found


def where_angles_went(mine: pd.DataFrame, results: Results) -> dict[str, Moved]:
    """How far the angles of students move at the published schedule, by data set."""
    found = {}
    for dataset, own in mine[mine.experiment == TABLE_1[0][1]].groupby("dataset", sort=False):
        history = results.history(own)
        ends, largest = (getattr(history.groupby("seed").theta_rms, name)() for name in ("last", "max"))
        found[str(dataset)] = Moved((float(ends.min()), float(ends.max())), int((largest > NEARLY * CLIP).sum()), len(ends))
    return found
