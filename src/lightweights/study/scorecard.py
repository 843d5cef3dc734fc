"""Every published number beside what the study found, with a verdict by the rule of the analysis plan."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lightweights.params import RunSettings, Study
from lightweights.study.claims import PUBLISHED_COMPRESSION, PUBLISHED_EPOCHS, PUBLISHED_SHOTS, SOURCES, Claim, judged_by, matching_runs
from lightweights.study.collect import DISTILLED, flatten, to_csv
from lightweights.study.distillation_tables import distilled_runs, epochs_of, images_of, shot_fits, shot_gains
from lightweights.study.files import write_atomic
from lightweights.study.inconsistencies import Inconsistency, inconsistencies_markdown, inconsistency_rows
from lightweights.study.noise import SWEEPS, sweep_drops
from lightweights.study.statistics import Difference, Summary, summarise, welch_difference
from lightweights.study.tables import NOTHING, PUBLISHED_DATASET, format_number, markdown, short_cell

REPRODUCED, OPEN, HIGHER, LOWER = "reproduced", "open", "higher", "lower"
HOLDS, FAILS, TOO_FEW, NOT_RUN = "holds", "fails", "too few runs", "not run"
VERDICTS = (REPRODUCED, HIGHER, LOWER, HOLDS, FAILS, OPEN, TOO_FEW, NOT_RUN)
SMALLEST_N = 3
SHORTER = "judged only at the published schedule"
"""How the reason begins where only shorter runs have landed."""
ROUNDING = 1e-9
"""A difference of exactly the tolerance is within it, although decimal fractions are not exact in binary."""

RULE = """\
**How to read it.** For each published number we compare the mean over our seeds, after the last round or epoch, with the published
mean. The difference is ours minus published. Its 95 % interval is Welch's where the publication gives n and sd (sds of the
notebooks and of the report on them are ddof = 0 and are converted to ddof = 1; others are taken as they stand), else the t
interval of our own mean alone. A gain over other methods is the difference of two of our own means, with Welch's interval.
Our losses, and so generalisation errors, are means over all images; the notebooks' are means over batches, a small deviation in
all rows of generalisation errors. The rule is that of the analysis plan (docs/analysis_plan.md; what was filled in later is
dated there):

- *reproduced*: the means differ by at most 1 percentage point (0.02 for generalisation errors, 10 % of the value for
  cross-entropies), or the interval contains 0 and reaches no further than 2 points (twice the tolerance) to either side of the difference;
  *wide*: the means are that close, but the interval reaches further than twice the tolerance, so luck is not excluded;
- *open*: the interval contains 0, but is wider than that: more seeds are needed;
- *higher*, *lower*: ours lies above or below the published number, by more than the tolerance and more than chance explains;
- *holds*, *fails*: for claims of the form "below x" or "x to y"; all 95 % intervals lie wholly within, or one lies wholly outside;
  *open* in between;
- *too few runs*: fewer than 3 seeds; *not run*: the study has no runs that could judge the claim;
- *inconsistent*: the sources contradict themselves or each other, whatever we find."""

_QUANTUM_TRAIN = {
    "network.name": "cnn",
    "photonics.circuits": "[[9, 4], [8, 4]]",
    "photonics.mesh": "notebook",
    "photonics.input_state": "spaced",
    "photonics.bunching": False,
    "photonics.normalisation": "mean",
    "mapping.init_std": 1e-9,
    "schedule.rounds": 200,
    "schedule.mapping_epochs": 5,
    "schedule.mapping_lr": 1e-3,
    "schedule.batch_size": 128,
    "schedule.phase_batch_size": 1000,
    "schedule.evaluations": 1000,
}
_CLASSICAL = {"network.name": "cnn", "schedule.epochs": 50, "schedule.lr": 1e-3, "schedule.batch_size": 128}
_MERLIN = {
    "network.name": "cnn-merlin",
    "photonics.circuits": "[[9, 4], [8, 4]]",
    "photonics.mesh": "mzi",
    "photonics.input_state": "first",
    "photonics.bunching": True,
    "photonics.normalisation": "none",
    "schedule.phase_lr": 1e-2,
    "schedule.phase_batch_size": 16,
    "schedule.phase_clip": 1.0,
}
"""The published notebooks' settings, as reference for deviations."""
_DISTILLATION = {
    "schedule.epochs": PUBLISHED_EPOCHS,
    "schedule.lr": 1e-3,
    "schedule.batch_size": 64,
    "schedule.temperature": 3.0,
    "schedule.hard_weight": 0.5,
    "schedule.ema": 0.9,
    "schedule.spsa_steps": 10,
    "schedule.spsa_gain": 0.05,
    "schedule.spsa_perturbation": 0.1,
    "schedule.spsa_batches": 5,
    "feature.source": "photonic",
    "feature.shots": 200,
    "student.rank": 8,
    "distillation_data.validation_images": 5000,
}
"""The article's settings, as far as they are known."""


