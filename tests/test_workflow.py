"""The workflow as a user starts it: Snakemake and DVC on a tiny study, killed, copied, extended."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import houses
import pandas as pd
import pytest
import yaml
from houses import ROOT, call, call_here, command

from lightweights.settings.chapters import experiments_of
from lightweights.settings.targets import taken_by_rules

pytestmark = pytest.mark.whole

RUNS = ["classical/base/seed-0", "quantum_train/bond_dim=1/seed-0", "quantum_train/bond_dim=2/seed-0"]


def tiny(**quantum_train: object) -> dict:
    """A study of three runs of a second or two on the digits, laid over params.yaml."""
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    tree["study"]["chapters"] = []
    tree["dataset"] = {"name": "digits"}
    tree["schedules"]["classical"]["epochs"] = 2
    tree["schedules"]["gradient"] |= {"rounds": 2, "mapping_epochs": 1, "phase_steps": 1, "phase_batch_size": 100}
    listed = experiments_of(ROOT / "chapters/quantum_train")
    tree["experiments"] = {name: listed[name] | {"chapter": None} for name in ("classical", "quantum_train", "protocols")}
    tree["experiments"]["classical"]["seeds"] = [0]
    tree["experiments"]["quantum_train"] |= {"seeds": [0], "vary": {"mapping.bond_dim": [1, 2]}} | quantum_train
    tree["experiments"]["protocols"]["seeds"] = []
    tree["execution"]["checkpoint_seconds"] = 0
    return tree


def write_params(house: Path, tree: dict) -> None:
    (house / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def new_house(folder: Path) -> Path:
    """The workflow's own files with the tiny study, in a folder of their own, and the stages of DVC."""
    house = houses.new_house(folder, tiny())
    call_here(house, "stages", "--write")
    return house


def planned(house: Path, *words: str) -> dict[str, int]:
    """Jobs that a dry run announces, by rule."""
    output = call(house, "snakemake", "-n", *words)
    if "Nothing to be done" in output:
        return {}
    table = output.split("Job stats:")[1].split("total")[0].splitlines()[3:]
    return {line.split()[0]: int(line.split()[1]) for line in table if line.strip()}


def numbers(house: Path) -> dict[str, tuple]:
    """What the runs found, wall times aside."""
    found = {}
    for run in RUNS:
        metrics = json.loads((house / "results/paper/runs" / run / "metrics.json").read_text())
        history = pd.read_csv(house / "results/paper/runs" / run / "history.csv").drop(columns="seconds")
        weights = (house / f"results/paper/runs/{run}/model.safetensors").read_bytes()
        found[run] = (metrics["final"], metrics["last10"], metrics["parameters"], history.to_csv(), weights)
    return found


def put_under_dvc(house: Path) -> None:
    for tool in ("git", "dvc"):
        call(house, tool, "init", "-q")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    house = new_house(tmp_path_factory.mktemp("finished") / "house")
    put_under_dvc(house)
    call(house, "snakemake", "--cores", "2")
    return house


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """The finished study as a fresh clone has it: no data, weights or records of the tools, time stamps in any order."""
    house = tmp_path / "clone"
    shutil.copytree(
        finished,
        house,
        symlinks=True,
        ignore=shutil.ignore_patterns("data", "weights", "logs", ".snakemake", ".git", ".dvc", ".checkpoint"),
    )
    now, order = time.time(), random.Random(0)
    for file in (house / "results").rglob("*"):
        stamp = now - order.uniform(1, 100)
        os.utime(file, (stamp, stamp))
    return house


def test_a_finished_study_has_its_tables_figures_and_scorecard_and_nothing_left_to_do(finished: Path) -> None:
    folder = finished / "results/paper"
    made = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    assert {"runs.csv", "means.json", "scorecard.md", "scorecard.csv", "scorecard.html"} <= made
    assert {f"tables/{name}.{kind}" for name in ("classical", "quantum_train") for kind in ("csv", "md", "tex", "html")} <= made
    figures = ("training_curves", "accuracy_against_parameters", "generalisation_error")
    assert {f"figures/{name}.{kind}" for name in figures for kind in ("pdf", "svg", "png")} <= made
    assert len(pd.read_csv(folder / "runs.csv")) == len(RUNS)
    assert planned(finished) == {}
    assert "3 of 3 runs done" in call_here(finished, "status")
    shown = call_here(finished, "show")
    assert "Experiment quantum_train" in shown and "results/paper/RESULTS.md" in shown


