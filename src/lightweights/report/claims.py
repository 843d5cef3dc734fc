"""Published numbers, read from the claims.csv of each chapter, and which of our runs judge each of them."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lightweights.errors import LightweightsError
from lightweights.report.chapter import Chapter
from lightweights.report.measures import plain
from lightweights.report.statistics import Summary, from_numbers, sample_sd
from lightweights.settings.data_sets import taken_for

NEAR = 0.01
"""Share by which a number that a claim asks for with ``~`` may be missed: sizes cannot always be hit exactly."""
_TEXTS = ("id", "source", "location", "provenance", "method", "dataset", "setting", "quantity", "experiment", "where")
_MAY_BE_EMPTY = ("setting", "experiment", "where")
_CONDITION = re.compile(r"([\w.]+)([=~])([^\s;]+)")


class ClaimsError(LightweightsError):
    """A table of published numbers that cannot be used; names the file, the row and what would be right."""


@dataclass(frozen=True)
class Claim:
    """One published number, with where it stands. Numbers that the source does not give are None.

    ``setting`` says in the source's words what it is about; ``experiment`` and ``where`` which of our runs judge it: conditions on
    columns of runs.csv, ``bond_dim=4``, or ``parameters_trained_used~1365`` for the nearest runs. ``ddof`` is 0 where the published
    sd is known to be of the population.
    """

    id: str
    source: str
    location: str
    provenance: str
    method: str
    dataset: str
    setting: str
    quantity: str
    reported: str
    reported_mean: float | None
    reported_sd: float | None
    reported_n: int | None
    reported_parameters: int | None
    ddof: int = 1
    experiment: str = ""
    where: str = ""
    chapter: str = ""

    @property
    def conditions(self) -> list[tuple[str, str, str]]:
        """Column, ``=`` or ``~``, and value of each condition."""
        return [(found[1], found[2], found[3]) for found in _CONDITION.finditer(self.where)]

    def at(self, column: str) -> float | None:
        """The number that the claim asks of a column, if it asks for one."""
        return next((float(value) for name, _, value in self.conditions if name == column), None)

    @property
    def kind(self) -> str:
        """What the claim asks for by a word, such as an optimiser. Claims that differ in it are no settings of one thing."""
        return ", ".join(value for _, relation, value in self.conditions if relation == "=" and value[0].isalpha())

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Lower and upper end of a claim of the form "6 to 12"."""
        low, between, high = self.reported.partition(" to ")
        return (float(low), float(high)) if between else None

    @property
    def column(self) -> str:
        """Column of runs.csv that the quantity has; on test images, that of the data set's first test set, which is the publication's."""
        quantity, first = plain(self.quantity), taken_for(self.dataset).tests[0]
        if quantity == "generalisation_error":
            return f"{first}_{quantity}"
        return f"{first}_{quantity.removeprefix('test_')}" if quantity.startswith("test_") else quantity

    @property
    def sd(self) -> float | None:
        """The published sd with ddof = 1: converted where it is known to be of the population; None where n is unknown."""
        if self.reported_sd is None or self.reported_n is None or self.reported_n < 2:
            return None
        return self.reported_sd if self.ddof else sample_sd(self.reported_sd, self.reported_n)

    @property
    def summary(self) -> Summary | None:
        """Mean, sd (ddof = 1), n and 95 % interval as published; None where the source does not give enough."""
        if self.reported_mean is None or self.sd is None or self.reported_n is None:
            return None
        return from_numbers(self.reported_mean, self.sd, self.reported_n)


COLUMNS = [name for name in Claim.__dataclass_fields__ if name not in ("reported", "chapter")]
"""Of claims.csv."""


def claims_of(chapters: Iterable[Chapter]) -> tuple[Claim, ...]:
    """The claims of all chapters in their order. Raises ClaimsError for an id that stands there twice and a source that none explains."""
    found: dict[str, Claim] = {}
    chapters = tuple(chapters)
    sources = {name for chapter in chapters for name in chapter.sources}
    for chapter in chapters:
        path = chapter.folder / "claims.csv"
        for claim in read_claims(path, chapter.name) if path.is_file() else []:
            if claim.id in found:
                raise ClaimsError(f"{path}: id {claim.id!r} stands in {found[claim.id].chapter}, too; ids must differ")
            if claim.source not in sources:
                raise ClaimsError(f"{path}: {claim.id} is from {claim.source!r}, which no CHAPTER.sources explains")
            found[claim.id] = claim
    return tuple(found.values())


def read_claims(path: Path, chapter: str = "") -> list[Claim]:
    """All claims in the order of the file; raises ClaimsError naming row and column."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ClaimsError(f"{path}: cannot be read ({error})") from None
    if names != COLUMNS:
        raise ClaimsError(f"{path}: columns are {names}; expected {COLUMNS}")
    claims = [_claim(row, f"{path}, row {number}", chapter) for number, row in enumerate(rows, start=2)]
    ids = [claim.id for claim in claims]
    if len(set(ids)) != len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise ClaimsError(f"{path}: id {twice!r} stands there twice; ids must differ")
    return claims


def published(claims: Iterable[Claim], method: str, quantity: str, dataset: str) -> list[Claim]:
    """The claims about one quantity of a method that give a number."""
    return [c for c in claims if (c.method, c.quantity, c.dataset) == (method, quantity, dataset) and c.reported_mean is not None]


def matching_runs(claim: Claim, runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that a claim is judged by, possibly none: those of its experiment on its data set that meet its conditions."""
    found = runs[(runs.experiment == claim.experiment) & (runs.dataset == claim.dataset)]
    for column, relation, value in claim.conditions:
        if column not in found:
            return found.iloc[:0]
        found = _nearest(found, column, float(value)) if relation == "~" else found[_equal(found[column], value)]
    return found


def _equal(column: pd.Series, value: str) -> pd.Series:
    numeric = pd.api.types.is_numeric_dtype(column)
    return (column == float(value) if numeric else column.astype(str) == value).fillna(False).astype(bool)


def _nearest(runs: pd.DataFrame, column: str, value: float) -> pd.DataFrame:
    distance = (runs[column].astype(float) - value).abs()
    return runs[(distance == distance.min()) & (distance <= NEAR * value)]


def _claim(row: dict[str, str], where: str, chapter: str) -> Claim:
    def number(column: str, kind: type[int] | type[float]) -> int | float | None:
        try:
            return kind(row[column]) if row[column] else None
        except ValueError:
            raise ClaimsError(f"{where}: {column} is {row[column]!r}; expected a number or nothing") from None

    if None in row or None in row.values():
        raise ClaimsError(f"{where}: has another number of fields than the header")
    texts = {name: row[name] for name in _TEXTS}
    empty = [name for name, text in texts.items() if not text and name not in _MAY_BE_EMPTY]
    if empty:
        raise ClaimsError(f"{where}: {empty[0]} is empty")
    if row["ddof"] not in ("0", "1", ""):
        raise ClaimsError(f"{where}: ddof is {row['ddof']!r}; expected 0 (sd of the population), 1 or nothing")
    if _CONDITION.sub("", row["where"]).strip(" ;"):
        raise ClaimsError(f"{where}: where is {row['where']!r}; expected column=value or column~number, divided by semicolons")
    try:
        mean = float(row["reported_mean"])
    except ValueError:
        mean = None
    return Claim(
        **texts,
        reported=row["reported_mean"],
        reported_mean=mean,
        reported_sd=number("reported_sd", float),
        reported_n=number("reported_n", int),
        reported_parameters=number("reported_parameters", int),
        ddof=int(row["ddof"] or 1),
        chapter=chapter,
    )
