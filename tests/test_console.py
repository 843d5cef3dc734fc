"""What a terminal shows while a study runs: one line, and what goes wrong; what a command says outside a clone."""

import io
import json
import logging
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightweights import __version__
from lightweights.cli import app
from lightweights.settings.base import SettingsError
from lightweights.settings.reading import Source, read_sources, study_of
from lightweights.study.clone import NoCloneError
from lightweights.study.console import Console, quieten, told
from lightweights.study.plan import open_workflow, read_study
from lightweights.study.unchanged import date_outputs, digest, note


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def finish(folder: Path, run: str, accuracy: float) -> str:
    file = folder / run / "metrics.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"final": {"train_accuracy_percent": 99.0, "test_accuracy_percent": accuracy}}))
    return str(file)


def test_the_line_tells_runs_done_time_left_and_the_last_result(tmp_path: Path) -> None:
    runs = [f"quantum_train/bond_dim={dim}/seed-0" for dim in (1, 2, 3)]
    files = [str(tmp_path / run / "metrics.json") for run in runs]
    console = Console(dict, 2, Path("results/mine/RESULTS.md"), Terminal())
    console._runs, console._others, console._begun = files, [str(tmp_path / "figure.png")], time.time() - 60
    costs = dict(zip(files, (10.0, 20.0, 30.0), strict=True))
    assert console.line(costs, console._begun + 60) == "0 of 3 runs, about 30 s left"  # 60 seconds of a core, on two
    finish(tmp_path, runs[0], 61.25)
    line = console.line(costs, console._begun + 60)
    assert line == "1 of 3 runs, about 5 min left; last: quantum_train/bond_dim=1/seed-0, test 61.25 %"  # 10 of 60 took a minute
    for run in runs[1:]:
        finish(tmp_path, run, 90.0)
    assert console.line(costs, time.time()) == "3 runs done; 0 of 1 files of data, tables and figures"


def test_a_terminal_has_one_line_and_a_log_a_line_a_change(tmp_path: Path) -> None:
    for stream, kept in ((Terminal(), "\r\x1b[2K"), (io.StringIO(), "\n")):
        console = Console(dict, 1, tmp_path / "RESULTS.md", stream)
        console.start([str(tmp_path / "base/seed-0/metrics.json")])
        console._write("0 of 1 runs")
        console.stop(well=True)
        assert kept in stream.getvalue() and stream.getvalue().rstrip().endswith("RESULTS.md")
        assert "Traceback" not in stream.getvalue()


def test_errors_are_shown_and_texts_of_jobs_are_not() -> None:
    handler = logging.Handler()
    handler.name = "DefaultStreamHandler"
    quieten([handler])
    record = lambda level, event, text="": logging.makeLogRecord({"levelno": level, "event": event, "msg": text})  # noqa: E731
    assert not handler.filter(record(logging.INFO, "job_info"))
    assert not handler.filter(record(logging.INFO, None, "Select jobs to execute..."))
    assert handler.filter(record(logging.ERROR, "job_error")) and handler.filter(record(logging.INFO, None, "Nothing to be done"))
    assert handler.filter(record(logging.INFO, None, "Terminating processes on user request, this might take some time."))


def test_a_run_that_cannot_be_read_is_told_by_its_name(tmp_path: Path) -> None:
    assert told(str(tmp_path / "a/b/seed-1/metrics.json")) == "a/b/seed-1"


def test_commands_outside_a_clone_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("show", "status", "verify", "studies", "plan"):
        found = CliRunner().invoke(app, [command])
        assert isinstance(found.exception, NoCloneError) and f"`lightweights {command}` works in a clone" in str(found.exception)
    assert CliRunner().invoke(app, ["--version"]).output.strip() == __version__


def test_unknown_studies_and_names_are_answered_with_those_there_are(tmp_path: Path) -> None:
    for name in ("mine", "paper"):
        (tmp_path / name / "settings").mkdir(parents=True)
        (tmp_path / name / "settings/study.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"studies that are here: mine, paper \(did you mean mine\?\)"):
        read_study(tmp_path / "min/settings/study.json")
    with pytest.raises(
        SettingsError, match=r"mine.yaml: dataset.name = 'imagenet': expected one of none, digits, mnist-partial.* or package"
    ):
        study_of([Source("mine.yaml", {"dataset": {"name": "imagenet"}})])
    with pytest.raises(SettingsError, match=r"did you mean digits\?"):
        study_of([Source("mine.yaml", {"dataset": {"name": "digit"}})])


def test_one_value_can_be_set_from_the_command_line() -> None:
    assert study_of(read_sources([], {"mapping__bond_dim": 5})).mapping.bond_dim == 5
    assert study_of(read_sources([], {"mapping": {"bond_dim": 6}})).mapping.bond_dim == 6
    with pytest.raises(SettingsError, match="say in which section: --config mapping__bond_dim=5"):
        read_sources([], {"bond_dim": 5})


def test_a_file_named_by_mistake_is_not_to_be_deleted(tmp_path: Path) -> None:
    mine = tmp_path / "thesis.json"
    mine.write_text("[1, 2]")
    with pytest.raises(SettingsError, match=r"expected is results/STUDY/settings/study\.json") as error:
        read_study(mine)
    assert "delete" not in str(error.value).lower()


def test_a_dry_run_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("study: {name: tried}\ndataset: {name: digits}\n")
    left = []
    monkeypatch.setattr("atexit.register", lambda function, *args, **named: left.append(lambda: function(*args, **named)))
    open_workflow([], {}, dry=True)
    assert (tmp_path / "results/tried").is_dir()
    for function in left:
        function()
    assert not (tmp_path / "results/tried").exists()
    open_workflow([], {})
    assert len(left) == 1 and (tmp_path / "results/tried").is_dir()


def test_outputs_are_dated_after_inputs_of_the_same_content_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given, drawn, record = Path("runs.csv"), Path("table.md"), Path("in_step.json")
    given.write_text("1")
    drawn.write_text("one")
    note(record, [([str(drawn)], [str(given)])])
    os.utime(drawn, (1, 1))
    date_outputs(record, [str(drawn)], [given])
    assert drawn.stat().st_mtime >= given.stat().st_mtime
    before = digest([given])
    given.write_text("2")
    assert digest([given]) != before
    os.utime(drawn, (1, 1))
    date_outputs(record, [str(drawn)], [given])
    assert drawn.stat().st_mtime == 1


def test_outputs_are_dated_before_all_else_where_an_input_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Snakemake says that nothing is to be done where a run is missing and what was collected from it is not."""
    monkeypatch.chdir(tmp_path)
    settings, run, drawn, record = (Path(name) for name in ("study.json", "metrics.json", "runs.csv", "in_step.json"))
    for file in (settings, run, drawn):
        file.write_text("1")
    note(record, [([str(drawn)], [str(settings), str(run)])])
    run.unlink()
    date_outputs(record, [str(drawn), "means.json"], [settings, run])
    assert drawn.stat().st_mtime < settings.stat().st_mtime
    run.write_text("1")
    Path("means.json").write_text("1")
    date_outputs(record, [str(drawn), "means.json"], [settings, run])
    assert drawn.stat().st_mtime >= run.stat().st_mtime
