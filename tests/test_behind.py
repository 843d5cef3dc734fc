"""What stands behind a table or figure: command, runs, digests; the same as long as nothing behind it has changed."""

import json
from pathlib import Path

import pytest
from results_made import made
from synthetic import fabricate, small_study

from lightweights.report.behind import behind
from lightweights.report.make import write_figure, write_texts
from lightweights.study.collect import collect

STUDY = small_study(seeds=(0, 1), bond_dims=(1, 4))


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    fabricate(STUDY, tmp_path)
    return tmp_path


@pytest.mark.whole
def test_tables_and_figures_have_what_stands_behind_them_beside_them(landed: Path) -> None:
    results = made(collect(STUDY, landed), STUDY, landed)
    write_texts("tables/quantum_train", results)
    write_figure("training_curves", results)
    told = json.loads((results.folder / "tables/quantum_train.json").read_text())
    assert told["command"] == "lightweights draw results/made-up/settings/study.json tables/quantum_train"
    assert {"quantum_train/bond_dim=1/seed-0", "quantum_train/bond_dim=4/seed-1"} <= set(told["runs"])
    assert told["commits"] == {"12e4567": len(told["runs"])} and len(told["code_sha256"]) == 64
    assert json.loads((results.folder / "figures/training_curves.json").read_text())["chapter"] == "quantum_train"


def test_the_digest_tells_of_a_change_in_the_runs_behind_and_of_no_other(landed: Path) -> None:
    runs = collect(STUDY, landed)
    before = behind("tables", "quantum_train", made(runs, STUDY, landed))["runs_sha256"]
    assert before == behind("tables", "quantum_train", made(runs.copy(), STUDY, landed))["runs_sha256"]
    changed, other = runs.copy(), runs.copy()
    changed.loc[changed.experiment == "quantum_train", "test10k_accuracy_percent"] += 0.01
    other.loc[other.experiment == "protocols", "test10k_accuracy_percent"] += 0.01
    assert behind("tables", "quantum_train", made(changed, STUDY, landed))["runs_sha256"] != before
    assert behind("tables", "quantum_train", made(other, STUDY, landed))["runs_sha256"] == before