def test_dvc_records_what_snakemake_did_without_work_and_the_other_way_round(finished: Path) -> None:
    before = numbers(finished)
    stages = ("prepare", "classical", "quantum_train")
    output = call(finished, "dvc", "repro", *stages)
    assert " runs" not in output and output.count("Nothing to be done") == len(stages)
    assert "didn't change, skipping" in call(finished, "dvc", "repro", *stages)
    assert planned(finished) == {}
    assert numbers(finished) == before


def test_dvc_trains_nothing_on_a_fresh_clone_of_landed_runs_that_has_no_weights(copied: Path) -> None:
    put_under_dvc(copied)
    (copied / "dvc.lock").unlink(missing_ok=True)
    output = call(copied, "dvc", "repro", "classical", "quantum_train")
    assert list((copied / "results/paper/data").iterdir()) and " runs" not in output
    assert "weights" not in (copied / "dvc.lock").read_text()  # no folder is recorded empty


def test_dvc_leaves_recorded_stages_alone_where_their_weights_are_missing(finished: Path, copied: Path) -> None:
    call(finished, "dvc", "repro", "classical", "quantum_train")
    put_under_dvc(copied)
    recorded = (finished / "dvc.lock").read_bytes()
    (copied / "dvc.lock").write_bytes(recorded)
    assert "Running stage" not in call(copied, "dvc", "repro", "--allow-missing", "classical", "quantum_train")
    assert (copied / "dvc.lock").read_bytes() == recorded


def test_one_seed_more_asks_for_its_runs_only(copied: Path) -> None:
    write_params(copied, tiny(seeds=[0, 1]))
    assert planned(copied)["train_run"] == 2


def test_one_setting_changed_asks_for_the_runs_that_it_touches(copied: Path) -> None:
    tree = tiny()
    tree["mapping"]["init_std"] = 1e-3
    write_params(copied, tree)
    assert planned(copied)["train_run"] == 2
    write_params(copied, tiny())
    assert "train_run" not in planned(copied)


def test_a_fresh_clone_rebuilds_its_tables_without_training(copied: Path, finished: Path) -> None:
    assert "train_run" not in planned(copied) and "prepare_data" not in planned(copied)
    for name in ("tables", "figures"):
        shutil.rmtree(copied / "results/paper" / name)
    assert "3 of 3 runs are there, 3 with models" in call_here(copied, "restore")
    for file in ("tables/quantum_train.csv", "figures/training_curves.svg", "runs.csv", "scorecard.md"):
        assert (copied / "results/paper" / file).read_bytes() == (finished / "results/paper" / file).read_bytes()


def test_an_unchanged_clone_has_nothing_to_draw_and_one_changed_file_has(copied: Path) -> None:
    for shift in (0, 50):  # in whatever order a checkout dates its files
        for number, file in enumerate(sorted((copied / "results").rglob("*.*"), key=lambda file: hash((shift, file.name)))):
            os.utime(file, (time.time() - 200 + shift, time.time() - 200 + number % 97))
        assert planned(copied) == {}
    history = copied / "results/paper/runs" / RUNS[0] / "history.csv"
    history.touch()
    assert planned(copied) == {}
    (copied / "results/paper/in_step.json").write_text("{}")  # nothing tells what the summary was made from
    history.touch()
    assert set(planned(copied)) >= {"collect", "draw_quantum_train", "score_claims"}


def test_an_interrupted_restore_removes_nothing_that_was_there(copied: Path) -> None:
    (copied / "results/paper/runs.csv").write_text("out of step\n")
    (copied / "results/paper/in_step.json").unlink()
    drawn = [file for name in ("tables", "figures") for file in (copied / "results/paper" / name).iterdir()]
    before = {file: file.read_bytes() for file in drawn}
    process = subprocess.Popen(**command(copied, "lightweights", "restore"), start_new_session=True, stdout=subprocess.DEVNULL)
    log = copied / "results/paper/logs/draw_quantum_train.log"
    houses.wait_for(log.exists, process)  # Snakemake makes it when the job of the chapter begins
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert {file for file in before if not file.is_file()} == set()
    assert all(file.stat().st_size for file in before)


