"""Tables, scorecard and pages against the runs that they were drawn from: whatever is edited is named."""

from pathlib import Path

import pytest
from synthetic import fabricate, small_study
from test_house import own_chapter

from lightweights.report import chapter as chapter_module
from lightweights.report.drawn import check_drawn
from lightweights.report.make import collect_study, draw
from lightweights.study.findings import Findings

FIGURES = "from matplotlib.figure import Figure\n\ndef mine(results):\n    return Figure()\n"
INIT = """
from lightweights.report.chapter import Chapter, Shown

TABLES = {"mine": Shown("Mine", "All", ("classical",))}
FIGURES = {"mine": Shown("Mine", "All", ("classical",))}
CHAPTER = Chapter(title="Mine", question="Is it mine?", sources={"me": "my notes"}, tables=TABLES, figures=FIGURES)
"""
PARTS = ("tables/mine", "figures/mine", "mine", "RESULTS", "scorecard")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own_chapter(tmp_path / "chapters/mine", {"__init__.py": INIT, "figures.py": FIGURES})
    monkeypatch.chdir(tmp_path)
    study = small_study(dataset="digits")
    fabricate(study, Path("results"))
    folder = Path("results/made-up")
    (folder / "settings").mkdir(parents=True, exist_ok=True)
    (folder / "settings/study.json").write_text(study.to_json())
    collect_study(folder / "settings/study.json", partial=False)
    draw(folder / "settings/study.json", PARTS)
    yield folder
    chapter_module._chapters.cache_clear()


def found() -> Findings:
    findings = Findings()
    check_drawn("made-up", findings)
    return findings


@pytest.mark.whole
def test_what_was_drawn_from_the_runs_is_as_it_should_be(folder: Path):
    findings = found()
    assert not findings.wrong and not findings.absent
    assert findings.checked == {"files of tables and pages": 10, "figures by their rows": 1}


@pytest.mark.parametrize(
    "name",
    [
        "mine.md",
        "RESULTS.md",
        "scorecard.md",
        "scorecard.csv",
        "scorecard.html",
        *(f"tables/mine.{kind}" for kind in ("csv", "md", "tex", "html")),
    ],
)
def test_one_digit_that_was_edited_is_named_with_its_line(folder: Path, name: str):
    path = folder / name
    lines = path.read_text().splitlines(keepends=True)
    number, line = next((number, line) for number, line in reversed(list(enumerate(lines, 1))) if any(digit.isdigit() for digit in line))
    first_or_last = min if path.suffix == ".csv" or name.startswith("tables") else max  # the last ones of numbers in full are rounding
    place = first_or_last(index for index, letter in enumerate(line) if letter.isdigit())
    lines[number - 1] = f"{line[:place]}{(int(line[place]) + 5) % 10}{line[place + 1 :]}"
    path.write_text("".join(lines))
    (told,) = found().wrong
    assert told.startswith(f"{path}: line {number} is not what drawing it from runs.csv gives")


def test_a_last_digit_that_another_processor_rounds_otherwise_is_no_finding(folder: Path):
    path = folder / "tables/mine.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    rows[1][1] = repr(float(rows[1][1]) * (1 + 1e-14))
    path.write_text("\n".join(map(",".join, rows)) + "\n")
    assert not found().wrong


@pytest.mark.parametrize("ending", ["", "x", "\n\n"])
def test_what_was_cut_or_added_is_named(folder: Path, ending: str):
    path = folder / "tables/mine.csv"
    path.write_text(path.read_text() + ending if ending else "\n".join(path.read_text().splitlines()[:-1]) + "\n")
    assert [told.split(":")[0] for told in found().wrong] == [str(path)]


def test_a_figure_that_was_drawn_from_other_rows_is_named(folder: Path):
    path = folder / "figures/mine.json"
    digest = path.read_text().partition('"runs_sha256": "')[2][:8]
    path.write_text(path.read_text().replace(digest, "00000000"))
    assert [told.split(":")[0] for told in found().wrong] == [str(path)]


def test_tables_that_have_fallen_behind_the_runs_are_named(folder: Path):
    runs = folder / "runs.csv"
    rows = runs.read_text().splitlines()
    place = rows[0].split(",").index("train_accuracy_percent")
    rows[1] = ",".join(value if index != place else "12.5" for index, value in enumerate(rows[1].split(",")))
    runs.write_text("\n".join(rows) + "\n")
    assert {Path(told.split(":")[0]).name for told in found().wrong} >= {"mine.csv", "mine.json"}
