"""The chapter of experiments that no other chapter speaks for, in the shape of any chapter: a table and a figure of each.

Chapters speak for their experiments where a study has them on the data that their numbers were published for, with networks and arms that
the publication can have had. All others are a user's own: what varied, how many runs, what they reached, how many numbers were trained.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from lightweights.report.chapter import Chapter, Shown, chapters, shown
from lightweights.report.claims import read_claims
from lightweights.settings.chapters import HOME
from lightweights.settings.runs import RunSettings
from lightweights.settings.study import Study

PREFIX = "experiment_"
"""Of the names of tables and figures: ``experiment_width_sweep``."""


@dataclass(frozen=True)
class Experiments(Chapter):
    """The chapter of a study's own experiments; its tables and figures are one function each, called with the name of an experiment."""

    def module(self, name: str) -> ModuleType | None:
        """A module of this folder."""
        return import_module(f"{__name__}.{name}") if find_spec(f"{__name__}.{name}") else None

    def function(self, module: str, name: str) -> Callable[..., Any]:
        """What draws the table or figure of an experiment."""
        return functools.partial(super().function(module, "of_experiment"), experiment=name.removeprefix(PREFIX))


def chapters_for(study: Study) -> tuple[Chapter, ...]:
    """The chapters that a study's pages are made of: that of its own experiments, where it has any, then all others by their order."""
    own = own_experiments(study)
    return (_chapter(own), *chapters()) if own else chapters()


@functools.cache
def _chapter(own: tuple[str, ...]) -> Experiments:
    items = {
        f"{PREFIX}{name}": Shown(_words(name), "What varied, how many runs, what they reached, numbers trained", (name,)) for name in own
    }
    drawn = {f"{PREFIX}{name}": Shown(_words(name), "What the runs reached against what varied", (name,)) for name in own}
    return Experiments(
        order=-1,
        title="Experiments of this study",
        question="What did the experiments of this study reach?",
        tables=items,
        figures=drawn,
        folder=Path(__file__).parent,
    )


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()


def own_experiments(study: Study) -> tuple[str, ...]:
    """The experiments of a study that no chapter speaks for, in their order."""
    asked = dict.fromkeys(run.experiment for run in study.runs())
    house = speaking(study)
    told = {name for chapter in house for name in chapter.experiments}
    papers = {chapter.name for chapter in house if published_for(chapter)}  # whose other experiments serve those that it shows
    return tuple(name for name in asked if name not in told and study.experiments[name].chapter not in papers)


def items_of(chapter: Chapter, kind: Literal["tables", "figures"], study: Study, there: Iterable[str]) -> dict[str, Shown]:
    """The tables or figures of a chapter that a study with these experiments has, by name; with what the publication calls them where the
    study has its data.
    """
    speaks, items = speaks_for(chapter, study), getattr(chapter, kind)
    found = {name: items[name] for name in shown(items, there) if speaks or not items[name].claims}
    return {
        name: replace(item, title=f"{item.title} ({item.published})") if speaks and item.published else item for name, item in found.items()
    }


def speaking(study: Study) -> list[Chapter]:
    """The chapters that speak for their experiments in this study, by their order."""
    return [chapter for chapter in chapters() if speaks_for(chapter, study)]


def speaks_for(chapter: Chapter, study: Study) -> bool:
    """Whether a chapter speaks for its experiments in this study: always where it has no published numbers, else where the study trains one
    of them on the data of such a number.
    """
    if isinstance(chapter, Experiments):
        return True
    published = published_for(chapter)
    return not published or any(name in chapter.experiments and data in published for name, data in trained_on(study))


def published_for(chapter: Chapter) -> set[str]:
    """The data sets that a chapter's published numbers are for."""
    path = chapter.folder / "claims.csv"
    return {claim.dataset for claim in read_claims(path)} if path.is_file() else set()


def trained_on(study: Study) -> set[tuple[str, str]]:
    """The experiments of a study that published numbers can be held against, each with the data sets that it trains on; one with networks
    or arms of the user's own is none.
    """
    variants = {(run.experiment, run.variant): run.settings for run in study.runs()}
    found = {(name, settings.dataset.name) for (name, _), settings in variants.items() if not is_own(settings)}
    asked = {name for name, _ in variants}
    return found | {(name, study.dataset.name) for name in set(study.experiments) - asked}


def is_own(settings: RunSettings) -> bool:
    """Whether the network or the arm of a run come from code of the user's own."""
    sections = vars(settings)  # those that it has, which is quicker than asking for those that it may not have
    network, photonics = sections.get("network"), sections.get("photonics")
    named = (network and network.name, photonics and photonics.arm)
    return any(":" in name and not name.startswith(f"{HOME.name}.") for name in named if name)