@dataclass(frozen=True)
class Judgement:
    """A verdict with the difference that it rests on (None for bounds and without runs) and the reason in one sentence."""

    verdict: str
    why: str
    difference: Difference | None = None


def tolerance(quantity: str, published: float) -> float:
    """How far a mean may lie from the published one and count as reproduced: points, or nats for errors and entropies."""
    if quantity == "generalisation_error":
        return 0.02
    return 0.1 * abs(published) if quantity.endswith("cross_entropy") else 1.0


def judge_value(claim: Claim, ours: Summary) -> Judgement:
    """Verdict on a published mean."""
    if ours.n == 0 or claim.reported_mean is None:
        return Judgement(NOT_RUN, "no runs of this setting")
    if claim.summary is not None:
        difference, interval = welch_difference(ours, claim.summary), "the 95 % interval of the difference"
    else:
        difference = Difference(*(x - claim.reported_mean for x in (ours.mean, ours.low, ours.high)))
        interval = "our 95 % interval alone (the published n or sd is unknown)"
    if ours.n < SMALLEST_N:
        return Judgement(TOO_FEW, f"n = {ours.n}; {SMALLEST_N} are needed", difference)
    allowed = tolerance(claim.quantity, claim.reported_mean)
    unit = " points" if claim.quantity.endswith("percent") else ""
    distance, limit, wide, half = (
        f"{format_number(x, claim.quantity)}{unit}" for x in (abs(difference.value), allowed, 2 * allowed, difference.half_width)
    )
    if abs(difference.value) <= allowed + ROUNDING:
        return Judgement(REPRODUCED, f"the means differ by {distance}, at most {limit} are allowed", difference)
    if difference.low <= 0 <= difference.high:
        if difference.half_width <= 2 * allowed:
            return Judgement(REPRODUCED, f"{interval} contains 0 and reaches {half} to either side, at most {wide} are allowed", difference)
        return Judgement(OPEN, f"{interval} contains 0 but reaches {half} to either side, more than {wide}", difference)
    side = HIGHER if difference.value > 0 else LOWER
    return Judgement(side, f"ours is {distance} {side} and {interval} excludes 0", difference)


def is_wide(row: Any) -> bool:
    """Whether a row of the scorecard is reproduced by its mean alone, with an interval wider than twice the tolerance."""
    if row.verdict != REPRODUCED:
        return False
    return (row.difference_high - row.difference_low) / 2 > 2 * tolerance(row.quantity, float(row.reported))


def verdict_cell(row: Any) -> str:
    """The verdict of a row of the scorecard in Markdown, and whether it is a wide one."""
    return f"**{row.verdict}**" + ", wide" * is_wide(row)


def judge_bound(bound: float, ours: Summary, quantity: str) -> Judgement:
    """Verdict on a claim "below ``bound``"."""
    if ours.n == 0:
        return Judgement(NOT_RUN, "no runs of this setting")
    if ours.n < SMALLEST_N:
        return Judgement(TOO_FEW, f"n = {ours.n}; {SMALLEST_N} are needed")
    limit, low, high = (format_number(x, quantity) for x in (bound, ours.low, ours.high))
    if ours.high < bound:
        return Judgement(HOLDS, f"the whole 95 % interval lies below {limit}, up to {high}")
    if ours.low >= bound:
        return Judgement(FAILS, f"the whole 95 % interval lies above {limit}, from {low}")
    return Judgement(OPEN, f"{limit} lies within the 95 % interval, {low} to {high}")


def judge_gain(bounds: tuple[float, float], gains: dict[str, Difference], n: int) -> Judgement:
    """Verdict on a claim that all numbers lie between two bounds: holds if all intervals do, fails if one lies wholly outside."""
    low, high = bounds
    told = "; ".join(f"{d.value:.2f} [{d.low:.2f}, {d.high:.2f}] {name}" for name, d in gains.items())
    if n < SMALLEST_N:
        return Judgement(TOO_FEW if n else NOT_RUN, f"n = {n}; {SMALLEST_N} are needed" if n else "no runs of this setting")
    if all(low <= d.low and d.high <= high for d in gains.values()):
        return Judgement(HOLDS, told)
    outside = any(d.high < low or d.low > high for d in gains.values())
    return Judgement(FAILS if outside else OPEN, told)


