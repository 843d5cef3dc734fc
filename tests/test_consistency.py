"""Edited numbers, histories and tables are found without any record of DVC's; locks tell their holder; a run is done when it is whole."""

import hashlib
import json
import os
import platform
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic import change_metrics, fabricate, small_study

from lightweights.datasets import Dataset
from lightweights.methods import classical
from lightweights.settings.runs import Run
from lightweights.settings.study import Study, parse_study
from lightweights.study.collect import CollectError, collect, read_runs, write_runs
from lightweights.study.execute import execute
from lightweights.study.faults import RunError
from lightweights.study.findings import Findings
from lightweights.study.layout import checkpoint_folder, history_file, metrics_file, run_folder, settings_file, study_folder
from lightweights.study.lock import HOLDER, exclusive
from lightweights.study.plan import is_done, is_whole, laid_out, read_run
from lightweights.study.restore import missing
from lightweights.study.status import progress_of
from lightweights.study.verify import check_runs

STUDY = small_study(seeds=(0, 1), bond_dims=(1,), rounds=12, protocols=False)


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    """Made-up runs, collected."""
    fabricate(STUDY, tmp_path)
    write_runs(collect(STUDY, tmp_path), study_folder("made-up", tmp_path) / "runs.csv")
    return tmp_path


def found(results: Path, study: Study = STUDY) -> Findings:
    findings = Findings()
    check_runs(study, results, findings)
    return findings


def first() -> Run:
    return STUDY.runs()[2]


def edited(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


def test_untouched_runs_are_in_step_and_what_has_no_digest_is_said_to_have_none(landed: Path) -> None:
    findings = found(landed)
    assert not findings.wrong and not findings.unrecorded
    assert findings.checked == {"runs": 4, "rows of runs.csv": 4, "runs against their histories": 4}
    assert findings.without_digest == {"histories": 4}
    assert findings.without_model == ["classical", "classical", "quantum_train", "quantum_train"]


@pytest.mark.parametrize("section", ["final", "last10"])
def test_an_edited_number_is_not_what_the_history_says(section: str, landed: Path) -> None:
    change_metrics(run_folder(first(), landed), section, train_accuracy_percent=99.9)
    wrong = found(landed).wrong
    assert any(f"{metrics_file(first(), landed)}: {section}.train_accuracy_percent is 99.9" in line for line in wrong)
    assert any("runs.csv: the row of quantum_train/bond_dim=1/seed-0 is not what its metrics.json says" in line for line in wrong)


def test_one_edited_value_of_a_history_is_found_by_its_digest_and_in_the_last_rows_without(landed: Path) -> None:
    path = history_file(first(), landed)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:-2], lines[-2].replace("10,", "10,").replace(lines[-2].split(",")[5], "12.5"), lines[-1]]))
    assert any("last10." in line and str(metrics_file(first(), landed)) in line for line in found(landed).wrong)
    fabricate(STUDY, landed)
    change_metrics(run_folder(first(), landed), "provenance", history_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert not found(landed).wrong
    edited(path, lambda text: text.replace(text.splitlines()[1].split(",")[1], "2.5", 1))  # of the first row: no mean shows it
    assert [line for line in found(landed).wrong if f"{path}: SHA-256" in line]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "not the collected runs"),
        (lambda text: text.replace("61.5", "61.4", 1), "the row of classical/base/seed-0 is not what"),
        (lambda text: text + text.splitlines()[-1].replace(",1,", ",7,", 1) + "\n", "is no run that is there"),
        (lambda text: text.replace("made-up-host", "made\x0bup-host", 1), "the row of classical/base/seed-0 is not what"),
    ],
)
def test_an_edited_or_empty_table_of_runs_is_found(change: Callable[[str], str], said: str, landed: Path) -> None:
    edited(study_folder("made-up", landed) / "runs.csv", change)
    assert any("runs.csv" in line and said in line for line in found(landed).wrong)


def test_a_row_longer_than_the_header_is_not_cut(landed: Path) -> None:
    path = study_folder("made-up", landed) / "runs.csv"
    edited(path, lambda text: "".join(line + ("" if number == 0 else ",7") + "\n" for number, line in enumerate(text.splitlines())))
    with pytest.raises(CollectError, match=r"runs.csv cannot be read .ParserWarning: .*loss of data.*Delete it and run"):
        read_runs(path)


