"""Every published number beside what the study found, with a verdict by the rule of the analysis plan."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from lightweights.report.chapter import Chapter, chapters
from lightweights.report.claims import Claim, matching_runs
from lightweights.report.html import as_text
from lightweights.report.measures import NOTHING, format_number, with_interval
from lightweights.report.published import deviations, published_settings
from lightweights.report.results import Results, settings_by_variant
from lightweights.report.statistics import Difference, summarise
from lightweights.report.table import markdown
from lightweights.report.verdicts import NOT_RUN, VERDICTS, Evidence, Judgement, is_wide, judge_value, several_variants, verdict_cell
from lightweights.settings.study import Study

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
- *not comparable*: what could be measured here is something else, for the reason that is told;
- *inconsistent*: the sources contradict themselves or each other, whatever we find."""

OWN = ["chapter", "judgeable", "shorter"]
"""Columns of the scores that the pages need and the files do not."""


def scorecard(results: Results, house: Iterable[Chapter] | None = None) -> pd.DataFrame:
    """One row a claim, those that this study can judge first.

    Columns: the claim as published, ``n mean sd_ddof1 ci95_low ci95_high`` of our runs,
    ``difference difference_low difference_high``, ``verdict``, ``why``, ``deviations``; and those of ``OWN``.
    """
    study, house = results.study, tuple(chapters() if house is None else house)
    by_name, published, settings = {chapter.name: chapter for chapter in house}, published_settings(house), settings_by_variant(study)
    trained, rows = trained_on(study), []
    for claim in results.claims:
        judgeable = (claim.experiment, claim.dataset) in trained
        evidence = judge(claim, results, by_name[claim.chapter]) if judgeable else Evidence(Judgement(NOT_RUN, _why_not(claim, trained)))
        used = [] if evidence.runs is None else list(dict.fromkeys(zip(evidence.runs.experiment, evidence.runs.variant, strict=True)))
        notes = dict.fromkeys(note for key in used for note in deviations(settings.get(key, {}), published.get(key[0])))
        rows.append(
            _row(claim, evidence, "; ".join(notes)) | {"chapter": claim.chapter, "judgeable": judgeable, "shorter": evidence.shorter}
        )
    rows.sort(key=lambda row: (not row["judgeable"], row["dataset"] != study.dataset.name))
    return pd.DataFrame(rows).astype({"reported_n": "Int64", "reported_parameters": "Int64"})


def trained_on(study: Study) -> set[tuple[str, str]]:
    """The experiments of a study, each with the data sets that it trains on."""
    found = {(run.experiment, run.settings.dataset.name) for run in study.runs()}
    return found | {(name, study.dataset.name) for name in set(study.experiments) - {name for name, _ in found}}


def judge(claim: Claim, results: Results, chapter: Chapter) -> Evidence:
    """What our runs say of a claim: by the chapter's own function for its quantity, or by the column that has its name."""
    own = getattr(chapter.module("judges"), claim.quantity, None)
    return judge_column(claim, results) if own is None else own(claim, results)


def judge_column(claim: Claim, results: Results) -> Evidence:
    """A claim about a mean that is a column of runs.csv."""
    matched = matching_runs(claim, results.runs)
    if (several := several_variants(matched)) is not None:
        return Evidence(several)
    if claim.column not in matched:
        return Evidence(Judgement(NOT_RUN, f"no experiment of this study measures {claim.quantity}"))
    ours = summarise(matched[claim.column])
    return Evidence(judge_value(claim, ours), ours, matched if ours.n else None)


def _why_not(claim: Claim, trained: Iterable[tuple[str, str]]) -> str:
    datasets = sorted({dataset for _, dataset in trained})
    if claim.dataset not in datasets:
        return f"published for {claim.dataset}; this study trains on {', '.join(datasets) or 'nothing'}"
    return f"no experiment of this study judges {claim.method}"


def scorecard_markdown(scores: pd.DataFrame, study: Study, sources: Mapping[str, str]) -> str:
    """The scorecard for readers: how to read it, counts, then the claims by source and place. ``sources``: their full titles."""
    counts = Counter(scores.verdict)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    parts = [f"# Scorecard: {as_text(study.study.title)}"]
    if not scores.judgeable.any() and study.dataset.name not in set(scores.dataset):
        others = ", ".join(scores.dataset.unique())
        parts.append(
            f"The published numbers belong to other data sets ({others}); this study trains on {study.dataset.name}, so none of the "
            f"{len(scores)} claims is judged: the verdict of all is *not run*."
        )
        return "\n\n".join([*parts, markdown(_counted(scores))]) + "\n"
    wide = sum(is_wide(row) for row in scores.itertuples())
    told = f" Of the reproduced, {wide} have a *wide* interval." if wide else ""
    parts += [f"**{len(scores)} published numbers: {counted}.**{told}", RULE]
    for (source, location, provenance), group in scores[scores.judgeable].groupby(["source", "location", "provenance"], sort=False):
        parts.append(f"## {source}, {location}\n\nSource: {sources.get(source, source)} (provenance: {provenance}).")
        notes = set(group.deviations[(group.n > 0) | (group.deviations != "")])
        shared = notes.pop() if len(notes) == 1 else None
        if shared:
            parts[-1] += f" Deviations of our protocol from the published one: {shared}."
        elif shared is not None:
            parts[-1] += " Our settings are the published ones."
        parts.append(markdown(_readable(group, study.dataset.name, with_deviations=shared is None and bool(notes))))
    rest = scores[~scores.judgeable]
    if len(rest):
        parts.append(f"## Not run\n\nNo experiment of this study judges these {len(rest)} claims.")
        parts.append(markdown(_unjudged(rest)))
    return "\n\n".join(parts) + "\n"


def _row(claim: Claim, evidence: Evidence, notes: str) -> dict[str, Any]:
    difference = evidence.judgement.difference or Difference(math.nan, math.nan, math.nan)
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
        **evidence.ours.columns(),
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "verdict": evidence.judgement.verdict,
        "why": evidence.judgement.why,
        "deviations": notes,
    }


def _readable(group: pd.DataFrame, dataset: str, with_deviations: bool) -> pd.DataFrame:
    rows = []
    for row in group.itertuples():
        ours = with_interval(row.mean, row.ci95_low, row.ci95_high, row.quantity) if row.n else NOTHING
        spread = "" if math.isnan(row.sd_ddof1) else f", sd {format_number(row.sd_ddof1, row.quantity)}"
        cells = {
            "Claim": _name(row) if row.dataset == dataset else f"{row.dataset}, {row.method.replace('_', ' ')}, {_name(row)}",
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