def relative_loss(runs: pd.DataFrame, compressed: pd.DataFrame, claim: Claim) -> pd.Series:
    """Accuracy lost by compression in percent of the classical target's, by seed; only seeds that both have.

    Args:
        runs: All runs; the classical target's are taken from them.
        compressed: The compressed network's runs, one a seed.
        claim: The claim, which names the data set.
    """
    column = "test600_accuracy_percent"
    target = _targets(runs, claim).set_index("seed")[column]
    loss = 100 * (target - compressed.set_index("seed")[column]) / target
    return loss.dropna()


def deviations(settings: RunSettings) -> str:
    """Where a run's settings differ from the published protocol, in words; empty if nowhere."""
    flat = flatten(settings)
    kind = settings.baseline.kind if settings.baseline else None
    merlin = settings.mapping is not None and settings.mapping.kind == "logit-tanh"
    found, reference = [], _CLASSICAL
    if kind == "weight_sharing":
        reference = _CLASSICAL | {"schedule.lr": 1e-4}
    elif kind == "gate_qt":
        found.append("the published architecture and schedule are not known; ours has the published number of parameters to within 1 %")
        reference = {"network.name": "cnn"}
    elif settings.method in DISTILLED:
        reference = _DISTILLATION
        if settings.schedule.protocol == "student" and settings.schedule.spsa_feature == "ema":
            found.append("angles judged by the averaged feature")
        if flat.get("distillation_data.train_images"):
            found.append(f"{flat['distillation_data.train_images']} training images")
        if flat["schedule.precision"] != "float32":
            found.append(f"precision {flat['schedule.precision']}")
    elif settings.network is not None and settings.network.name == "cnn-merlin":
        reference = _MERLIN if merlin else {"schedule.epochs": 3, "schedule.batch_size": 128}
        if merlin:
            found.append("each step on a fresh random batch, not in epochs")
    elif settings.method == "quantum_train":
        reference = _QUANTUM_TRAIN
        if flat["schedule.protocol"] == "gradient" and settings.trains_phases:
            steps = flat["schedule.phase_steps"]
            found.append(f"phases trained by gradients ({steps} Adam steps a round), not COBYLA")
        if settings.photonics is not None and settings.photonics.arm == "paper-random":
            found.append(f"bond dimension {flat['mapping.bond_dim']} alone, not 1 to 10 once each")
    for path, published in reference.items():
        if path in flat and flat[path] != published:
            found.append(f"{path} = {flat[path]}, not {published}")
    return "; ".join(found)


def scorecard(runs: pd.DataFrame, claims: list[Claim], study: Study) -> pd.DataFrame:
    """One row a claim, those that this study can judge first.

    Columns: the claim as published, ``n mean sd_ddof1 ci95_low ci95_high`` of our runs,
    ``difference difference_low difference_high``, ``verdict``, ``why``, ``deviations``.
    """
    settings = {(run.experiment, run.variant): run.settings for run in study.runs()}
    trained = {(experiment, section.dataset.name) for (experiment, _), section in settings.items()}
    rows = []
    for claim in claims:
        judgeable = is_judgeable(claim, study, trained)
        matched = matching_runs(claim, runs) if judgeable else None
        ours, judgement = _judge(claim, matched, runs, study)
        shown = matched is not None and (ours.n or claim.distilled)
        used = [] if not shown else [matched] if claim.column or claim.distilled else [_targets(runs, claim), matched]
        variants = dict.fromkeys((row.experiment, row.variant) for part in used for row in part.itertuples())
        notes = dict.fromkeys(note for variant in variants for note in deviations(settings[variant]).split("; ") if note)
        rows.append(_row(claim, ours, judgement, "; ".join(notes)) | {"judgeable": judgeable})
    rows.sort(key=lambda row: (not row["judgeable"], row["dataset"] != study.dataset.name))
    return pd.DataFrame(rows).astype({"reported_n": "Int64", "reported_parameters": "Int64"})


def is_judgeable(claim: Claim, study: Study, trained: set[tuple[str, str]]) -> bool:
    """Whether an experiment judges a claim: of distillation, one that trains on the claim's data set; else one of a study on it."""
    experiment = judged_by(claim)
    if claim.distilled:
        return (experiment, claim.dataset) in trained
    return claim.dataset == study.dataset.name and experiment in study.experiments


