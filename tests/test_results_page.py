"""RESULTS.md and the pages of chapters: they say what the runs say, and the landed ones are in step with runs.csv."""

import re
from pathlib import Path

import pandas as pd
import pytest
from results_made import CHAPTERS, made, page_of
from synthetic import fabricate, small_study

from lightweights.report.chapter import chapters
from lightweights.report.contradictions import contradictions_of
from lightweights.report.results import Results
from lightweights.report.words import chapter_page, front_page, left_out
from lightweights.settings.reading import load_study
from lightweights.study.collect import collect, read_runs
from lightweights.study.plan import read_study

ROOT = Path(__file__).parents[1]
LANDED = ROOT / "results" / "paper"


def page(study, runs) -> str:
    return front_page(made(runs, study), len(contradictions_of(chapters())))


@pytest.mark.whole
def test_landed_pages_are_in_step_with_the_landed_runs() -> None:
    """Otherwise: snakemake --cores 1 summary --config partial=true. No table is wider than five columns."""
    results = made(read_runs(LANDED / "runs.csv"), read_study(LANDED / "settings" / "study.json"), ROOT / "results")
    assert (LANDED / "RESULTS.md").read_text() == front_page(results, len(contradictions_of(chapters())))
    for chapter in chapters():
        text = chapter_page(chapter, results)
        assert [line for line in text.splitlines() if line.startswith("|") and line.replace("\\|", "").count("|") > 6] == []
        assert (LANDED / f"{chapter.name}.md").read_text() == text


@pytest.mark.whole
def test_page_says_how_many_runs_it_rests_on(tmp_path) -> None:
    study = small_study()
    fabricate(study, tmp_path)
    whole = page(study, collect(study, tmp_path))
    assert "18 of the 18 runs" in whole and "till to do" not in whole
    for seed in (1, 2):
        (tmp_path / f"made-up/runs/quantum_train/bond_dim=4/seed-{seed}/metrics.json").unlink()
    part = page(study, collect(study, tmp_path, partial=True))
    assert "16 of the 18 runs" in part and re.search(r"\| quantum_train +\| 2 ", part)


def test_pages_count_verdicts_link_what_there_is_and_add_up_the_hours(tmp_path) -> None:
    study = small_study()
    fabricate(study, tmp_path)
    results = made(collect(study, tmp_path), study)
    runs, front, own = results.runs, page(study, collect(study, tmp_path)), page_of("quantum_train", results)
    mine = results.scores[results.scores.chapter == "quantum_train"]
    judged = (mine.verdict != "not run").sum()
    assert f"{judged} of {len(mine)} judged" in front and f"{judged} of {len(mine)} are judged" in own
    assert "(quantum_train.md)" in front and "(ablation.md)" not in front
    assert "(tables/quantum_train.md)" in own and "(tables/cobyla.md)" not in own
    assert f"{runs.wall_seconds.sum() / 3600:.1f} hours of runs in all" in front
    assert "photonic Quantum-Train: phases trained by gradients" in own
    assert re.search(r"\| quantum train \| 9 ", front)
    one = {name: experiment.model_copy(update={"chapter": "everything"}) for name, experiment in study.experiments.items()}
    assert re.search(r"\| everything +\| 18 ", page(study.model_copy(update={"experiments": one}), collect(study, tmp_path)))


def test_front_page_has_plain_sentences_five_columns_and_four_figures_at_most() -> None:
    text = (LANDED / "RESULTS.md").read_text()
    opening = text.split("\n\n")[1]
    assert len(opening.splitlines()) == 4 and opening.count(". ") == 0
    questions = next(line for line in text.splitlines() if line.startswith("| Question"))
    assert questions.count("|") == 6
    assert sum(".png" in line for line in text.splitlines()) == 4


def test_what_has_fewer_seeds_than_are_planned_is_told_and_a_part_on_purpose_is_not() -> None:
    study, runs = read_study(LANDED / "settings" / "study.json"), read_runs(LANDED / "runs.csv")
    names = list(study.experiments)
    for empty, told in ((names[:1], {names[1]: "1 of 3"}), (names[1:], {})):
        changed = {
            name: one.model_copy(update={"seeds": [] if name in empty else [0], "planned": 3 if name == names[1] else None})
            for name, one in study.experiments.items()
        }
        partly = study.model_copy(update={"experiments": changed})
        assert left_out(made(runs, partly, ROOT / "results")) == told
        only = partly.model_copy(update={"study": partly.study.model_copy(update={"only": names[1:2]})})
        assert left_out(made(runs, only, ROOT / "results")) == {}


def test_all_that_is_planned_has_its_seeds_and_what_has_none_is_of_another_study() -> None:
    base = load_study(ROOT / "params.yaml").experiments
    assert not [name for name, one in base.items() if one.planned and len(one.seeds) < one.planned]
    landed = read_study(ROOT / "results/learning_rates/settings/study.json").runs()
    elsewhere = {run.experiment for run in landed}
    assert {name for name, one in base.items() if not one.seeds and not one.planned} == elsewhere


class Scored(Results):
    """Results whose scorecard is given."""

    def __init__(self, results: Results, scores: pd.DataFrame) -> None:
        super().__init__(results.study, results.runs, results.claims, lambda _: scores, results.root)


def test_page_names_what_did_not_come_out_and_what_is_close_by_luck(tmp_path) -> None:
    study = small_study()
    fabricate(study, tmp_path)
    results = made(collect(study, tmp_path), study)
    scores = results.scores.copy()
    first = scores.index[(scores.method == "photonic_qt") & (scores.quantity == "test_accuracy_percent") & (scores.n > 0)][0]
    name = scores.setting[first].removeprefix("bond_dim=")
    for half, told in ((1.9, "**reproduced** "), (2.1, "**reproduced**, wide")):
        scores.loc[first, ["verdict", "difference_low", "difference_high"]] = ["reproduced", 0.5 - half, 0.5 + half]
        text = page_of("quantum_train", Scored(results, scores))
        assert told in next(line for line in text.splitlines() if line.startswith(f"| {name} "))
    scores.loc[first, ["verdict", "why"]] = ["lower", "because"]
    text = page_of("quantum_train", Scored(results, scores))
    assert f"- *lower*: photonic Quantum-Train, bond dimension {name}, test accuracy: published" in text


@pytest.mark.whole
@pytest.mark.parametrize("shape", [{"dataset": "digits"}, {"seeds": (0,), "protocols": False}])
def test_pages_are_written_for_every_shape_of_study(tmp_path, shape) -> None:
    study = small_study(**shape)
    fabricate(study, tmp_path)
    assert page(study, collect(study, tmp_path)).startswith("# Results: Made-up numbers")
    assert "Nothing was run" in page(study, collect(study, tmp_path / "empty", partial=True))
    for chapter in CHAPTERS:
        told = page_of(chapter, made(collect(study, tmp_path), study, tmp_path))
        assert told.startswith((f"# {CHAPTERS[chapter].question}", f"# {CHAPTERS[chapter].title}"))


def test_page_says_what_gradients_do_in_place_of_cobyla(tmp_path) -> None:
    study = small_study()
    fabricate(study, tmp_path)
    runs = collect(study, tmp_path)
    own = runs[runs.experiment == "protocols"].pivot(index="seed", columns="protocol", values="test10k_accuracy_percent")
    assert f"after 50 epochs {(own.gradient - own.cobyla).mean():+.2f} [" in page_of("quantum_train", made(runs, study))
