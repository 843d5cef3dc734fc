"""The house: chapters are found, keep their contract and stand alone; the engine knows none of them; arrows point one way."""

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml
from houses import ROOT, call, new_house
from results_made import CHAPTERS, CLAIMS, made
from synthetic import fabricate, small_study

from lightweights.report import chapter as chapter_module
from lightweights.report.chapter import ChapterError, chapter_at, chapter_of, chapters
from lightweights.report.claims import COLUMNS
from lightweights.report.contract import check_chapter
from lightweights.report.drawn import check_texts
from lightweights.report.make import DrawError, collect_study, draw, read_results, results_of
from lightweights.report.measures import MEASURES, Measure, format_number
from lightweights.report.published import PublishedError, deviations, published_settings
from lightweights.report.results import with_settings
from lightweights.report.scorecard import scorecard_markdown
from lightweights.report.words import chapter_page
from lightweights.settings.baselines import Baseline
from lightweights.settings.chapters import experiments_of
from lightweights.settings.study import parse_study
from lightweights.study.collect import collect
from lightweights.study.findings import Findings

CLASSICAL = {"classical": {"method": "classical", "seeds": [0, 1, 2]}}
SOURCE = ROOT / "src/lightweights"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}
HEAVY = "{'torch', 'pandas', 'matplotlib', 'scipy'}"

INIT = """
from lightweights.report.chapter import Chapter, Shown

TABLES = {"mine": Shown("Mine", "All", ("classical",))}
CHAPTER = Chapter(title="Mine", question="Is it mine?", sources={"me": "my notes"}, tables=TABLES)
"""
TABLES = """
from lightweights.report.table import Table

def mine(results):
    runs = results.of("classical")[["seed", "train_accuracy_percent"]]
    return Table("mine", "My runs.", runs, runs.astype(str))
"""
FACTS = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Facts:
    count: int

def facts(results):
    return Facts(len(results.of("classical")))
"""
PAGE = '{% extends "chapter.md.j2" %}{% block answer %}There are {{ facts.count }}.{% endblock %}'
CLAIM = ",".join(COLUMNS) + "\nmine.a,me,p. 1,text,net,digits,,test_accuracy_percent,60,2,5,,,classical,\n"


def own_chapter(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """A chapter of one's own; ``changes`` replace the text of files."""
    folder.mkdir(parents=True)
    files = {"__init__.py": INIT, "tables.py": TABLES, "facts.py": FACTS, "page.md.j2": PAGE, "claims.csv": CLAIM}
    for name, text in (files | (changes or {})).items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def fresh():
    """Chapters of other folders are forgotten after each test."""
    yield
    chapter_module._chapters.cache_clear()


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chapter_keeps_the_contract(name: str):
    assert len(list(check_chapter(ROOT / "chapters" / name))) == 5


def test_a_chapter_of_ones_own_is_checked_wherever_it_lies(tmp_path: Path):
    lines = list(check_chapter(own_chapter(tmp_path / "elsewhere/mine")))
    assert "mine: 1 tables, 0 figures and 0 measured files have their functions" in lines and "mine: 1 claims can be judged" in lines


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tables.py": "import json\n"}, r"tables.py has no function mine, which CHAPTER names"),
        ({"tables.py": TABLES + "import chapters.noise\n"}, "imports chapters.noise"),
        ({"claims.csv": CLAIM.replace("test_accuracy_percent", "joy")}, "mine.a: 'joy' is no known measure, and no function of judges.py"),
        ({"page.md.j2": PAGE.replace("facts.count", "facts.number")}, r"page.md.j2: .*has no attribute 'number'"),
        ({"facts.py": "def facts(results):\n    return {}\n"}, "facts.results. is no dataclass"),
        ({"__init__.py": "import pandas\n" + INIT}, "imports pandas"),
        ({"__init__.py": "CHAPTER = 1\n"}, "has no CHAPTER"),
        ({"__init__.py": "import nothing_there\n"}, "cannot be imported"),
        ({"__init__.py": INIT.replace("Chapter(title", "Chapter(order=3, title")}, "CHAPTER says order = 3; experiments.yaml says it"),
    ],
)
def test_what_breaks_the_contract_is_named(tmp_path: Path, changes: dict[str, str], message: str):
    folder = own_chapter(tmp_path / "mine", changes)
    with pytest.raises(ChapterError, match=message):
        list(check_chapter(folder))