def scorecard_markdown(scores: pd.DataFrame, study: Study) -> str:
    """The scorecard for readers: how to read it, counts, then the claims by source and place."""
    counts = Counter(scores.verdict)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    parts = [f"# Scorecard: {study.study.title}"]
    if not scores.judgeable.any() and study.dataset.name != PUBLISHED_DATASET:
        parts.append(
            "The published numbers belong to other data sets, those about photonic Quantum-Train to "
            f"{PUBLISHED_DATASET}; this study trains on {study.dataset.name}, so none of the {len(scores)} claims is judged: "
            "the verdict of all is *not run*."
        )
        return "\n\n".join([*parts, markdown(_counted(scores))]) + "\n"
    wide = sum(is_wide(row) for row in scores.itertuples())
    told = f" Of the reproduced, {wide} have a *wide* interval." if wide else ""
    parts += [f"**{len(scores)} published numbers: {counted}.**{told}", RULE]
    for (source, location, provenance), group in scores[scores.judgeable].groupby(["source", "location", "provenance"], sort=False):
        parts.append(f"## {source}, {location}\n\nSource: {SOURCES.get(source, source)} (provenance: {provenance}).")
        notes = set(group.deviations[(group.n > 0) | (group.deviations != "")])
        shared = notes.pop() if len(notes) == 1 else None
        if shared:
            parts[-1] += f" Deviations of our protocol from the published one: {shared}."
        elif shared is not None:
            parts[-1] += " Our settings are the published ones."
        parts.append(markdown(_readable(group, with_deviations=shared is None and bool(notes))))
    rest = scores[~scores.judgeable]
    if len(rest):
        parts.append(f"## Not run\n\nNo experiment of this study judges these {len(rest)} claims.")
        parts.append(markdown(_unjudged(rest)))
    return "\n\n".join(parts) + "\n"


def write_scorecard(scores: pd.DataFrame, found: list[Inconsistency], study: Study, folder: Path) -> str:
    """Write scorecard.csv and scorecard.md, contradictions within the sources last; returns the Markdown."""
    text = scorecard_markdown(scores, study) + "\n" + inconsistencies_markdown(found)
    rows = pd.concat([scores.drop(columns="judgeable"), inconsistency_rows(found)], ignore_index=True)
    write_atomic(folder / "scorecard.csv", to_csv(rows))
    write_atomic(folder / "scorecard.md", text)
    return text


def _judge(claim: Claim, matched: pd.DataFrame | None, runs: pd.DataFrame, study: Study) -> tuple[Summary, Judgement]:
    nothing = summarise([])
    if claim.distilled:
        if matched is None:
            return nothing, Judgement(NOT_RUN, f"no experiment of this study distils on {claim.dataset} for it")
        return _judge_distilled(claim, matched, runs, study)
    if claim.dataset != study.dataset.name:
        return nothing, Judgement(NOT_RUN, f"published for {claim.dataset}; this study trains on {study.dataset.name}")
    if matched is None:
        return nothing, Judgement(NOT_RUN, f"no experiment of this study judges {claim.method}")
    if claim.bounds is not None:
        return _judge_gain(claim, claim.bounds, runs)
    if claim.method == "photonic_qt_noise" and claim.reported_mean is not None:
        asked = {run.variant.split(",")[0]: run.experiment for run in study.runs() if run.experiment in SWEEPS}
        return _judge_drops(claim.reported_mean, runs[runs.dataset == claim.dataset], asked)
    needed = [matched] if claim.column else [matched, _targets(runs, claim)]
    several = [part for part in needed if part.variant.nunique() > 1]
    if several:
        names = ", ".join(several[0].variant.unique())
        return nothing, Judgement(NOT_RUN, f"several variants have this setting ({names}) and none is singled out")
    if claim.column is not None:
        ours = summarise(matched[claim.column])
        return ours, judge_value(claim, ours)
    if not claim.quantity.startswith("relative_accuracy_loss_percent") or claim.reported_mean is None:
        return nothing, Judgement(NOT_RUN, f"no experiment of this study measures {claim.quantity}")
    ours = summarise(relative_loss(runs, matched, claim))
    bound = claim.quantity.endswith("_below")
    judgement = judge_bound(claim.reported_mean, ours, claim.quantity) if bound else judge_value(claim, ours)
    if ours.n:
        why = f"{judgement.why}; loss on test600 relative to the classical target of the same seed, {ours.n} pairs"
        judgement = Judgement(judgement.verdict, why, judgement.difference)
    return ours, judgement


