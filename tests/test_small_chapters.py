"""From tiny runs to the tables, figures and pages of the small chapters: what is shown is what the runs wrote."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lightweights.datasets.loading import load
from lightweights.report.chapter import chapter_at
from lightweights.report.figure import render
from lightweights.report.make import results_of
from lightweights.report.results import Results, with_settings
from lightweights.report.words import chapter_page
from lightweights.settings.reading import with_chapters
from lightweights.settings.study import parse_study
from lightweights.study.collect import collect
from lightweights.study.execute import execute
from lightweights.study.layout import metrics_file

TINY = {
    "qsvm": {"qsvm_digits": {"seeds": [0, 1], "override": {"pair.images": 60}, "vary": {"pair.qubits": [2, 32]}}},
    "hamiltoniq": {
        "hamiltoniq_curves": {
            "seeds": [0, 1],
            "override": {"schedule.rounds": 6, "benchmark.qubits": 3, "benchmark.layers": 1},
            "vary": {"benchmark.optimiser": ["powell", "scipy"]},
        },
        "hamiltoniq_readout": {"seeds": [0], "override": {"schedule.rounds": 6}, "vary": {"benchmark.readout_error": [0.1]}},
    },
    "distributed_qaoa": {"maxcut_15": {"seeds": [0, 1], "override": {"maxcut.shots": 8, "maxcut.evaluations": 4}}},
    "partitioning": {
        "ebits": {"seeds": [0, 1], "override": {"cutting.qubits": 16}, "vary": {"cutting.family": ["qft"]}},
        "ebits_starts": {"seeds": [0, 1], "override": {"cutting.qubits": 16}, "vary": {"cutting.family": ["qft"]}},
    },
}


@pytest.fixture(scope="module", params=TINY)
def landed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Results]:
    """A chapter's name and results of a study of it alone."""
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    whole = with_chapters({"study": {"name": "tiny", "chapters": [name], "only": list(TINY[name])}})
    for experiment, change in TINY[name].items():
        one = whole["experiments"][experiment]
        whole["experiments"][experiment] = one | change | {"override": one["override"] | change["override"]}
        whole["experiments"][experiment].setdefault("vary", {})
    study = parse_study(whole)
    for run in study.runs():
        execute(run, load(run.settings.dataset), folder, threads=1, device="cpu", checkpoint_seconds=60)
    return name, results_of(with_settings(collect(study, folder), study), study, folder)


@pytest.mark.whole
def test_tables_figures_and_page_can_be_made(landed: tuple[str, Results]) -> None:
    name, results = landed
    chapter = chapter_at(Path("chapters") / name)
    for table in chapter.tables:
        made = chapter.function("tables", table)(results)
        assert (made is None) == (table == "splitting")
        assert made is None or len(made.data) >= len(made.display) > 0
    for figure in chapter.figures:
        assert render(chapter.function("figures", figure)(results), "svg").startswith(b"<?xml")
    page = chapter_page(chapter, results)
    assert "Nothing was" not in page
    assert not re.search(r"\bnan\b|None", page)


def test_what_is_reported_stands_in_the_last_row_of_the_history(landed: tuple[str, Results]) -> None:
    _, results = landed
    for run in results.study.runs():
        told = json.loads(metrics_file(run, results.root).read_text())
        of_run = (results.runs.experiment == run.experiment) & (results.runs.variant == run.variant) & (results.runs.seed == run.seed)
        last = results.history(results.runs[of_run]).iloc[-1]
        assert told["final"]
        assert told["last10"] == {}
        assert {name: last[name] for name in told["final"]} == pytest.approx(told["final"])


def test_claims_of_no_one_are_told_to_be_so(landed: tuple[str, Results]) -> None:
    name, results = landed
    scores = results.scores[results.scores.chapter == name]
    assert set(scores.verdict) <= {"not run", "too few runs", "not comparable"}
    assert (scores.why != "").all()


def test_a_stored_study_is_read_by_a_process_that_knows_no_chapter(tmp_path: Path) -> None:
    file = tmp_path / "study.json"
    study = parse_study(with_chapters({"study": {"name": "tiny", "chapters": ["qsvm"]}}))
    file.write_text(study.to_json())
    read = "from pathlib import Path; from lightweights.study.plan import read_study; print(len(read_study(Path(sys.argv[1])).runs()))"
    told = subprocess.run([sys.executable, "-c", f"import sys; {read}", str(file)], capture_output=True, text=True, check=True)
    assert int(told.stdout) == len(study.runs()) > 0