def test_a_claim_from_a_source_that_nobody_explains_is_named(tmp_path: Path):
    from lightweights.report.claims import ClaimsError

    folder = own_chapter(tmp_path / "mine")
    (folder / "claims.csv").write_text(CLAIM.replace(",me,", ",them,"))
    with pytest.raises(ClaimsError, match=r"mine.a is from 'them', which no CHAPTER.sources explains"):
        list(check_chapter(folder))


def test_a_folder_is_all_that_a_new_paper_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Found from the working folder, its table, page and verdict made like all others."""
    own_chapter(tmp_path / "chapters/mine")
    monkeypatch.chdir(tmp_path)
    assert [chapter.name for chapter in chapters()] == ["mine"]
    study = small_study(dataset="digits")
    fabricate(study, Path("results"))
    (tmp_path / "results/made-up/settings").mkdir(parents=True)
    (tmp_path / "results/made-up/settings/study.json").write_text(study.to_json())
    settings = Path("results/made-up/settings/study.json")
    collect_study(settings, partial=False)
    draw(settings, ["tables/mine", "mine", "RESULTS", "scorecard"])
    assert "There are 3." in Path("results/made-up/mine.md").read_text()
    front = " ".join(Path("results/made-up/RESULTS.md").read_text().split())
    assert "| Is it mine? | There are 3. | 1 of 1 judged: 1 higher" in front
    assert "mine.a,me" in Path("results/made-up/scorecard.csv").read_text()
    with pytest.raises(
        DrawError, match=r"2 of 3 could not be made: tables/nothing: tables: there is no 'nothing'; there are .*mine; other: "
    ):
        draw(settings, ["tables/nothing", "tables/mine", "other"])


@pytest.mark.whole
def test_a_figure_that_fails_is_named_leaves_the_others_and_is_all_that_the_next_run_needs(tmp_path: Path):
    """By Snakemake, in a clone of landed runs."""
    figures = "def bad(results):\n    raise ValueError('no such thing')\n"
    init = INIT.replace("tables=TABLES", 'tables=TABLES, figures={"bad": Shown("Bad", "Nothing", ("classical",))}')
    house = new_house(tmp_path / "house", {"study": {"name": "made-up"}, "dataset": {"name": "digits"}, "experiments": CLASSICAL})
    shutil.rmtree(house / "chapters", ignore_errors=True)
    own_chapter(house / "chapters/mine", {"figures.py": figures, "__init__.py": init})
    fabricate(parse_study(yaml.safe_load((house / "params.yaml").read_text())), house / "results")
    told = call(house, "snakemake", "--cores", "1", "summary", "--config", "partial=true", ok=False)
    assert "1 of 3 could not be made: figures/bad: no such thing" in told
    assert (house / "results/made-up/tables/mine.md").is_file() and (house / "results/made-up/RESULTS.md").is_file()
    (house / "chapters/mine/figures.py").write_text("from matplotlib.figure import Figure\n\ndef bad(results):\n    return Figure()\n")
    call(house, "snakemake", "--cores", "1", "summary", "--config", "partial=true")
    assert (house / "results/made-up/figures/bad.svg").is_file()
    assert "Nothing to be done" in call(house, "snakemake", "-n", "summary", "--config", "partial=true")


def test_a_table_that_ends_the_program_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own_chapter(tmp_path / "chapters/mine", {"tables.py": "import sys\n\ndef mine(results):\n    sys.exit(0)\n"})
    monkeypatch.chdir(tmp_path)
    study = small_study(dataset="digits")
    fabricate(study, Path("results"))
    settings = Path("results/made-up/settings/study.json")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(study.to_json())
    collect_study(settings, partial=False)
    with pytest.raises(DrawError, match=r"1 of 1 could not be made: tables/mine: it ends the program \(sys.exit\(0\)\)"):
        draw(settings, ["tables/mine"])
    findings = Findings()
    check_texts("tables/mine", read_results(settings), findings)
    assert len(findings.wrong) == 1 and "it cannot be drawn (it ends the program" in findings.wrong[0]


def test_two_chapters_cannot_have_a_table_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("mine", "yours"):
        own_chapter(tmp_path / "chapters" / name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ChapterError, match="both have 'mine' among their tables; rename one"):
        chapters()


@pytest.mark.parametrize(
    ("folder", "data"), [("scorecard", ""), ("results", ""), ("experiments", ""), ("mine", "runs.csv"), ("mine", "scorecard.csv")]
)
def test_no_chapter_writes_what_every_study_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, data: str):
    init = INIT.replace("tables=TABLES", f'tables=TABLES, data={{"{data}": ("classical",)}}') if data else INIT
    own_chapter(tmp_path / "chapters" / folder, {"__init__.py": init})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ChapterError, match=f"{data or folder}' is the name of what every study has in its folder; choose another"):
        chapters()


def test_unknown_names_are_answered_with_what_there_is():
    with pytest.raises(ChapterError, match=r"figures: there is no 'nois'; there are .*training_curves, .*pqkd_calibration"):
        chapter_of("figures", "nois")


@pytest.mark.parametrize("program", ["import lightweights.report.chapter as c; c.chapters()", "from lightweights.cli import app"])
def test_the_workflow_and_the_command_line_start_without_anything_heavy(program: str):
    code = f"import sys; {program}; assert not {HEAVY} & set(sys.modules), sorted({HEAVY} & set(sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT, cwd=ROOT)


def test_modules_of_a_chapter_may_import_each_other_whole(tmp_path: Path):
    """`from . import module` asks for the package above, which is none of those that sys.path knows."""
    mine = tmp_path / "elsewhere/chapters/mine"
    mine.mkdir(parents=True)
    (mine / "tables.py").write_text("from . import arms\n")
    (mine / "arms.py").write_text("ARMS = 3\n")
    program = f"""
