"""RESULTS.md: says what the runs say, and the landed one is in step with runs.csv."""

import re
from pathlib import Path

import pytest
from synthetic import fabricate, small_study

from lightweights.study.claims import read_claims
from lightweights.study.collect import collect, read_runs
from lightweights.study.inconsistencies import read_inconsistencies
from lightweights.study.results_page import results_page
from lightweights.study.scorecard import scorecard
from lightweights.study.summary import read_study

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "workflow" / "reference"
LANDED = ROOT / "results" / "paper"
CLAIMS = read_claims(REFERENCE / "claims.csv")


def page(study, runs) -> str:
    return results_page(runs, scorecard(runs, CLAIMS, study), len(read_inconsistencies(REFERENCE / "inconsistencies.csv")), study)


def test_landed_page_is_in_step_with_the_landed_runs() -> None:
    """Otherwise: snakemake --cores 1 summary --config partial=true."""
    study = read_study(LANDED / "settings" / "study.json")
    assert (LANDED / "RESULTS.md").read_text() == page(study, read_runs(LANDED / "runs.csv"))


def test_page_says_how_many_runs_it_rests_on(tmp_path) -> None:
    study = small_study()
    fabricate(study, tmp_path)
    whole = page(study, collect(study, tmp_path))
    assert "18 of the 18 runs" in whole and "till to do" not in whole
    for seed in (1, 2):
        (tmp_path / f"made-up/runs/quantum_train/bond_dim=4/seed-{seed}/metrics.json").unlink()
    part = page(study, collect(study, tmp_path, partial=True))
    assert "16 of the 18 runs" in part and "quantum_train (2)" in part


def test_page_counts_verdicts_links_what_there_is_and_adds_up_the_hours(tmp_path) -> None:
    study = small_study()
    fabricate(study, tmp_path)
    runs = collect(study, tmp_path)
    text = page(study, runs)
    judged = scorecard(runs, CLAIMS, study)
    mine = judged[(judged.method == "photonic_qt") & (judged.verdict != "not run")]
    assert f"{len(mine)} of {(judged.method == 'photonic_qt').sum()}" in text
    assert "(tables/quantum_train.md)" in text and "(tables/ablation.md)" not in text
    assert f"{runs.wall_seconds.sum() / 3600:.1f} hours of runs in all" in text
    assert "photonic Quantum-Train: phases trained by gradients" in text
    assert re.search(r"\| quantum train \| 9 ", text)
    one = {name: experiment.model_copy(update={"part": "everything"}) for name, experiment in study.experiments.items()}
    assert re.search(r"\| everything +\| 18 ", page(study.model_copy(update={"experiments": one}), runs))


def test_page_names_what_did_not_come_out_and_what_is_close_by_luck(tmp_path) -> None:
    study = small_study()
    fabricate(study, tmp_path)
    scores = scorecard(collect(study, tmp_path), CLAIMS, study)
    first = scores.index[(scores.method == "photonic_qt") & (scores.quantity == "test_accuracy_percent") & (scores.n > 0)][0]
    name = scores.setting[first].removeprefix("bond_dim=")
    for half, told in ((1.9, "**reproduced** "), (2.1, "**reproduced**, wide")):
        scores.loc[first, ["verdict", "difference_low", "difference_high"]] = ["reproduced", 0.5 - half, 0.5 + half]
        line = next(line for line in results_page(collect(study, tmp_path), scores, 0, study).splitlines() if line.startswith(f"| {name} "))
        assert told in line
    scores.loc[first, ["verdict", "why"]] = ["lower", "because"]
    assert f"- *lower*: photonic Quantum-Train, bond dimension {name}, test accuracy: published" in results_page(
        collect(study, tmp_path), scores, 0, study
    )


@pytest.mark.parametrize("shape", [{"dataset": "digits"}, {"seeds": (0,), "protocols": False}])
def test_page_is_written_for_every_shape_of_study(tmp_path, shape) -> None:
    study = small_study(**shape)
    fabricate(study, tmp_path)
    assert page(study, collect(study, tmp_path)).startswith("# Results: Made-up numbers")
    assert "Nothing was run" in page(study, collect(study, tmp_path / "empty", partial=True))


def test_page_says_what_gradients_do_in_place_of_cobyla(tmp_path) -> None:
    study = small_study()
    fabricate(study, tmp_path)
    runs = collect(study, tmp_path)
    own = runs[runs.experiment == "protocols"].pivot(index="seed", columns="protocol", values="test10k_accuracy_percent")
    assert f"after 50 epochs {(own.gradient - own.cobyla).mean():+.2f} [" in page(study, runs)