def _judge_distilled(claim: Claim, matched: pd.DataFrame, runs: pd.DataFrame, study: Study) -> tuple[Summary, Judgement]:
    """A claim about distillation by runs at the published schedule. Shorter ones are told, and give no verdict."""
    mine = distilled_runs(matched, study)
    if claim.bounds is not None:
        mine = mine[mine.compression.round().between(*PUBLISHED_COMPRESSION)]
    full = mine[(mine.epochs == PUBLISHED_EPOCHS) & mine.images.isna()]
    found = _distilled(claim, full if len(full) else mine, runs, study)
    if not found:
        return summarise([]), Judgement(NOT_RUN, "no runs of this setting")
    ours = next(iter(found.values()))
    if len(full) and claim.bounds is not None:
        accuracies = {f"at {name}": Difference(own.mean, own.low, own.high) for name, own in found.items()}
        return summarise([]), judge_gain(claim.bounds, accuracies, min(own.n for own in found.values()))
    if len(full):
        return ours, judge_value(claim, ours)
    quantity = claim.column or claim.quantity
    told = "; ".join(f"{name} {short_cell(own, quantity)} (n = {own.n})".strip() for name, own in found.items())
    published, own = f"{PUBLISHED_EPOCHS} epochs on all images", f"{epochs_of(mine)} epochs on {images_of(mine)} images"
    return summarise([]), Judgement(NOT_RUN, f"{SHORTER}, {published}; after {own} ours is {told}, mean ± sd")


def _distilled(claim: Claim, mine: pd.DataFrame, runs: pd.DataFrame, study: Study) -> dict[str, Summary]:
    """What our runs say about a claim: one number, or one for each compression; for the fitted gain, that at the published shots, too."""
    if mine.empty:
        return {}
    if claim.column is None:
        gains = shot_gains(runs, study)
        gains = gains[(gains.experiment == judged_by(claim)) & ((gains.ema > 0) == ("no_ema" not in claim.id))]
        limits = [limit for limit, _ in shot_fits(gains).values()]
        found = {"delta_inf": limits[0]} if limits else {}
        at = summarise(gains[gains.shots == PUBLISHED_SHOTS].gain)
        return found | ({f"delta({PUBLISHED_SHOTS})": at} if at.n else {})
    if claim.bounds is None:
        return {"": summarise(mine[claim.column])}
    groups = mine.groupby(["compression", "widths", "rank"])
    return {f"{x:.1f}x (widths {w.replace('x', ', ')}, rank {r:.0f})": summarise(group[claim.column]) for (x, w, r), group in groups}


def _judge_drops(bound: float, runs: pd.DataFrame, asked: dict[str, str]) -> tuple[Summary, Judgement]:
    """The largest drop of the noise sweeps against "below ``bound``", on the published test set: holds if those of all points do, of all
    four sweeps. ``asked``: the points that the study has, with their experiments.
    """
    drops = sweep_drops(runs, "test600_accuracy_percent")
    if not drops:
        return summarise([]), Judgement(NOT_RUN, "no runs of this setting")
    where, worst = max(drops.items(), key=lambda point: point[1].mean)
    least = min(found.n for found in drops.values())
    below = sum(found.high < bound for found in drops.values())
    why = (
        f"worst of {len(drops)} of {len(asked)} points of {len(set(asked.values()))} of the four sweeps, at {where}, against the same "
        f"schedule without noise, paired by seed, test600; the 95 % intervals of {below} points lie below {bound:g}"
    )
    if least < SMALLEST_N:
        return worst, Judgement(TOO_FEW, f"n = {least}; {SMALLEST_N} are needed; {why}")
    above = any(found.low >= bound for found in drops.values())
    all_below = below == len(asked) and set(asked.values()) == set(SWEEPS)
    return worst, Judgement(HOLDS if all_below else FAILS if above else OPEN, why)


