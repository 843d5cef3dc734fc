"""What stands beside published numbers: what others found who asked the same (``independent.csv`` of a chapter), and published numbers put
right where the publication's own files show that they were mixed up (``corrections.csv``).
"""

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from lightweights.report.chapter import Chapter
from lightweights.report.claims import ClaimsError


@dataclass(frozen=True)
class Independent:
    """What someone else found where a claim was published: in words, and as a number where it is of the claim's own quantity."""

    claim: str
    source: str
    location: str
    provenance: str
    says: str
    mean: float | None


@dataclass(frozen=True)
class Correction:
    """A published mean and sd put right, with the arithmetic."""

    claim: str
    mean: float
    sd: float
    why: str


def independent_of(chapters: Iterable[Chapter]) -> dict[str, list[Independent]]:
    """Independent numbers of all chapters by claim. Raises ClaimsError naming the row and what is wrong with it."""
    found: dict[str, list[Independent]] = {}
    chapters = tuple(chapters)
    sources = {name for chapter in chapters for name in chapter.sources}
    for chapter in chapters:
        path = chapter.folder / "independent.csv"
        for number, row in _rows(path, [field.name for field in fields(Independent)], {"mean"}):
            if row["source"] not in sources:
                raise ClaimsError(f"{path}, row {number}: source {row['source']!r}, which no CHAPTER.sources explains")
            mean = _number(row["mean"], path, number) if row["mean"] else None
            found.setdefault(row["claim"], []).append(Independent(**{**row, "mean": mean}))
    return found


def corrections_of(chapters: Iterable[Chapter]) -> dict[str, Correction]:
    """Corrections of all chapters by claim. Raises ClaimsError naming the row and what is wrong with it."""
    found: dict[str, Correction] = {}
    for chapter in chapters:
        path = chapter.folder / "corrections.csv"
        for number, row in _rows(path, [field.name for field in fields(Correction)], set()):
            mean, sd = (_number(row[name], path, number) for name in ("mean", "sd"))
            found[row["claim"]] = Correction(row["claim"], mean, sd, row["why"])
    return found


def _rows(path: Path, names: list[str], may_be_empty: Collection[str]) -> Iterable[tuple[int, dict[str, str]]]:
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if list(reader.fieldnames or []) != names:
        raise ClaimsError(f"{path}: columns are {reader.fieldnames}; expected {names}")
    for number, row in enumerate(rows, start=2):
        empty = [name for name in names if not row[name] and name not in may_be_empty]
        if None in row or empty:
            raise ClaimsError(f"{path}, row {number}: {empty[0] if empty else 'a field too many'}; expected {', '.join(names)}")
        yield number, row


def _number(text: str, path: Path, row: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise ClaimsError(f"{path}, row {row}: {text!r}; expected a number") from None