def test_a_missing_run_is_trained_alone_and_can_be_left_out_of_a_partial_summary(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(copied / "results/paper/runs" / RUNS[2])
    assert planned(copied, "results/paper/scorecard.md")["train_run"] == 1
    expected = ("prepare_data", "train_run", "collect", "draw_experiments", "draw_quantum_train", "score_claims", "all")
    assert planned(copied) == dict.fromkeys(expected, 1)
    monkeypatch.chdir(copied)
    assert set(taken_by_rules(expected)) == set(expected)  # no experiment can have the name of any of these
    call(copied, "snakemake", "--cores", "1", "summary", "--config", "partial=true")
    assert list(pd.read_csv(copied / "results/paper/runs.csv").variant) == ["base", "bond_dim=1"]


def test_a_run_made_with_other_settings_is_refused(copied: Path) -> None:
    file = copied / "results/paper/runs" / RUNS[1] / "metrics.json"
    file.write_text(file.read_text().replace('"bond_dim": 1', '"bond_dim": 3'))
    output = call_here(copied, "restore", ok=False)
    assert "mapping.bond_dim = 3, asked for is 1" in output and "Traceback" not in output


def test_a_killed_study_goes_on_to_the_same_numbers_and_two_at_once_are_refused(finished: Path, tmp_path: Path) -> None:
    house = new_house(tmp_path / "house")
    killed = subprocess.Popen(
        **command(house, "snakemake", "--cores", "1"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 240
    while not list(house.glob("results/paper/.checkpoint/*/*/*/state.safetensors")):
        assert time.monotonic() < deadline and killed.poll() is None
        time.sleep(0.02)
    assert "lock" in call(house, "snakemake", "--cores", "1", ok=False)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert "unlock" in call(house, "snakemake", "--cores", "1", ok=False)
    call(house, "snakemake", "--unlock")
    trained = ("classical", "quantum_train")
    call(house, "snakemake", "--cores", "2", *trained)
    assert numbers(house) == numbers(finished)
    assert planned(house, *trained) == {}


def test_a_new_student_of_a_landed_teacher_without_weights_has_it_trained_again(tmp_path: Path) -> None:
    """As on a fresh clone; the data, which is not there either, comes first."""
    student = {"method": "student", "teacher": "teacher", "seeds": [0]}
    tree = {
        "study": {"name": "small"},
        "dataset": {"name": "digits"},
        "teacher": {"widths": [4, 4, 4]},
        "student": {"rank": 2},
        "schedules": {"teacher": {"epochs": 1}, "student": {"epochs": 1}},
        "experiments": {
            "teacher": {"method": "teacher", "seeds": [0]},
            "student": student | {"override": {"feature.source": "zero"}},
        },
    }
    house = houses.new_house(tmp_path / "house", tree)
    call(house, "snakemake", "--cores", "1", "teacher", "student")
    weights = house / "results/small/weights/teacher/base/seed-0.safetensors"
    before = weights.read_bytes()
    for name in ("data", "weights"):
        shutil.rmtree(house / "results/small" / name)
    assert planned(house, "teacher", "student") == {}
    tree["experiments"]["other"] = student | {"override": {"feature.source": "uniform"}}
    write_params(house, tree)
    assert planned(house, "student", "other") == {"prepare_data": 1, "train_teacher": 1, "train_run": 1, "other": 1}
    assert not {"prepare_data", "train_teacher", "train_run"} & set(planned(house, "summary", "--config", "partial=true"))
    call(house, "snakemake", "--cores", "1", "student", "other")
    assert weights.read_bytes() == before


def test_wrong_settings_stop_before_any_job(tmp_path: Path) -> None:
    house = new_house(tmp_path / "house")
    tree = tiny()
    tree["photonics"]["circuits"] = [[8, 4], [8, 4]]
    write_params(house, tree)
    output = call(house, "snakemake", "--cores", "1", ok=False)
    assert "quantum_train/bond_dim=1: photonics.circuits = [[8, 4], [8, 4]] have 4900 joint outcomes, fewer than the 6690 weights" in output
    assert "Job stats" not in output


@pytest.mark.parametrize("part", ["__init__", "settings"])
def test_a_chapter_that_ends_the_program_stops_before_any_job(tmp_path: Path, part: str) -> None:
    tree = tiny()
    tree["study"]["chapters"] = ["mine"]
    house = new_house(tmp_path / "house")
    write_params(house, tree)
    (house / "chapters/mine").mkdir(parents=True)
    (house / "chapters/mine/experiments.yaml").write_text("experiments: {}\n")
    (house / f"chapters/mine/{part}.py").write_text("import sys\nsys.exit(0)\n")
    output = call(house, "snakemake", "--cores", "1", ok=False)
    assert f"chapters/mine/{part}.py cannot be imported: it ends the program (sys.exit(0))" in output
    assert "Job stats" not in output and "Traceback" not in output
