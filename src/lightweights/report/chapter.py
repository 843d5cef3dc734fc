"""Chapters: one paper or question a folder, found and not listed.

A chapter's ``__init__`` holds ``CHAPTER`` and imports nothing heavy, so that the workflow can ask what there is. Functions are found by
name in the folder's modules and imported only when they are called:

- ``tables.<name>(results) -> Table | None``, ``figures.<name>(results) -> Figure``
- ``judges.<quantity>(claim, results) -> Evidence``, for claims that are no plain column of runs.csv
- ``<stem>.measure(study) -> DataFrame`` for each file of ``CHAPTER.data``
- ``facts.facts(results) -> dataclass``, the numbers of ``page.md.j2``
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from lightweights.errors import LightweightsError
from lightweights.report.measures import Measure, add_measures
from lightweights.settings.base import SettingsError
from lightweights.settings.chapters import house, module_of, order_of, package_of

TAKEN = ("results", "scorecard", "experiments", "runs", "means", "report")
"""What every study's folder can have files of by itself: no page of a chapter, and no file that it measures, can be called so."""


class ChapterError(LightweightsError):
    """A chapter that cannot be used; names the folder and what would be right."""


@dataclass(frozen=True)
class Shown:
    """A table or figure.

    Attributes:
        title: Short.
        shows: What it shows.
        needs: Experiments of which it needs at least one.
        reads: Files of the study that it reads.
        published: What the publication calls it, told where the study has the publication's data.
        claims: Whether it shows published numbers of all chapters, and so nothing where a study can judge none.
    """

    title: str
    shows: str
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    published: str = ""
    claims: bool = False


@dataclass(frozen=True)
class Chapter:
    """What a chapter is and shows.

    Attributes:
        question: What it asks, in one sentence.
        title: Short, for links.
        sources: Full titles of the sources that its claims name first, by short name.
        tables: Its tables by name.
        figures: Its figures by name.
        cover: The figure that stands on the study's first page.
        data: Files that are measured without runs, with the experiments of which each needs one: ``{"laws.csv": ("student",)}``.
        methods: Modules of kinds of run that the chapter brings.
        measures: Measures of its own.
        docs: The page of docs/ that says how it is modelled.
        reading: What one must know to read its published numbers, in a sentence or two for the scorecard.
        words: What methods of its claims are called in sentences.
        exploratory: Whether its comparisons were not in the analysis plan before its runs, which its page then says.
        folder: Where it lies; filled in where it is found.
        order: Place among the chapters, which ``experiments.yaml`` says; filled in where it is found.
    """

    question: str
    title: str
    sources: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Shown] = field(default_factory=dict)
    figures: Mapping[str, Shown] = field(default_factory=dict)
    cover: str = ""
    data: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    docs: str = ""
    reading: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    exploratory: bool = False
    folder: Path = Path()
    order: float = 0

    @property
    def name(self) -> str:
        """That of the folder."""
        return self.folder.name

    @property
    def experiments(self) -> set[str]:
        """Experiments that its tables and figures are made from."""
        return {name for shown in (*self.tables.values(), *self.figures.values()) for name in shown.needs}

    def module(self, name: str) -> ModuleType | None:
        """A module of the folder, imported now; None where there is no such file."""
        package = package_of(self.folder).__name__
        if name == "figures":
            import_module("lightweights.report.figure")  # which takes matplotlib without what the surroundings say of it
        return module_of(self.folder, name) if find_spec(f"{package}.{name}") else None

    def function(self, module: str, name: str):
        """A function of one of the modules. Raises ChapterError where it is not there."""
        found = getattr(self.module(module), name, None)
        if found is None:
            raise ChapterError(f"{self.folder / f'{module}.py'} has no function {name}, which CHAPTER names")
        return found


def chapters() -> tuple[Chapter, ...]:
    """All chapters, by their order; none where there is no clone. Raises ChapterError where two cannot stand beside each other."""
    return _chapters(house().resolve(), house())


@functools.cache
def _chapters(_: Path, folder: Path) -> tuple[Chapter, ...]:
    found = sorted(
        (chapter_at(path.parent) for path in sorted(folder.glob("*/__init__.py"))), key=lambda chapter: (chapter.order, chapter.name)
    )
    for chapter in found:
        for name in (chapter.name, *chapter.data):
            if Path(name).stem.lower() in TAKEN:
                raise ChapterError(f"{chapter.folder}: {name!r} is the name of what every study has in its folder; choose another")
    for kind in ("tables", "figures", "data"):
        seen: dict[str, Chapter] = {}
        for chapter in found:
            for name in getattr(chapter, kind):
                if name in seen:
                    raise ChapterError(f"{chapter.folder} and {seen[name].folder} both have {name!r} among their {kind}; rename one")
                seen[name] = chapter
    return tuple(found)


def chapter_at(folder: Path) -> Chapter:
    """The chapter in a folder, wherever it lies. Raises ChapterError where there is none."""
    if not (folder / "__init__.py").is_file():
        raise ChapterError(f"{folder} is no chapter: it has no __init__.py")
    try:
        made = getattr(package_of(folder), "CHAPTER", None)
    except SettingsError as error:
        raise ChapterError(str(error)) from error
    if not isinstance(made, Chapter):
        raise ChapterError(f"{folder / '__init__.py'} has no CHAPTER; docs/add_a_paper.md shows one")
    if made.order:
        raise ChapterError(f"{folder / '__init__.py'}: CHAPTER says order = {made.order}; experiments.yaml says it, and nothing else")
    add_measures(made.measures)
    return replace(made, folder=folder, order=order_of(folder))


def shown(catalogue: Mapping[str, Shown], experiments: Iterable[str]) -> list[str]:
    """Names of the tables or figures that have at least one of the experiments they need."""
    there = set(experiments)
    return [name for name, item in catalogue.items() if there & set(item.needs)]


def catalogue(kind: str, of: Iterable[Chapter] | None = None) -> dict[str, Shown]:
    """All ``tables`` or ``figures``, of all chapters (or those given) in their order."""
    return {name: item for chapter in (chapters() if of is None else of) for name, item in getattr(chapter, kind).items()}


def chapter_of(kind: str, name: str, of: Iterable[Chapter] | None = None) -> Chapter:
    """The chapter that a table, figure or file of data belongs to. Raises ChapterError listing what there is."""
    house = chapters() if of is None else tuple(of)
    for chapter in house:
        if name in getattr(chapter, kind):
            return chapter
    there = ", ".join(item for chapter in house for item in getattr(chapter, kind))
    raise ChapterError(f"{kind}: there is no {name!r}; there are {there or 'none'}")