def test_a_run_with_a_model_names_the_digest_of_its_history(tiny: Dataset, tmp_path: Path) -> None:
    study = parse_study(
        {"study": {"name": "small"}, "dataset": {"name": "digits"}, "experiments": {"c": {"method": "classical", "seeds": [0]}}}
    )
    run = study.runs()[0]
    execute(run, tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=600.0)
    assert not found(tmp_path, study).wrong
    edited(metrics_file(run, tmp_path), lambda text: text.replace("history_sha256", "histori_sha256"))
    assert found(tmp_path, study).wrong == [
        f"{metrics_file(run, tmp_path)}: provenance.history_sha256 is missing, the digest of history.csv"
    ]


def test_runs_that_landed_since_are_told_and_no_error(landed: Path) -> None:
    path = study_folder("made-up", landed) / "runs.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    findings = found(landed)
    assert not findings.wrong and "1 runs have landed since, quantum_train/bond_dim=1/seed-1 first" in findings.unrecorded[0]


def test_a_run_whose_files_lost_their_content_is_not_done(landed: Path) -> None:
    laid_out(STUDY, landed)
    run = first()
    assert is_whole(run, landed) and is_done(run, landed) and progress_of("made-up", landed).startswith("4 of 4")
    for path in (metrics_file(run, landed), history_file(run, landed)):
        content = path.read_bytes()
        for damaged in (b"", content[: len(content) // 2]):
            path.write_bytes(damaged)
            assert not is_whole(run, landed) and not is_done(run, landed)
            assert f"3 of 4 runs done\n{run.key}: to do" in progress_of("made-up", landed)
            with pytest.raises(CollectError, match=f"{run.key}: "):
                collect(STUDY, landed, partial=True)
        path.write_bytes(content)


def test_what_has_landed_without_a_model_is_told(landed: Path) -> None:
    assert missing(STUDY.runs(), landed)[0].startswith("landed without their models: classical 2, quantum_train 2 (")


def test_a_study_behind_a_link_is_trained_and_read(landed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "other disk"
    study_folder("made-up", landed).rename(elsewhere)
    house = tmp_path / "house"
    (house / "results").mkdir(parents=True)
    (house / "results/made-up").symlink_to(elsewhere)
    monkeypatch.chdir(house)
    laid_out(STUDY, Path("results"))
    assert read_run(settings_file(first()), 0) == first()
    assert read_run(settings_file(first()).absolute(), 0) == first()
    assert len(collect(STUDY, Path("results"))) == 4


# Locks


def test_a_lock_tells_its_holder_and_how_it_is_freed(tmp_path: Path) -> None:
    run = first()
    with exclusive(tmp_path, run):
        with pytest.raises(RunError) as told, exclusive(tmp_path, run):
            pytest.fail("two held the lock")
        assert f"process {os.getpid()} on this machine, since 20" in str(told.value) and f"delete {tmp_path / 'lock'}" in str(told.value)
        for host, process, said in (
            ("another-node", 1, "process 1 on machine another-node, since then"),
            (platform.node(), 2**22 + 1, f"it was process {2**22 + 1} of this machine, since then, which no longer runs;"),
        ):
            (tmp_path / HOLDER).write_text(json.dumps({"host": host, "process": process, "since": "then"}))
            with pytest.raises(RunError, match="is being trained by another process") as told, exclusive(tmp_path, run):
                pytest.fail("two held the lock")
            assert said in str(told.value)
        (tmp_path / HOLDER).unlink()
        with pytest.raises(RunError, match="nothing tells which one"), exclusive(tmp_path, run):
            pytest.fail("two held the lock")
    with exclusive(tmp_path, run):
        assert json.loads((tmp_path / HOLDER).read_text())["process"] == os.getpid()
    assert not (tmp_path / HOLDER).exists()


# Results before anything else can fail


def direct() -> Run:
    tree = {"dataset": {"name": "digits"}, "schedules": {"classical": {"epochs": 2}}}
    return parse_study(tree | {"experiments": {"direct": {"method": "classical", "seeds": [0]}}}).runs()[0]


def test_a_warning_after_the_training_costs_nothing(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = direct()
    tell = classical.tell

    def warning(*arguments: object):
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
        return tell(*arguments)

    monkeypatch.setattr(classical, "tell", warning)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        execute(run, tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=600)
    assert is_whole(run, tmp_path)


def test_a_failure_after_the_training_leaves_all_of_it_in_a_checkpoint(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = direct()
    tell = classical.tell

    def failing(*arguments: object):
        raise RuntimeError("nothing told")

    monkeypatch.setattr(classical, "tell", failing)
    with pytest.raises(RuntimeError, match="nothing told"):
        execute(run, tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=600)
    assert (checkpoint_folder(run, tmp_path) / "state.safetensors").is_file() and not run_folder(run, tmp_path).exists()
    monkeypatch.setattr(classical, "tell", tell)
    execute(run, tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=600)
    assert "going on from its checkpoint, with 2 rounds or epochs done" in capsys.readouterr().out
