"""Every "mean ± sd" and "mean [low, high]" of the pages, and every p of their tables, found again among what the runs can give.

What a page states must be one row of tests/possible.py, to the decimals printed and with the n told beside it; with one digit altered it
must nearly always be none. That it is the row of the right group, in the right direction, is left to test_numbers.py and
test_numbers_of_chapters.py.
"""

import re

import numpy as np
import pandas as pd
import pytest
from possible import HIGH, LOW, MEAN, PAPER, SD, N, P, Possible, of_chapter
from scipy import stats

CHAPTERS = sorted(path.stem for path in PAPER.glob("*.md") if path.stem not in ("RESULTS", "scorecard"))
CAUGHT = 0.9
"""The least share of altered statements that must not be found: by accident a few are another row's."""
NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?"
STATEMENT = re.compile(
    rf"(?P<mean>{NUMBER})(?: ± (?P<sd>{NUMBER}))?(?: \[(?P<low>{NUMBER}), (?P<high>{NUMBER})\])?"
    rf"(?:; bootstrap \[[^]]*\])?(?:, sd (?P<spread>{NUMBER}))?"
    rf"(?:(?: points| nats| %)?,? \(?n = (?P<n>\d+))?(?:, p = (?P<p>{NUMBER}))?"
)
COLUMN = {"n": N, "mean": MEAN, "sd": SD, "spread": SD, "low": LOW, "high": HIGH, "p": P}
NOT_OF_RUNS = "measured without training|variance ratio"
"""Rows of the scorecard on laws of shot noise, with the standard errors of laws.csv. The only other numbers of these forms that are not
computed again are the scorecard's intervals by bootstrap, which decide nothing.
"""
PUBLISHED = "points from the published one"
MARGINS = {
    "ablation": {"percent": 0.5},
    "distillation": {"percent": 0.3},
    "distributed_qlstm": {"r2": 0.01},
    "adapters": {"nats": 0.02, "percent": 1.0},
}
"""Within which two arms are equivalent, by what is measured: docs/analysis_plan.md."""
Stated = dict[str, str]
pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(not (PAPER / "runs.csv").is_file(), reason="the study's results are not here"),
]


def page(name: str) -> str:
    return re.sub(r" {2,}", " ", (PAPER / f"{name}.md").read_text(encoding="utf-8"))


def statements(text: str) -> list[Stated]:
    found = [{name: value for name, value in match.groupdict().items() if value} for match in STATEMENT.finditer(text)]
    return [stated for stated in found if {"sd", "low"} & set(stated)]


def claims(chapter: str) -> pd.DataFrame:
    return pd.read_csv(f"chapters/{chapter}/claims.csv", dtype=str)


def decimals(text: str) -> int:
    return len(text.partition(".")[2])


def among(rows: np.ndarray, stated: Stated) -> np.ndarray:
    """The rows with all numbers of a statement."""
    told = {COLUMN[name]: (float(text.replace(",", "")), 0.501 * 10.0 ** -decimals(text)) for name, text in stated.items()}
    mean, half = told[MEAN]
    rows = rows[slice(*np.searchsorted(rows[:, MEAN], [mean - half, mean + half]))]
    return rows[np.all([np.abs(rows[:, column] - value) <= half for column, (value, half) in told.items()], axis=0)]


def possible(stated: Stated, could: Possible, scorecard: bool) -> bool:
    """A plus sign is that of a difference; a mean ± sd without sign or interval is none."""
    sign = stated["mean"][0]
    tables = [could.single] * (sign != "+") + [could.difference] * (sign in "+-" or "low" in stated) + [could.elsewhere] * scorecard
    return any(len(among(rows, stated)) for rows in tables)


def altered(stated: Stated) -> list[Stated]:
    """The statement with the last digit of one of its numbers raised or lowered."""
    found = []
    for name, text in stated.items():
        value, places, sign = float(text.replace(",", "")), decimals(text), "+" if text.startswith("+") else ""
        found += [stated | {name: f"{value + step * 10.0**-places:{sign}.{places}f}"} for step in (1, -1) if name != "n"]
    return found


def check(told: list[tuple[Stated, list[Possible]]], scorecard: bool = False) -> None:
    """Every statement is found in one of its chapters, and few are with a digit altered."""

    def found(stated: Stated, chapters: list[Possible]) -> bool:
        return any(possible(stated, could, scorecard) for could in chapters)

    assert told
    assert [stated for stated, chapters in told if not found(stated, chapters)] == []
    caught = [not found(wrong, chapters) for stated, chapters in told for wrong in altered(stated)]
    assert np.mean(caught) >= CAUGHT


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_mean_and_interval_of_a_chapters_page(chapter: str) -> None:
    lines, could = page(chapter).splitlines(), [of_chapter(chapter)]
    for beside in (False, True):  # what is held against a published number on the page itself
        own = statements("\n".join(line for line in lines if (PUBLISHED in line) == beside))
        if own or not beside:
            check([(stated, could) for stated in own], scorecard=beside)
    told = statements(page(chapter))
    for name, form in (("sd", rf"\d ± {NUMBER}"), ("low", rf"\[{NUMBER}, {NUMBER}\]")):  # nothing of that form was passed over
        assert len(re.findall(form, page(chapter))) == sum(name in stated for stated in told)


