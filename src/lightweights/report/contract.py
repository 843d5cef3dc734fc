"""The contract of a chapter: what it names is there, what it claims can be judged, and its page can be written without any run.

Usable on a chapter of one's own: ``lightweights check chapters/mine``.
"""

import ast
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path

import jinja2
import pandas as pd

from lightweights.report.beside import corrections_of, independent_of
from lightweights.report.chapter import Chapter, ChapterError, Shown, chapter_at, chapters
from lightweights.report.claims import claims_of
from lightweights.report.contradictions import contradictions_of
from lightweights.report.measures import known
from lightweights.report.published import published_settings
from lightweights.report.results import Results, with_settings
from lightweights.report.scorecard import scorecard
from lightweights.report.words import chapter_page
from lightweights.settings.study import Study, parse_study
from lightweights.study.collect import collect

HEAVY = ("torch", "pandas", "numpy", "matplotlib", "scipy")
"""What an ``__init__`` must not import: the workflow asks every chapter at its start."""


def check_chapter(folder: Path) -> Iterator[str]:
    """Check a chapter; yields a line for each part that is right. Raises ChapterError naming the file and what is wrong."""
    chapter = chapter_at(folder)
    others = [other for other in chapters() if other.folder.resolve() != folder.resolve()]
    for test in (light, own_modules_only, named_functions, judged_claims, published_pages):
        yield f"{chapter.name}: {test(chapter, others)}"


def light(chapter: Chapter, _: list[Chapter]) -> str:
    """``__init__`` imports nothing heavy."""
    path = chapter.folder / "__init__.py"
    for module in _imports(path):
        if module.partition(".")[0] in HEAVY:
            raise ChapterError(f"{path} imports {module}; import it where it is used")
    return "__init__ imports nothing heavy"


def own_modules_only(chapter: Chapter, _: list[Chapter]) -> str:
    """No module imports another chapter."""
    for path in sorted(chapter.folder.glob("*.py")):
        for module in _imports(path):
            if module.partition(".")[0] == "chapters" and not module.startswith(f"chapters.{chapter.name}"):
                raise ChapterError(f"{path} imports {module}; what two chapters need belongs to lightweights.report")
    return "imports no other chapter"


def named_functions(chapter: Chapter, others: list[Chapter]) -> str:
    """Tables, figures and data have functions; what they read is measured by some chapter; the cover is one of the figures."""
    for kind in ("tables", "figures"):
        for name, item in getattr(chapter, kind).items():
            if not isinstance(item, Shown):
                raise ChapterError(f"{chapter.folder}: {kind}[{name!r}] is no Shown")
            chapter.function(kind, name)
            measured = {file for other in (chapter, *others) for file in other.data}
            if unknown := set(item.reads) - measured:
                raise ChapterError(f"{chapter.folder}: {kind}[{name!r}] reads {', '.join(unknown)}, which no chapter measures")
    for name in chapter.data:
        chapter.function(Path(name).stem, "measure")
    if chapter.cover and chapter.cover not in chapter.figures:
        raise ChapterError(f"{chapter.folder}: cover {chapter.cover!r} is none of its figures")
    return f"{len(chapter.tables)} tables, {len(chapter.figures)} figures and {len(chapter.data)} measured files have their functions"


def judged_claims(chapter: Chapter, others: list[Chapter]) -> str:
    """Each claim has a measure or a judge of its own; a judge judges some claim; contradictions and published settings can be read."""
    house = tuple(sorted((*others, chapter), key=lambda one: (one.order, one.name)))
    own = [claim for claim in claims_of(house) if claim.chapter == chapter.name]
    judges = chapter.module("judges")
    for claim in own:
        if not known(claim.quantity) and not hasattr(judges, claim.quantity):
            raise ChapterError(
                f"{chapter.folder / 'claims.csv'}: {claim.id}: {claim.quantity!r} is no known measure, and no function of judges.py"
            )
    contradictions_of(house)
    told = {claim.id for claim in claims_of(house)}
    if unknown := sorted({*independent_of(house), *corrections_of(house)} - told):
        raise ChapterError(f"{chapter.folder}: independent.csv or corrections.csv names {unknown[0]!r}, which is no claim")
    published_settings(house)
    return f"{len(own)} claims can be judged"


def published_pages(chapter: Chapter, others: list[Chapter]) -> str:
    """Facts are a dataclass, and the page needs no other names, before any run has landed."""
    house = tuple(sorted((*others, chapter), key=lambda one: (one.order, one.name)))
    results = nothing_landed(parse_study({}), claims=claims_of(house), house=house)
    facts = chapter.module("facts")
    if facts is not None and not is_dataclass(facts.facts(results)):
        raise ChapterError(f"{chapter.folder / 'facts.py'}: facts(results) is no dataclass")
    try:
        chapter_page(chapter, results)
    except jinja2.TemplateError as error:
        raise ChapterError(f"{chapter.folder / 'page.md.j2'}: {error}") from error
    return "its page can be written"


def nothing_landed(study: Study, claims=(), house: tuple[Chapter, ...] | None = None) -> Results:
    """Results of a study of which nothing has landed."""
    runs: pd.DataFrame = with_settings(collect(study, Path("nowhere"), partial=True), study)
    return Results(study, runs, tuple(claims), lambda results: scorecard(results, house), Path("nowhere"))


def _imports(path: Path) -> Iterator[str]:
    """Modules that a file imports at its top, relative ones left out."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)
