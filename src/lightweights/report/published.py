"""Published settings, read from the published.yaml of each chapter, and where a run's settings differ from them.

A list of entries, each for some experiments: ``settings`` by dotted path; ``like``, an experiment whose settings it starts from; ``notes``,
sentences told where all of ``when`` is so and nothing of ``unless``, with settings in braces.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lightweights.errors import LightweightsError
from lightweights.report.chapter import Chapter


class PublishedError(LightweightsError):
    """Published settings that cannot be used; names the file and what is wrong with it."""


class Note(BaseModel):
    """A sentence about our protocol."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: str
    when: dict[str, Any] = {}
    unless: dict[str, Any] = {}

    def holds(self, settings: Mapping[str, Any]) -> bool:
        """Whether it is so of a run; a setting that the run has not counts as null."""
        met = all(settings.get(path) == value for path, value in self.when.items())
        return met and not any(settings.get(path) == value for path, value in self.unless.items())

    def of(self, settings: Mapping[str, Any]) -> str:
        """The sentence of a run."""
        return re.sub(r"\{([\w.]+)\}", lambda found: str(settings.get(found[1])), self.says)


class Published(BaseModel):
    """The published settings of some experiments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiments: tuple[str, ...] = Field(min_length=1)
    like: str | None = None
    settings: dict[str, Any] = {}
    notes: tuple[Note, ...] = ()


def published_settings(chapters: Iterable[Chapter]) -> dict[str, Published]:
    """The published settings by experiment, of all chapters. Raises PublishedError naming the file."""
    found: dict[str, Published] = {}
    for chapter in chapters:
        path = chapter.folder / "published.yaml"
        for entry in _read(path) if path.is_file() else []:
            if entry.like is not None:
                if entry.like not in found:
                    raise PublishedError(f"{path}: like: {entry.like} is no experiment that stands before it")
                entry = entry.model_copy(update={"settings": found[entry.like].settings | entry.settings})
            found |= dict.fromkeys(entry.experiments, entry)
    return found


def deviations(settings: Mapping[str, Any], published: Published | None) -> list[str]:
    """Where a run's flat settings differ from the published ones, in words; none where nothing is published."""
    if published is None:
        return []
    notes = [note.of(settings) for note in published.notes if note.holds(settings)]
    differ = [(path, value) for path, value in published.settings.items() if path in settings and settings[path] != value]
    return notes + [f"{path} = {settings[path]}, not {value}" for path, value in differ]


def _read(path: Path) -> list[Published]:
    try:
        return [Published.model_validate(entry) for entry in yaml.safe_load(path.read_text()) or []]
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise PublishedError(f"{path}: {error}") from None
