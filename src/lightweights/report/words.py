"""Words of a study: the page of each chapter and the first page, from facts by templates. Numbers are written here, sentences there.

A chapter's ``page.md.j2`` extends ``chapter.md.j2`` of this folder. Its blocks: ``answer``, one or two sentences; ``plain``, one sentence
for readers who know none of the words; ``headline``, a table for the first page; ``found``, all else; ``seeds``, those of
the answer, where they are not those of its published numbers. Undefined names are errors.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from lightweights.files import read_json
from lightweights.report.chapter import Chapter
from lightweights.report.comparisons import listed, outcomes, p_value, signed_interval, signed_summary
from lightweights.report.experiments import Experiments, chapters_for, items_of, speaking, speaks_for
from lightweights.report.html import as_text
from lightweights.report.measures import FEWEST, NOTHING, format_number, no_interval, plain, set_name, with_interval
from lightweights.report.results import Results
from lightweights.report.statistics import SAME, Difference, Summary, span
from lightweights.report.table import from_three, markdown, short_cell, signed_from_three, summary_cell
from lightweights.report.verdicts import NOT_RUN, REPRODUCED, VERDICTS, is_wide, on_several, verdict_cell
from lightweights.settings.study import Study
from lightweights.study.collect import lacks_model
from lightweights.study.layout import folder_of_row

_BLOCKS = ("plain", "answer", "headline", "seeds")
FIGURES_IN_FRONT = 4
OWN_IN_FRONT = 8
"""Own experiments whose tables stand on the first page; the others have them on their own page."""
VERDICT_WORDS = {
    "reproduced": "our mean lies within the tolerance of the analysis plan, or the interval of the difference says as much",
    "reproduced, wide": "the same, but the interval does not exclude luck",
    "higher, lower": "it does not, and chance does not explain it, corrected for the number of comparisons",
    "holds": "of a published bound, range or order: the intervals lie wholly within",
    "fails": "of the same: an interval lies wholly outside; not corrected for the number of comparisons, unless the reason says so",
    "open": "the interval is too wide to say, or the difference does not survive that correction",
    "too few runs": "fewer than three seeds",
    "not comparable": "what was measured is not what was published",
}
WIDEST = 100
"""Characters of a cell; the columns of tables with longer ones do not stand below each other in the text."""


def chapter_page(chapter: Chapter, results: Results) -> str:
    """The page of a chapter. Two pages are equal where runs and settings are, whatever else happened."""
    return _tidy(_template(chapter).render(_context(chapter, results)))


def leading(study: Study) -> set[str]:
    """Experiments whose own tables lead the first page: those of no chapter, or of one whose publication this study cannot judge."""
    names = {chapter.name for chapter in speaking(study)}
    return {name for name, experiment in study.experiments.items() if experiment.chapter not in names}


def front_page(results: Results, contradictions: int) -> str:
    """RESULTS.md: the answers, how sure, and where to read on."""
    there, study = set(results.runs.experiment), results.study
    house = [chapter for chapter in chapters_for(study) if there & chapter.experiments]
    own = next((chapter for chapter in house if isinstance(chapter, Experiments)), None)
    first = leading(study)
    parts = [_part(chapter, results) for chapter in house if chapter is not own and speaks_for(chapter, study)]
    figures = [
        (c.cover, c.figures[c.cover].shows) for c in house if c.cover in items_of(c, "figures", study, there) and speaks_for(c, study)
    ]
    text = (
        _environment()
        .get_template("results.md.j2")
        .render(
            study=study,
            own=[told for told in (own.module("facts").facts(results).experiments if own else ()) if told.name in first],
            shown=OWN_IN_FRONT,
            parts=parts,
            others=[chapter for chapter in house if chapter is not own and not speaks_for(chapter, study)],
            figures=figures[:FIGURES_IN_FRONT],
            verdicts=VERDICT_WORDS,
            contradictions=contradictions,
            rule=any(judged(results.scores)),
            landed=len(results.runs),
            models=models(results),
            asked=len(study.runs()),
            missing=missing(results),
            left_out=left_out(results),
            cost=cost(results),
        )
    )
    return _tidy(text)


def missing(results: Results) -> dict[str, int]:
    """Experiments that the settings ask for, and how many of their runs are not there."""
    asked, landed = Counter(run.experiment for run in results.study.runs()), Counter(results.runs.experiment)
    return {name: count - landed[name] for name, count in asked.items() if landed[name] < count}


def left_out(results: Results) -> dict[str, str]:
    """Experiments of the publications' own chapters that the settings give fewer seeds than are planned: how many of how many. None in a
    study that asks for a part on purpose: it names its experiments, or most have no seeds.
    """
    if results.study.study.only is not None:
        return {}
    names = {chapter.name for chapter in speaking(results.study)}
    own = {name: experiment for name, experiment in results.study.experiments.items() if experiment.chapter in names}
    found = {name: f"{len(one.seeds)} of {one.planned}" for name, one in own.items() if one.planned and len(one.seeds) < one.planned}
    return found if 2 * sum(not one.seeds for one in own.values()) < len(own) else {}


def models(results: Results) -> tuple[int, int]:
    """How many of the runs have their trained model, and how many trained a network and were landed without it."""
    having = lacking = 0
    for run in results.runs[["experiment", "variant", "seed"]].itertuples(index=False):
        try:
            metrics = read_json(folder_of_row(results.study.study.name, run, results.root) / "metrics.json")
            having += bool((metrics.get("model") or {}).get("numbers"))
            lacking += lacks_model(metrics)
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return having, lacking


def cost(results: Results) -> dict[str, Any]:
    """Hours of the runs by chapter (or experiment, where it belongs to none), in all, and the machines."""
    runs, experiments = results.runs, results.study.experiments
    parts = runs.experiment.map({name: experiment.chapter or name for name, experiment in experiments.items()})
    rows = [(str(part).replace("_", " "), len(group), group.wall_seconds.sum() / 3600) for part, group in runs.groupby(parts, sort=False)]
    devices = sorted({f"{row.device} ({row.threads} thread(s))" for row in runs.itertuples()})
    return {"parts": rows, "hours": runs.wall_seconds.sum() / 3600, "devices": devices}


def judged(scores: pd.DataFrame) -> list[Any]:
    """The rows of the scorecard that have a verdict."""
    return list(scores[scores.verdict != NOT_RUN].itertuples())


def verdicts_of(scores: pd.DataFrame) -> str:
    """How many claims have which verdict, in words."""
    rows = judged(scores)
    if not rows:
        return "nothing at the published schedule" if scores.shorter.any() else "nothing judged yet"
    counts, wide = Counter(row.verdict for row in rows), sum(is_wide(row) for row in rows)
    extra = {REPRODUCED: f" ({wide} wide)"} if wide else {}
    return ", ".join(f"{counts[verdict]} {verdict}{extra.get(verdict, '')}" for verdict in VERDICTS if counts[verdict])


def in_words(row: Any, words: dict[str, str], rows: Iterable[Any] = ()) -> str:
    """What a row of the scorecard is about; with its data set where the same stands among ``rows`` of another."""
    name, equals, value = row.setting.partition("=")
    setting = f"{name.replace('bond_dim', 'bond dimension').replace('_', ' ')} {value}" if equals else row.setting
    quantity = plain(row.quantity).removesuffix("_percent").replace("_points", " (points)").replace("_", " ")
    dataset = row.dataset if on_several(row, rows) else ""
    return ", ".join(part for part in (dataset, words.get(row.method, row.method.replace("_", " ")), setting, quantity) if part)


def _part(chapter: Chapter, results: Results) -> dict[str, Any]:
    """What the first page says of a chapter."""
    context, template = _context(chapter, results), _template(chapter)
    blocks = {name: template.blocks.get(name) for name in _BLOCKS}
    inner = template.new_context(context)
    for _ in template.root_render_func(inner):  # macros and names that stand outside of the blocks
        pass
    told = {name: "" if block is None else "".join(block(inner)).strip() for name, block in blocks.items()}
    return {key: context[key] for key in ("chapter", "verdicts", "scores", "judged")} | told | {"seeds": told["seeds"] or context["seeds"]}


def _context(chapter: Chapter, results: Results) -> dict[str, Any]:
    there, facts = set(results.runs.experiment), chapter.module("facts")
    speaks, scores = speaks_for(chapter, results.study), results.scores
    scores = scores[(scores.chapter == chapter.name) & speaks] if len(scores) else scores
    own = results.of(*chapter.experiments)
    sizes = own.groupby(["experiment", "variant"]).size()
    rows = judged(scores)
    return {
        "chapter": chapter,
        "speaks": speaks,
        "study": results.study,
        "facts": None if facts is None else facts.facts(results),
        "scores": list(scores.itertuples()),
        "judged": rows,
        "verdicts": verdicts_of(scores) if len(scores) else "",
        "seeds": span(int(row.n) for row in rows if row.n) if any(row.n for row in rows) else span(sizes) if len(sizes) else NOTHING,
        "shorter": bool(len(scores)) and bool(scores.shorter.any()),
        "tables": items_of(chapter, "tables", results.study, there),
        "figures": items_of(chapter, "figures", results.study, there),
        "deviations": _deviations(rows, dict(chapter.words)),
        "told": lambda row: in_words(row, dict(chapter.words), rows),
    }


def _deviations(rows: Iterable[Any], words: dict[str, str]) -> dict[str, list[str]]:
    """Where our protocol differs from the published ones, by method, and for how many of its numbers where not for all."""
    found, numbers = dict[str, Counter[str]](), Counter[str]()
    for row in rows:
        name = words.get(row.method, row.method.replace("_", " "))
        numbers[name] += 1
        if row.deviations:
            found.setdefault(name, Counter()).update(row.deviations.split("; "))
    return {
        name: [note if count == numbers[name] else f"{note} ({count} of {numbers[name]} numbers)" for note, count in notes.items()]
        for name, notes in found.items()
    }


def _signed(value: Any, quantity: str | None = None) -> str:
    """A difference with its sign and interval: of a summary, a difference, or a row of a table of differences."""
    if isinstance(value, Summary):
        if value.one_value:
            return f"{'+' if value.mean > 0 else ''}{format_number(value.mean, quantity or '')} ({value.n} pairs with the same difference)"
        return signed_summary(value, quantity or "")
    if isinstance(value, Difference):
        return with_interval(value.value, value.low, value.high, quantity or "", signed=True)
    return signed_interval(pd.Series(value._asdict()), quantity or value.quantity)


def own_interval(row: Any) -> str:
    """Our mean of a row of the scorecard with its interval; runs that all have one value are said to, as their interval has no width."""
    if row.n > 1 and row.sd_ddof1 < SAME:
        return f"{format_number(row.mean, row.quantity)} ({row.n} runs with the same value)"
    if 1 < row.n < FEWEST:
        return f"{format_number(row.mean, row.quantity)} {no_interval(row.n)}"
    return with_interval(row.mean, row.ci95_low, row.ci95_high, row.quantity)


def _template(chapter: Chapter) -> jinja2.Template:
    own = (chapter.folder / "page.md.j2").is_file()
    return _environment(chapter.folder).get_template("page.md.j2" if own else "chapter.md.j2")


@cache
def _environment(folder: Path | None = None) -> jinja2.Environment:
    here = str(resources.files("lightweights.report"))
    loader = jinja2.FileSystemLoader([str(folder), here] if folder else [here])
    made = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    made.filters |= {
        "as_text": as_text,
        "number": format_number,
        "cell": short_cell,
        "whole": lambda summary, quantity: summary_cell(summary, quantity).replace("\n", " "),
        "signed": _signed,
        "from_three": lambda summary, quantity: from_three(summary, quantity).replace("\n", " "),
        "signed_from_three": signed_from_three,
        "p": p_value,
        "outcomes": outcomes,
        "listed": lambda items: listed([str(item) for item in items]) if items else "none",
        "span": lambda counts: span(counts),
        "set_name": set_name,
        "verdict": verdict_cell,
        "interval": own_interval,
    }
    return made


def _tidy(text: str) -> str:
    """Markdown with at most one blank line between parts, and tables whose columns stand below each other."""
    lines, table = [], list[str]()
    for line in [*text.splitlines(), ""]:
        line = re.sub(r"(?<=\S) +", " ", line.rstrip())
        if line.lstrip().startswith("|"):
            table.append(line.strip())
            continue
        if table:
            lines += _aligned(table)
            table = []
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _aligned(table: list[str]) -> list[str]:
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]
    head, rows = cells[0], [row for row in cells[1:] if not all(set(cell) <= set("-:") and cell for cell in row)]
    if max(len(cell) for row in cells for cell in row) > WIDEST:
        return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]
    rows = [[cell.replace("\\|", "|") for cell in row] for row in rows]
    return markdown(pd.DataFrame(rows, columns=head)).splitlines()
