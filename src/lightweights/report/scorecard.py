"""Every published number beside what the study found, with a verdict by the rule of the analysis plan."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lightweights.report.beside import Correction, Independent, corrections_of, independent_of
from lightweights.report.chapter import Chapter, chapters
from lightweights.report.claims import Claim, matching_runs
from lightweights.report.comparisons import p_told, p_value
from lightweights.report.experiments import trained_on
from lightweights.report.html import as_text
from lightweights.report.measures import NOTHING, format_number, with_interval
from lightweights.report.published import deviations, published_settings
from lightweights.report.results import Results, settings_by_variant
from lightweights.report.statistics import FEW, SAME, Difference, bootstrap, holm, improvement, sign_test, summarise
from lightweights.report.table import markdown
from lightweights.report.verdicts import (
    DIRECT,
    NOT_RUN,
    VERDICTS,
    Evidence,
    Judgement,
    corrected,
    is_wide,
    judge_value,
    several_variants,
    verdict_cell,
)
from lightweights.settings.study import Study

RULE = """\
**How to read it.** For each published number we compare the mean over our seeds, after the last round or epoch, with the published
mean. The difference is ours minus published. Its 95 % interval is Welch's where the publication gives n and sd (sds known to be of
the population, ddof = 0, are converted to ddof = 1; others are taken as they stand), else the t interval of our own mean alone.
A gain over other methods is the difference of two of our own means, with Welch's interval. {reading}The rule is that of the
analysis plan (docs/analysis_plan.md; what was filled in later is dated there):

- *reproduced*: the means differ by at most 1 percentage point (0.02 for generalisation errors, 10 % of the value for
  cross-entropies), or the interval contains 0 and reaches no further than 2 points (twice the tolerance) to either side of the difference;
  *wide*: the means are that close, but the interval reaches further than twice the tolerance, so luck is not excluded;
- *open*: the interval contains 0, but is wider than that; or it excludes 0, but the difference does not survive Holm's correction over all
  direct comparisons of the source (their p stands beside each interval); what would settle it is told: seeds of ours, or none;
- *higher*, *lower*: ours lies above or below the published number, by more than the tolerance, and the difference survives the correction;
- *holds*, *fails*: for claims of the form "below x" or "x to y"; all 95 % intervals lie wholly within, or one lies wholly outside
  (by itself: no correction for the number of comparisons, unless the reason names one); *open* in between;
- *too few runs*: fewer than 3 seeds; *not run*: the study has no runs that could judge the claim;
- *not comparable*: what could be measured here is something else, for the reason that is told;
- *inconsistent*: the sources contradict themselves or each other, whatever we find.