from pathlib import Path
from lightweights.settings.chapters import module_of
print(module_of(Path({str(mine)!r}), "tables").arms.ARMS)
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], check=True, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "3\n"


@pytest.mark.whole
def test_chapters_are_importable_from_any_folder(tmp_path: Path):
    code = "from lightweights.report.chapter import chapters; print([c.module('tables').__name__ for c in chapters()])"
    told = subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True).stdout
    assert "'chapters.quantum_train.tables', 'chapters.ablation.tables'" in told


@pytest.mark.whole
def test_nothing_in_the_engine_names_a_paper_an_experiment_or_a_claim():
    """The library names the sources of what it computes; its own words are names of experiments, too."""
    experiments = set(yaml.safe_load((ROOT / "params.yaml").read_text()).get("experiments") or {})
    experiments |= {name for chapter in CHAPTERS.values() for name in (*chapter.experiments, *experiments_of(chapter.folder))}
    general = {"classical", "quantum_train", "protocols", "cobyla", "meshes", "circuits"}
    general |= {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(Baseline)[0])}
    names = {*experiments, *(claim.id for claim in CLAIMS), "pqkd", *(name for chapter in CHAPTERS.values() for name in chapter.sources)}
    for room in ("report", "study", "methods", "settings", "cli.py"):
        for path in (SOURCE / room).rglob("*") if (SOURCE / room).is_dir() else [SOURCE / room]:
            if path.suffix in (".py", ".j2", ".html"):
                text = re.sub(r"docs/\w+\.md", "", path.read_text()).lower()
                assert {name for name in names - general if re.search(rf"\b{re.escape(name.lower())}\b", text)} == set(), path
                if room == "report":
                    assert not re.search(rf"[\"'`](?:{'|'.join(map(re.escape, sorted(general - {'circuits'})))})[\"'`]", text), path