def test_every_mean_and_interval_of_the_first_page() -> None:
    """They stand on the chapters' pages."""
    there = [stated | {"n": ""} for chapter in CHAPTERS for stated in statements(page(chapter))]
    assert [stated for stated in statements(page("RESULTS")) if stated | {"n": ""} not in there] == []


def test_every_mean_and_interval_of_the_scorecard() -> None:
    """A section is of one place in one source, which chapters have claims of."""
    told = []
    for section in page("scorecard").split("\n## ")[1:]:
        heading, *lines = section.splitlines()
        chapters = [of_chapter(chapter) for chapter in CHAPTERS if heading in set(claims(chapter).source + ", " + claims(chapter).location)]
        told += [(stated, chapters) for line in lines if not re.search(NOT_OF_RUNS, line) for stated in statements(line)]
    check(told, scorecard=True)


def holm(p: pd.Series) -> pd.Series:
    """Corrected p: the least times their number, the next times one less, and so on, never falling and at most 1."""
    p = p.sort_values()
    return (p * np.arange(len(p), 0, -1)).cummax().clip(upper=1)


def compare(column: pd.Series, expected: pd.Series) -> None:
    pd.testing.assert_series_equal(column, expected.reindex(column.index), check_names=False, rtol=2e-3, atol=1e-9)


def in_words(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def rows_with(rows: np.ndarray, columns: list[int], table: pd.DataFrame) -> pd.DataFrame:
    """For each row of a table, whose first number is a mean, the row of the runs that has its numbers to five digits."""
    found = []
    for numbers in table.to_numpy(dtype=float):
        near = rows[np.abs(rows[:, MEAN] - numbers[0]) <= 2e-5 * abs(numbers[0]) + 1e-8]
        found.append(near[np.isclose(near[:, columns], numbers, rtol=2e-5, atol=1e-8).all(axis=1)])
    assert all(map(len, found)), table[[not len(same) for same in found]]
    return pd.DataFrame([same[0] for same in found], index=table.index)


def equivalence(differences: pd.DataFrame, margins: pd.Series) -> pd.Series:
    """The larger p of the two one-sided t tests that a difference lies within its margin."""
    error, freedom = differences[SD] / differences[N] ** 0.5, differences[N] - 1
    return pd.Series(stats.t.sf((margins - differences[MEAN].abs()) / error, freedom), differences.index)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_p_of_a_chapters_tables(chapter: str) -> None:
    """Raw and of equivalence, and each after Holm's correction over a table, or over a task where tasks have measures of their own; and the
    pairs of them that the page has.
    """
    printed = []
    rows = np.concatenate([of_chapter(chapter).difference, of_chapter(chapter).elsewhere])
    for name in sorted(set(re.findall(r"\(tables/(\w+)\.md\)", page(chapter)))):
        table = pd.read_csv(PAPER / f"tables/{name}.csv")
        for prefix in [column.removesuffix("p") for column in table if re.search("(^|_)p$", column)]:
            own = table.dropna(subset=f"{prefix}p")
            found = rows_with(rows, [MEAN, N, LOW, HIGH], own[[prefix + column for column in ("mean", "n", "ci95_low", "ci95_high")]])
            recomputed = {"p": found[P]}
            if f"{prefix}p_equivalence" in own:
                recomputed["p_equivalence"] = equivalence(found, own.quantity.str.rpartition("_")[2].map(MARGINS[chapter]))
            for column, values in recomputed.items():
                compare(own[prefix + column], values)
                if f"{prefix}{column}_holm" in own:
                    corrected = own[f"{prefix}{column}_holm"].dropna()
                    family = own.task if chapter == "adapters" else own[f"{prefix}p"] * 0
                    compare(corrected, values[corrected.index].groupby(family, group_keys=False).apply(holm))
            if {f"{prefix}p_holm", f"{prefix}p_equivalence"} <= set(own):
                both = own.get(f"{prefix}p_equivalence_holm", own[f"{prefix}p_equivalence"])
                printed += zip(own[f"{prefix}mean"], own[f"{prefix}p_holm"].map(in_words), both.map(in_words), strict=True)
    told = re.findall(rf"({NUMBER}) \[[^]|]*\][^|]*\| (< 0\.001|\d\.\d+); (< 0\.001|\d\.\d+) \|", page(chapter))
    for mean, *p in told:
        assert any(abs(value - float(mean)) < 0.0051 and p == own for value, *own in printed), (mean, p)


def test_every_p_of_the_scorecard() -> None:
    """Raw, of the difference to what is published, and after Holm's correction over the direct comparisons of a source."""
    scores = pd.read_csv(PAPER / "scorecard.csv").dropna(subset="p")
    for chapter in CHAPTERS:
        own = scores[scores.claim.isin(claims(chapter).id)]
        if len(own):
            differences = own[["difference", "difference_low", "difference_high"]]
            compare(own.p, rows_with(of_chapter(chapter).elsewhere, [MEAN, LOW, HIGH], differences)[P])
    corrected = scores.p_holm.dropna()
    compare(corrected, scores.p[corrected.index].groupby(scores.source, group_keys=False).apply(holm))