Where n is below 10, the interval by bootstrap stands beside the t interval, with the share of our runs that lie above the published mean;
they decide nothing. An interval of runs that all have one value has no width: it is told as such, and is no certainty. *Independent*: what
others found who asked the same, as they say it. *Put right*: the verdict that a published number would have as its own files have it."""

OWN = ["chapter", "judgeable", "shorter", "declared", "kind"]
"""Columns of the scores that the pages need and the files do not."""


def scorecard(results: Results, house: Iterable[Chapter] | None = None) -> pd.DataFrame:
    """One row a claim, those that this study can judge first.

    Columns: the claim as published, ``n mean sd_ddof1 ci95_low ci95_high`` of our runs, where they are few ``bootstrap_low bootstrap_high
    share_above``, ``difference difference_low difference_high p p_holm``, ``verdict``, ``why``, ``settles``, ``put_right`` (the verdict as
    put right, with the reason), ``independent independent_mean``, ``deviations``; and those of ``OWN``.
    """
    study, house = results.study, tuple(chapters() if house is None else house)
    by_name, published, settings = {chapter.name: chapter for chapter in house}, published_settings(house), settings_by_variant(study)
    trained, beside, put_right = trained_on(study), independent_of(house), corrections_of(house)
    found: list[tuple[Claim, bool, Evidence]] = []
    for claim in results.claims:
        judgeable = (claim.experiment, claim.dataset) in trained
        evidence = judge(claim, results, by_name[claim.chapter]) if judgeable else Evidence(Judgement(NOT_RUN, _why_not(claim, trained)))
        found.append((claim, judgeable, evidence))
    p_holm, family = holm_by_source(found)
    rows = []
    for claim, judgeable, evidence in found:
        used = [] if evidence.runs is None else list(dict.fromkeys(zip(evidence.runs.experiment, evidence.runs.variant, strict=True)))
        notes = dict.fromkeys(note for key in used for note in deviations(settings.get(key, {}), published.get(key[0])))
        declared = bool(used) and all(key[0] in published and published[key[0]].settings for key in used)
        p = p_holm.get(claim.id, math.nan)
        final = corrected(evidence.judgement, p, claim, evidence.ours, family[claim.source])
        row = _row(claim, replace(evidence, judgement=final), p, "; ".join(notes))
        row |= {"put_right": as_put_right(claim, evidence, put_right.get(claim.id), p_holm, found)}
        row |= _beside(beside.get(claim.id, []))
        row |= {"chapter": claim.chapter, "judgeable": judgeable, "shorter": evidence.shorter, "declared": declared, "kind": claim.kind}
        rows.append(row)
    rows.sort(key=lambda row: (not row["judgeable"], row["dataset"] != study.dataset.name))
    return pd.DataFrame(rows).astype({"reported_n": "Int64", "reported_parameters": "Int64"})


def holm_by_source(found: Iterable[tuple[Claim, bool, Evidence]]) -> tuple[dict[str, float], Counter[str]]:
    """Corrected p by claim, and how many direct comparisons each source has: the family that they are corrected over."""
    of_source: dict[str, dict[str, float]] = {}
    for claim, _, evidence in found:
        difference = evidence.judgement.difference
        if evidence.judgement.verdict in DIRECT and difference is not None and not math.isnan(difference.p):
            of_source.setdefault(claim.source, {})[claim.id] = difference.p
    family = Counter({source: len(p) for source, p in of_source.items()})
    return {name: float(q) for p in of_source.values() for name, q in zip(p, holm(list(p.values())), strict=True)}, family


def as_put_right(
    claim: Claim,
    evidence: Evidence,
    correction: Correction | None,
    p_holm: Mapping[str, float],
    found: Iterable[tuple[Claim, bool, Evidence]],
) -> str:
    """The verdict on a published number as its own files have it, in words; nothing where it needs no correction."""
    if correction is None:
        return ""
    right = replace(claim, reported_mean=correction.mean, reported_sd=correction.sd)
    told = f"put right {correction.mean:g} ± {correction.sd:g}"
    if claim.id not in p_holm:
        return f"{told}; {correction.why}"
    new = replace(evidence, judgement=judge_value(right, evidence.ours))
    again, family = holm_by_source([(c, j, new if c.id == claim.id else e) for c, j, e in found])
    final = corrected(new.judgement, again[claim.id], right, evidence.ours, family[claim.source])
    return f"{told}: {final.verdict} ({final.why}); {correction.why}"


def sign_tests(scores: pd.DataFrame, least: int = 6) -> pd.DataFrame:
    """Where one quantity of a method is published in at least so many settings of one kind: in how many ours lies above, and p of the sign
    test.

    Columns: ``source method quantity kind above n p``. Fewer than six differences cannot reach p = 0.05.
    """
    of, rows = ["source", "method", "quantity", "kind"], []
    direct = scores[scores.verdict.isin(DIRECT) & scores.difference.notna()]
    for names, part in direct.groupby(of, sort=False):
        above, n, p = sign_test(part.difference)
        if n >= least:
            rows.append(dict(zip(of, names, strict=True)) | {"above": above, "n": n, "p": p})
    return pd.DataFrame(rows, columns=[*of, "above", "n", "p"])


def _beside(items: list[Independent]) -> dict[str, Any]:
    told = "; ".join(f"{item.says} ({item.source}, {item.location}; {item.provenance})" for item in items)
    means = [item.mean for item in items if item.mean is not None]
    return {"independent": told, "independent_mean": means[0] if means else math.nan}


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
    return Evidence(judge_value(claim, ours), ours, matched if ours.n else None, values=list(matched[claim.column].dropna()))


def _why_not(claim: Claim, trained: Iterable[tuple[str, str]]) -> str:
    datasets = sorted({dataset for _, dataset in trained})
    if claim.dataset not in datasets:
        return f"published for {claim.dataset}; this study trains on {', '.join(datasets) or 'nothing'}"
    return f"no experiment of this study judges {claim.method}"


def scorecard_markdown(scores: pd.DataFrame, study: Study, house: Iterable[Chapter]) -> str:
    """The scorecard for readers: how to read it, counts, then the claims by source and place."""
    house = list(house)
    sources = {name: title for chapter in house for name, title in chapter.sources.items()}
    reading = "".join(f"{chapter.reading} " for chapter in house if chapter.reading and chapter.name in set(scores.chapter))
    counts = Counter(scores.verdict)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    parts = [f"# Scorecard: {as_text(study.study.title)}"]
    if not scores.judgeable.any():
        parts.append(
            f"This study has no runs of a publication on its data (it trains on {as_text(study.dataset.name)}), so no published number "
            "is judged."
        )
        return "\n\n".join(parts) + "\n"
    wide = sum(is_wide(row) for row in scores.itertuples())
    told = f" Of the reproduced, {wide} have a *wide* interval." if wide else ""
    parts += [f"**{len(scores)} published numbers: {counted}.**{told}", RULE.format(reading=reading)]
    for (source, location, provenance), group in scores[scores.judgeable].groupby(["source", "location", "provenance"], sort=False):
        parts.append(f"## {source}, {location}\n\nSource: {sources.get(source, source)} (provenance: {provenance}).")
        tested = sign_tests(group)
        tested["of"] = tested.quantity.str.removesuffix("_percent").str.replace("_", " ")
        parts[-1] += "".join(
            f" Sign test: ours lies above in {row.above} of {row.n} ({row.of}{', ' if row.kind else ''}{row.kind}), {p_told(row.p)}."
            for row in tested.itertuples()
        )
        run = group[(group.n > 0) | (group.deviations != "")]
        notes = set(run.deviations)
        shared = notes.pop() if len(notes) == 1 else None
        if shared:
            parts[-1] += f" Deviations of our protocol from the published one: {shared}."
        elif shared is not None and run.declared.all():  # without published settings there is nothing to differ from
            parts[-1] += " Our settings are the published ones."
        parts.append(markdown(_readable(group, study.dataset.name, with_deviations=shared is None and bool(notes))))
    rest = scores[~scores.judgeable]
    if len(rest):
        parts.append(f"## Not run\n\nNo experiment of this study judges these {len(rest)} claims.")
        parts.append(markdown(_unjudged(rest)))
    return "\n\n".join(parts) + "\n"


def _row(claim: Claim, evidence: Evidence, p_holm: float, notes: str) -> dict[str, Any]:
    difference = evidence.judgement.difference or Difference(math.nan, math.nan, math.nan)
    few = 1 < len(evidence.values) < FEW
    low, high = bootstrap(evidence.values) if few else (math.nan, math.nan)
    above = improvement(evidence.values, [claim.reported_mean]) if few and claim.reported_mean is not None else math.nan
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
        "bootstrap_low": low,
        "bootstrap_high": high,
        "share_above": above,
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "p": difference.p,
        "p_holm": p_holm,
        "verdict": evidence.judgement.verdict,
        "why": evidence.judgement.why,
        "settles": evidence.judgement.settles,
        "deviations": notes,
    }


def _readable(group: pd.DataFrame, dataset: str, with_deviations: bool) -> pd.DataFrame:
    rows, told = [], {name for name in ("independent", "put_right", "settles") if (group[name] != "").any()}
    for row in group.itertuples():
        cells = {
            "Claim": _name(row) if row.dataset == dataset else f"{row.dataset}, {row.method.replace('_', ' ')}, {_name(row)}",
            "Published (sd as printed)": _published(row),
            "Ours [95 % interval]": _ours(row),
            "Difference [95 % interval]": with_interval(row.difference, row.difference_low, row.difference_high, row.quantity, signed=True),
            "p (Holm)": p_value(row.p_holm),
            "Verdict": verdict_cell(row),
            "Why": row.why,
        }
        cells |= {"What would settle it": row.settles or NOTHING} if "settles" in told else {}
        cells |= {"Put right": row.put_right or NOTHING} if "put_right" in told else {}
        cells |= {"Independent": row.independent or NOTHING} if "independent" in told else {}
        rows.append(cells | ({"Deviations": row.deviations or "none"} if with_deviations else {}))
    return pd.DataFrame(rows)


def _ours(row: Any) -> str:
    """Our mean with both intervals; runs that all have one value are said to."""
    if not row.n:
        return NOTHING
    if row.n > 1 and row.sd_ddof1 < SAME:
        return f"{format_number(row.mean, row.quantity)} ({row.n} runs with the same value)"
    text = with_interval(row.mean, row.ci95_low, row.ci95_high, row.quantity)
    if not np.isnan(row.bootstrap_low):
        text += f"; bootstrap [{format_number(row.bootstrap_low, row.quantity)}, {format_number(row.bootstrap_high, row.quantity)}]"
    spread = "" if math.isnan(row.sd_ddof1) else f", sd {format_number(row.sd_ddof1, row.quantity)}"
    above = "" if np.isnan(row.share_above) else f", {row.share_above * row.n:g} above"
    return f"{text}{spread}, n = {row.n}{above}"


def _unjudged(scores: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Claim": [f"{row.method}, {_name(row)}" for row in scores.itertuples()],
            "Data set": scores.dataset.to_list(),
            "Published (sd as printed)": [_published(row) for row in scores.itertuples()],
            "Where": [f"{row.source}, {row.location} ({row.provenance})" for row in scores.itertuples()],
        }
    )


def _name(row: Any) -> str:
    quantity = row.quantity.removesuffix("_below").removesuffix("_about").removesuffix("_percent").replace("_", " ")
    unit = " (%)" if "_percent" in row.quantity else ""
    return f"{row.setting}: {quantity}{unit}" if row.setting else f"{quantity}{unit}"


def _published(row: Any) -> str:
    bound = "below " if row.quantity.endswith("_below") else ""
    spread = "" if pd.isna(row.reported_sd) else f" ± {row.reported_sd:g}"
    return f"{bound}{row.reported}{spread}" + ("" if pd.isna(row.reported_n) else f", n = {row.reported_n}")