def imported_by(path: Path, inside: bool = False) -> set[str]:
    """Modules of this package and of chapters that a file imports at its top, or with ``inside`` anywhere in it."""
    found = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if inside else tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{name.name}" for name in node.names}
            found |= (named & set(modules())) or {node.module}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {name for name in found if name.startswith(("lightweights", "chapters"))}


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of the package, the front door aside, which names others by their names alone."""
    paths = (path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")
    return {".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


FLOORS = {"settings": 0, "errors": 0, "files": 0, "methods": 2, "study": 3, "report": 4, "cli": 5, "loading": 5}
"""From the ground up; all rooms that are not named are the library, on floor 1."""


def floor(module: str) -> int:
    return FLOORS.get(module.split(".")[1].partition("_")[0], 1)


def test_every_arrow_points_down_and_no_chapter_knows_another():
    """Imports within functions count too."""
    known = modules()
    for name, path in known.items():
        found = imported_by(path, inside=True)
        assert not {other for other in found if other.startswith("chapters")}, path
        assert not {other for other in found & set(known) if floor(other) > floor(name)}, path
    for path in (ROOT / "chapters").rglob("*.py"):
        assert not {name for name in imported_by(path, inside=True) if name.startswith("chapters")}, path


def test_nothing_imports_in_a_circle():
    """Imports within functions, and for types alone, count too."""
    paths = modules()
    known = {name: (imported_by(path, inside=True) & set(paths)) - {name} for name, path in paths.items()}
    done: set[str] = set()
    while left := set(known) - done:
        free = {name for name in left if known[name] <= done}
        assert free, f"a circle among {sorted(left)}"
        done |= free


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_inits_of_chapters_import_nothing_heavy(name: str):
    code = f"import sys, chapters.{name}; assert not {HEAVY} & set(sys.modules), sorted({HEAVY} & set(sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, cwd=ROOT)


def test_files_are_short_and_no_room_is_over_a_quarter_of_the_source():
    rooms: dict[str, int] = {}
    for path in (*SOURCE.rglob("*.py"), *(ROOT / "chapters").rglob("*.py")):
        lines, part = len(path.read_text().splitlines()), path.relative_to(ROOT).parts
        assert lines <= 350, path
        if part[0] == "src":
            rooms[part[2]] = rooms.get(part[2], 0) + lines
    assert max(rooms.values()) <= sum(rooms.values()) / 4, max(rooms, key=rooms.__getitem__)


def test_every_setting_is_a_column_whether_it_varies_or_not(tmp_path: Path):
    study = small_study()
    fabricate(study, tmp_path)
    runs = collect(study, tmp_path)
    told = with_settings(runs, study)
    assert "mapping.init_std" not in runs and set(told["mapping.init_std"].dropna()) == {1e-9}
    assert told[told.experiment == "classical"]["photonics.mesh"].isna().all()
    assert list(told.columns[: len(runs.columns)]) == list(runs.columns)


def test_results_read_histories_and_details_only_where_asked(tmp_path: Path):
    study = small_study()
    fabricate(study, tmp_path)
    results = made(collect(study, tmp_path), study, tmp_path)
    assert set(results.of("classical", "protocols").experiment) == {"classical", "protocols"}
    assert set(results.history(results.of("classical")).experiment) == {"classical"}
    assert results.details(results.of("classical").iloc[0])["parameters"]["target"] == 6690


def test_a_chapters_own_measure_is_written_as_it_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lightweights.report.measures.MEASURES", list(MEASURES))
    from lightweights.report.measures import add_measures

    assert format_number(0.98765, "test_furlongs") == "0.99"
    add_measures([Measure("_furlongs", "furlongs", decimals=4)])
    assert format_number(0.98765, "test_furlongs") == "0.9877"


@pytest.mark.parametrize(
    ("published", "told"),
    [
        (None, False),
        ("- experiments: [classical]\n  notes: [{says: another device, when: {network.name: none}}]\n", False),
        ("- experiments: [classical]\n  settings: {network.name: cnn}\n", True),
        ("- experiments: [classical]\n  settings: {network.name: another}\n", False),
    ],
)
def test_settings_are_called_the_published_ones_only_where_such_were_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: str | None, told: bool
):
    own_chapter(tmp_path / "chapters/mine", {} if published is None else {"published.yaml": published})
    monkeypatch.chdir(tmp_path)
    study = small_study(dataset="digits")
    fabricate(study, tmp_path)
    results = results_of(with_settings(collect(study, tmp_path), study), study)
    text = scorecard_markdown(results.scores, study, chapters())
    assert "1 higher" in text
    assert ("Our settings are the published ones." in text) == told


@pytest.mark.parametrize("exploratory", [False, True])
def test_only_a_chapter_that_says_so_is_told_to_be_exploratory(tmp_path: Path, exploratory: bool):
    init = INIT.replace("CHAPTER = Chapter(", f"CHAPTER = Chapter(exploratory={exploratory}, ")
    chapter = chapter_at(own_chapter(tmp_path / "mine", {"__init__.py": init}))
    study = small_study(dataset="digits")
    fabricate(study, tmp_path)
    page = chapter_page(chapter, results_of(with_settings(collect(study, tmp_path), study), study))
    assert ("is exploratory" in page) == exploratory
    assert ("was fixed before the runs" in page) != exploratory


def test_published_settings_may_start_from_those_of_another_and_say_notes_where_they_hold(tmp_path: Path):
    folder = own_chapter(tmp_path / "mine")
    (folder / "published.yaml").write_text(
        "- experiments: [a]\n  settings: {schedule.rounds: 200}\n"
        "- experiments: [b]\n  like: a\n  notes:\n    - {says: '{schedule.epochs} epochs', when: {x: 1}, unless: {schedule.epochs: null}}\n"
    )
    of = published_settings([chapter_at(folder)])
    assert deviations({"schedule.rounds": 60, "x": 1, "schedule.epochs": 3}, of["b"]) == ["3 epochs", "schedule.rounds = 60, not 200"]
    assert deviations({"schedule.rounds": 200, "x": 1}, of["b"]) == []
    (folder / "published.yaml").write_text("- experiments: [b]\n  like: z\n")
    with pytest.raises(PublishedError, match="like: z is no experiment that stands before it"):
        published_settings([chapter_at(folder)])