def _judge_gain(claim: Claim, bounds: tuple[float, float], runs: pd.DataFrame) -> tuple[Summary, Judgement]:
    """The gain of photonic Quantum-Train at bond dimension 10 over the strongest published weight sharing and pruning; ours: the least."""
    column = "test600_accuracy_percent"
    mine = runs[runs.dataset == claim.dataset]
    photonic = summarise(mine[(mine.experiment == "quantum_train") & (mine.bond_dim == 10)][column])
    gains, least = {}, photonic.n
    for experiment, path, value in (("weight_sharing", "baseline.rows", 10), ("pruning", "baseline.ratio", 0.5)):
        own = mine[mine.experiment == experiment]
        other = summarise(own[own[path] == value][column] if path in own else [])
        gains[f"over {experiment.replace('_', ' ')} ({path.split('.')[1]} {value})"] = welch_difference(photonic, other)
        least = min(least, other.n)
    least_gain = min(gains.values(), key=lambda gain: gain.value)
    ours = Summary(least, least_gain.value, math.nan, least_gain.low, least_gain.high) if least else summarise([])
    return ours, judge_gain(bounds, gains, least)


def _targets(runs: pd.DataFrame, claim: Claim) -> pd.DataFrame:
    return runs[(runs.experiment == "classical") & (runs.dataset == claim.dataset)]


def _row(claim: Claim, ours: Summary, judgement: Judgement, notes: str) -> dict[str, Any]:
    difference = judgement.difference or Difference(math.nan, math.nan, math.nan)
    return {
        "claim": claim.id,
        "source": claim.source,
        "location": claim.location,
        "provenance": claim.provenance,
        "method": claim.method,
        "dataset": claim.dataset,
        "setting": claim.setting,
        "quantity": claim.quantity,
        "reported": claim.reported,
        "reported_sd": claim.reported_sd,
        "reported_sd_ddof1": claim.sd,
        "reported_n": claim.reported_n,
        "reported_parameters": claim.reported_parameters,
        **ours.columns(),
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "verdict": judgement.verdict,
        "why": judgement.why,
        "deviations": notes,
    }


def _readable(group: pd.DataFrame, with_deviations: bool) -> pd.DataFrame:
    rows = []
    for row in group.itertuples():
        ours = with_interval(row.mean, row.ci95_low, row.ci95_high, row.quantity) if row.n else NOTHING
        spread = "" if math.isnan(row.sd_ddof1) else f", sd {format_number(row.sd_ddof1, row.quantity)}"
        cells = {
            "Claim": _name(row) if row.dataset == PUBLISHED_DATASET else f"{row.dataset}, {row.method.replace('_', ' ')}, {_name(row)}",
            "Published (sd as printed)": _published(row),
            "Ours [95 % interval]": f"{ours}{spread}, n = {row.n}" if row.n else ours,
            "Difference [95 % interval]": with_interval(row.difference, row.difference_low, row.difference_high, row.quantity, signed=True),
            "Verdict": verdict_cell(row),
            "Why": row.why,
        }
        rows.append(cells | ({"Deviations": row.deviations or "none"} if with_deviations else {}))
    return pd.DataFrame(rows)


def _unjudged(scores: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Claim": [f"{row.method}, {_name(row)}" for row in scores.itertuples()],
            "Data set": scores.dataset.to_list(),
            "Published (sd as printed)": [_published(row) for row in scores.itertuples()],
            "Where": [f"{row.source}, {row.location} ({row.provenance})" for row in scores.itertuples()],
        }
    )


def _counted(scores: pd.DataFrame) -> pd.DataFrame:
    groups = scores.groupby(["source", "location", "dataset"], sort=False).size().reset_index(name="Claims")
    groups["Verdict"] = NOT_RUN
    return groups.rename(columns={"source": "Source", "location": "Where", "dataset": "Data set"})


def _name(row: Any) -> str:
    quantity = row.quantity.removesuffix("_below").removesuffix("_about").removesuffix("_percent").replace("_", " ")
    unit = " (%)" if "_percent" in row.quantity else ""
    return f"{row.setting}: {quantity}{unit}" if row.setting else f"{quantity}{unit}"


def _published(row: Any) -> str:
    bound = "below " if row.quantity.endswith("_below") else ""
    spread = "" if pd.isna(row.reported_sd) else f" ± {row.reported_sd:g}"
    return f"{bound}{row.reported}{spread}" + ("" if pd.isna(row.reported_n) else f", n = {row.reported_n}")


def with_interval(value: float, low: float, high: float, quantity: str, signed: bool = False) -> str:
    """A number of a quantity with its interval."""
    if math.isnan(value):
        return NOTHING
    number, bottom, top = (format_number(x, quantity) for x in (value, low, high))
    sign = "+" if signed and value > 0 else ""
    return f"{sign}{number}" if math.isnan(low) else f"{sign}{number} [{bottom}, {top}]"
