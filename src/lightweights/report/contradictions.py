"""Contradictions within the published sources, read from the contradictions.csv of each chapter: who says what, and the arithmetic."""

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from lightweights.report.chapter import Chapter, chapters
from lightweights.report.claims import ClaimsError
from lightweights.report.table import markdown

INCONSISTENT = "inconsistent"
"""The verdict."""


@dataclass(frozen=True)
class Contradiction:
    """Two statements about one thing that cannot both hold, each with its source and place, and why."""

    id: str
    about: str
    first_source: str
    first_location: str
    first_says: str
    second_source: str
    second_location: str
    second_says: str
    arithmetic: str


def contradictions_of(house: Iterable[Chapter]) -> list[Contradiction]:
    """Those of some chapters in their order. One may cite what is a source of another."""
    house = tuple(house)
    sources = list(dict.fromkeys(name for chapter in (*house, *chapters()) for name in chapter.sources))
    files = [path for chapter in house if (path := chapter.folder / "contradictions.csv").is_file()]
    return [item for path in files for item in read_contradictions(path, sources)]


def read_contradictions(path: Path, sources: Collection[str]) -> list[Contradiction]:
    """All of them in the order of the file; raises ClaimsError naming the row and what is wrong with it."""
    names = [field.name for field in fields(Contradiction)]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ClaimsError(f"{path}: cannot be read ({error})") from None
    if list(reader.fieldnames or []) != names:
        raise ClaimsError(f"{path}: columns are {reader.fieldnames}; expected {names}")
    for number, row in enumerate(rows, start=2):
        if None in row or any(not value for value in row.values()):
            raise ClaimsError(f"{path}, row {number}: every one of {len(names)} fields must be filled")
        for source in (row["first_source"], row["second_source"]):
            if source not in sources:
                raise ClaimsError(f"{path}, row {number}: source {source!r}; there are {', '.join(sources)}")
    return [Contradiction(**row) for row in rows]


def contradiction_rows(found: list[Contradiction]) -> pd.DataFrame:
    """Contradictions within the sources as rows of the scorecard: the two statements, the arithmetic, and the verdict."""
    return pd.DataFrame(
        {
            "claim": item.id,
            "source": f"{item.first_source}; {item.second_source}",
            "location": f"{item.first_location}; {item.second_location}",
            "quantity": item.about,
            "reported": f"{item.first_says}; {item.second_says}",
            "verdict": INCONSISTENT,
            "why": item.arithmetic,
        }
        for item in found
    )


def contradictions_markdown(found: list[Contradiction]) -> str:
    """The contradictions for readers."""
    table = pd.DataFrame(
        {
            "About": item.about,
            "One says": f"{item.first_source}, {item.first_location}: {item.first_says}",
            "Another says": f"{item.second_source}, {item.second_location}: {item.second_says}",
            "Arithmetic": item.arithmetic,
            "Verdict": f"**{INCONSISTENT}**",
        }
        for item in found
    )
    head = f"## Contradictions within the sources\n\n{len(found)} pairs of statements do not fit each other, whatever we find."
    return f"{head}\n\n{markdown(table)}\n"
