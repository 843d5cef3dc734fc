"""From files to a study: one reader, chapters that are found, who is blamed for a wrong value, and the stages made from all of it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lightweights.report.chapter import chapters
from lightweights.report.stages import stages_text
from lightweights.settings.base import Section, SettingsError
from lightweights.settings.chapters import experiments_of, found, load_kinds
from lightweights.settings.reading import check_words, load_study, read_sources, study_of, yes_or_no
from lightweights.settings.runs import RunSettings, kind_of, kinds
from lightweights.settings.schedules import ClassicalSchedule
from lightweights.settings.study import parse_study
from lightweights.settings.targets import targets_of_rules
from lightweights.settings.yaml_file import named_values, read_settings
from lightweights.study.overview import chapters_text
from lightweights.study.plan import open_workflow
from lightweights.study.stages import schedules_of

ROOT = Path(__file__).resolve().parents[1]
SMALL = "study: {name: small}\ndataset: {name: digits}\nexperiments:\n  direct: {method: classical, seeds: [0]}\n"


def written(folder: Path, text: str, name: str = "params.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


# Files


@pytest.mark.parametrize("number", ["1e-3", "1E-3", "1.0e-3", "0.001", "1e-03", "+1e-3"])
def test_a_number_is_a_number_however_it_is_written(number: str, tmp_path: Path) -> None:
    file = written(tmp_path, f"mapping: {{init_std: {number}}}\n")
    assert read_settings(file) == {"mapping": {"init_std": 0.001}}


@pytest.mark.parametrize("word", ["1e", "e3", "1e-3x", "0x", "mnist", "1-3"])
def test_words_stay_words(word: str, tmp_path: Path) -> None:
    assert read_settings(written(tmp_path, f"a: {word}\n")) == {"a": word}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mapping: {bond_dim: 1}\nseeds: [0]\nmapping: {bond_dim: 2}\n", "mapping stands twice, in lines 1 and 3"),
        ("experiments:\n  a:\n    seeds: [0]\n    seeds: [1]\n", "seeds stands twice, in lines 3 and 4"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "merge key << in line 3"),
        ("__use_yte__: true\n", "__use_yte__ in line 1: settings are not run as a program"),
        ("__definitions__: [import os]\n", "__definitions__ in line 1"),
        ("a: {b: 010}\n", "010 in line 1 is one number for some readers and another for others"),
        ("a:\n  b: -007\n", "-007 in line 2"),
        ("a: 1:30\n", "1:30 in line 1"),
        ("a: 1e-400\n", "1e-400 in line 1 is smaller than any number"),
        ("a: 1:30.5\n", "1:30.5 in line 1"),
        ("a: [1\n", "not a YAML file"),
        ("- a\n", "found list"),
    ],
)
def test_what_would_be_lost_or_run_is_refused_with_its_lines(text: str, told: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        read_settings(file)
    assert told in str(raised.value) and str(raised.value).startswith(f"{file}: ")


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(SettingsError, match="more than 200,000 values"):
        read_settings(written(tmp_path, "\n".join(lines)))


# Who is blamed


def test_the_file_that_holds_a_wrong_value_is_named(tmp_path: Path) -> None:
    first, preset = written(tmp_path, SMALL), written(tmp_path, "mapping: {bond_dim: 0}\n", "mine.yaml")
    with pytest.raises(SettingsError) as raised:
        load_study(first, preset)
    assert str(raised.value).startswith(f"{preset}: mapping.bond_dim = 0")
    written(tmp_path, SMALL + "mapping: {bond_dim: 0}\n")
    with pytest.raises(SettingsError) as raised:
        load_study(first, written(tmp_path, "mapping: {init_std: 0.1}\n", "mine.yaml"))
    assert str(raised.value).startswith(f"{first}: mapping.bond_dim = 0")


def test_a_wrong_value_of_a_chapter_is_blamed_on_its_file_and_one_laid_over_it_on_that(tmp_path: Path) -> None:
    chapter = written(tmp_path / "mine", "experiments:\n  direct: {method: classical, seeds: [-1]}\n", "experiments.yaml")
    params = written(tmp_path, f"study: {{chapters: ['{chapter.parent}']}}\n")
    with pytest.raises(SettingsError) as raised:
        load_study(params)
    assert str(raised.value).startswith(f"{chapter}: experiments.direct.seeds.0 = -1")
    with pytest.raises(SettingsError) as raised:
        load_study(params, written(tmp_path, "experiments: {direct: {seeds: [-2]}}\n", "over.yaml"))
    assert str(raised.value).startswith(f"{tmp_path / 'over.yaml'}: experiments.direct.seeds.0 = -2")


def test_settings_of_a_command_line_have_dotted_paths_and_are_blamed(tmp_path: Path) -> None:
    params = written(tmp_path, SMALL)
    assert study_of(read_sources([params], {"mapping.bond_dim": 5})).mapping.bond_dim == 5
    with pytest.raises(SettingsError, match=r"^--config: mapping.bond_dim = 0"):
        study_of(read_sources([params], {"mapping.bond_dim": 0}))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-n", "--config", "seeds=[1]", "mapping__bond_dim=5", "--config", "partial=true"], "--config stands twice, and Snakemake keeps"),
        (["--config=seeds=[1]", "-C", "partial=true"], "--config stands twice"),
        (["--config", "mapping__bond_dim=5", "mapping__bond_dim=6", "-n"], "mapping__bond_dim is given twice; keep one of them"),
    ],
)
def test_what_snakemake_would_lose_of_a_command_line_is_refused(words: list[str], said: str) -> None:
    check_words(["snakemake", "--config", "mapping__bond_dim=5", "mapping__init_std=1", "-n", "--configfile", "a=b", "a=b"])
    with pytest.raises(SettingsError, match=said):
        check_words(["snakemake", *words])


def test_what_is_given_twice_is_refused(tmp_path: Path) -> None:
    params = written(tmp_path, SMALL)
    for given in ({"mapping__bond_dim": 5, "mapping": {"bond_dim": 6}}, {"mapping": {"bond_dim": 6, "kind": "mps"}, "mapping.kind": "mps"}):
        with pytest.raises(SettingsError, match=r"--config: mapping.(bond_dim|kind) is given twice; keep one of them"):
            read_sources([params], given)
    with pytest.raises(SettingsError, match=r"--noise g2=2: g2 is given twice; keep one of them"):
        named_values("--noise", ["g2=1", "g2=2"])


@pytest.mark.parametrize("value", ["!!bool foo", "!!timestamp foo", "!!int foo", "[1", "{a: 1, a: 2}"])
def test_values_of_a_command_line_that_are_none_are_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="--noise g2="):
        named_values("--noise", [f"g2={value}"])


@pytest.mark.parametrize(
    ("value", "meant"), [("on", True), ("Yes", True), (True, True), (1, True), ("off", False), ("NO", False), (0, False)]
)
def test_a_switch_has_one_reading(value: object, meant: bool) -> None:
    assert yes_or_no("partial", value) is meant


def test_a_switch_that_is_neither_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, SMALL)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="--config partial=maybe: expected one of true, yes, on, 1"):
        open_workflow([], {"partial": "maybe"})
    with pytest.raises(SettingsError, match=r"--config: mapping.bond_dim = 'x'"):
        open_workflow([], {"mapping.bond_dim": "x"})
    assert not (tmp_path / "results").exists()
    study, partial = open_workflow([], {"partial": "on"})
    assert partial and (tmp_path / "results/small/settings/study.json").is_file() and len(study.runs()) == 1


@pytest.mark.parametrize("pair", [[2, 2.0], [1, "1"]])
def test_equal_values_are_repeats_however_they_are_spelt(pair: list) -> None:
    tree = {"experiments": {"x": {"method": "quantum_train", "seeds": [0], "vary": {"mapping.bond_dim": pair}}}}
    with pytest.raises(SettingsError, match="repeated value"):
        parse_study(tree)


def test_equal_numbers_of_other_spelling_are_repeats() -> None:
    tree = {"experiments": {"x": {"method": "quantum_train", "seeds": [0], "vary": {"mapping.init_std": [0, 0.0]}}}}
    with pytest.raises(SettingsError, match="repeated value"):
        parse_study(tree)


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"study": {"only": ["derect"]}}, "did you mean direct?"),
        ({"experiments": {"direct": {"method": "clasical", "seeds": [0]}}}, "did you mean classical?"),
        (
            {"experiments": {"direct": {"method": "classical", "seeds": [0], "override": {"schedule.epoch": 1}}}},
            "did you mean schedule.epochs?",
        ),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(tree: dict, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_study({"experiments": {"direct": {"method": "classical", "seeds": [0]}}} | tree)
    assert told in str(raised.value)


# Chapters


def test_every_chapter_is_found_and_its_experiments_are_the_studys() -> None:
    study = load_study(ROOT / "params.yaml")
    assert list(found()) == study.study.chapters
    for name, folder in found().items():
        assert set(experiments_of(folder)) == {one for one, experiment in study.experiments.items() if experiment.chapter == name}
        assert study.targets()[name] == list(experiments_of(folder))


def test_an_experiment_like_another_takes_all_but_what_that_one_varies(tmp_path: Path) -> None:
    text = """experiments:
  first: {method: quantum_train, seeds: [4], override: {schedule.rounds: 3, mapping.bond_dim: 2}, vary: {photonics.arm: [mps-only]}}
  second: {like: first, vary: {mapping.bond_dim: [1, 5]}}
  third: {like: second, override: {schedule.rounds: 7}}
"""
    listed = experiments_of(written(tmp_path, text, "experiments.yaml").parent)
    assert listed["second"]["override"] == {"schedule.rounds": 3}
    assert listed["second"]["vary"] == {"mapping.bond_dim": [1, 5]} and listed["second"]["seeds"] == [4]
    assert listed["third"]["override"] == {"schedule.rounds": 7} and "vary" not in listed["third"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("experiments: {a: {like: b}, b: {like: a}}\n", "leads back to"),
        ("experiments: {first: {seeds: [0]}, b: {like: frist}}\n", "did you mean first?"),
        ("experiment: {}\n", "did you mean experiments?"),
        ("experiments: [a]\n", "expected experiments by name"),
        ("order: first\nexperiments: {}\n", "expected a number"),
    ],
)
def test_a_chapter_that_cannot_be_read_is_told(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        experiments_of(written(tmp_path, text, "experiments.yaml").parent)
    assert told in str(raised.value) and str(tmp_path) in str(raised.value)


def test_a_chapter_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"study.chapters names ablatoin.*did you mean ablation\?"):
        load_study(written(tmp_path, "study: {chapters: [ablatoin]}\n"))


def test_an_edition_has_the_experiments_that_it_names(tmp_path: Path) -> None:
    written(tmp_path, "experiments:\n  a: {method: classical, seeds: [0, 1]}\n  b: {method: classical, seeds: [0]}\n", "experiments.yaml")
    written(tmp_path, "experiments: {a: {seeds: [7]}}\n", "demo.yaml")
    assert {name: one["seeds"] for name, one in experiments_of(tmp_path, "demo").items()} == {"a": [7], "b": []}
    written(tmp_path, "experiments: {c: {seeds: [7]}}\n", "demo.yaml")
    with pytest.raises(SettingsError, match="has none of that name"):
        experiments_of(tmp_path, "demo")


def test_seeds_of_the_study_are_those_of_experiments_that_name_none() -> None:
    study = parse_study({"seeds": [3, 4], "experiments": {"a": {"method": "classical"}, "b": {"method": "classical", "seeds": [0]}}})
    assert [(run.experiment, run.seed) for run in study.runs()] == [("a", 3), ("a", 4), ("b", 0)]


KIND = '''
from typing import Literal
from pydantic import Field
from lightweights.settings.base import Section
from lightweights.settings.runs import RunSettings, Work
from lightweights.settings.schedules import ClassicalSchedule

class SeriesSection(Section):
    """Of one's own."""
    lag: int = Field(4, ge=1, description="Values that are seen.")

class SeriesRun(RunSettings):
    version, schedules, trainer = 3, ("classical",), "chapters.series_of_one.method"
    method: Literal["series_of_one"]
    series: SeriesSection
    schedule: ClassicalSchedule

    def work(self) -> Work:
        return Work("series", 1.0)
'''


def test_a_chapter_brings_a_kind_of_run_and_its_section_without_a_line_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own, as kinds of run stay known."""
    chapter = tmp_path / "chapters/series_of_one"
    written(chapter, KIND, "settings.py")
    written(chapter, "", "__init__.py")
    text = "experiments:\n  lags: {method: series_of_one, numerics_version: 3, seeds: [0], vary: {series.lag: [2, 8]}}\n"
    written(chapter, text, "experiments.yaml")
    written(tmp_path, "study: {name: own, chapters: all}\nseries: {lag: 6}\n")
    code = (
        "from pathlib import Path; from lightweights.settings.reading import load_study; study = load_study(Path('params.yaml'));"
        "print([(run.key, run.settings.plain()['series']['lag']) for run in study.runs()], study.series.lag);"
        "from lightweights.settings.runs import RunSettings; one = study.runs()[0].settings;"
        "assert RunSettings.model_validate_json(one.to_json()) == one and one.photonics is None"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["[('lags/lag=2/seed-0',", "2),", "('lags/lag=8/seed-0',", "8)]", "6"]
    (tmp_path / "params.yaml").write_text("study: {name: own, chapters: all}\nseries: {log: 6}\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode and "params.yaml: series.log = 6: no such setting" in done.stderr


# Kinds of run


def test_a_kind_of_run_is_found_by_its_method_and_knows_its_trainer() -> None:
    for method, kind in kinds().items():
        assert (
            kind_of(method) is kind
            and kind.version >= 1
            and kind.schedules
            and kind.trainer.startswith(("lightweights.methods.", "chapters."))
        )
    with pytest.raises(SettingsError, match=r"there are 'classical'.*did you mean quantum_train\?"):
        kind_of("quantum_trian")


def test_sections_that_other_kinds_have_are_none_and_typing_errors_are_errors() -> None:
    run = parse_study({"experiments": {"a": {"method": "classical", "seeds": [0]}}}).runs()[0]
    assert run.settings.photonics is None and isinstance(run.settings.schedule, ClassicalSchedule)
    with pytest.raises(AttributeError):
        _ = run.settings.photonic
    assert issubclass(RunSettings, Section)
    load_kinds()


# Targets and stages


def test_no_experiment_and_no_chapter_can_have_the_name_of_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    rules = targets_of_rules()
    assert {"all", "prepare", "prepare_data", "train_run", "collect", "summary", "write_report"} <= rules
    for name in sorted(rules | {"draw_all", "draw_noise", "draw_experiments", "score_claims", "train_together_1"}):
        for tree in ({name: {"method": "classical", "seeds": [0]}}, {"a": {"method": "classical", "seeds": [0], "chapter": name}}):
            with pytest.raises(SettingsError, match="the workflow has a target of that name"):
                parse_study({"experiments": tree})


def test_dvc_yaml_is_in_step_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert (ROOT / "dvc.yaml").read_text() == stages_text(Path("params.yaml")), "write it anew: lightweights stages --write"


def test_a_stage_lists_exactly_the_parameters_that_its_runs_follow_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    stages, params = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"], yaml.safe_load((ROOT / "params.yaml").read_text())
    study = load_study(Path("params.yaml"))
    for chapter in study.study.chapters:
        listed = stages[chapter]["params"]
        plain = [one for one in listed if isinstance(one, str)]
        assert [one for one in listed if not isinstance(one, str)] == [{f"chapters/{chapter}/experiments.yaml": None}]
        mine = [experiment for experiment in study.experiments.values() if experiment.chapter == chapter]
        used = {section for one in mine for section in kinds()[one.method].model_fields if section in params} - {"schedule"}
        used |= {f"schedules.{name}" for one in mine for name in schedules_of(one) if name in params["schedules"]} | {"seeds"}
        assert set(plain) == used
        asked = [name for name in study.targets()[chapter] if any(run.experiment == name for run in study.runs())]
        large = [name for name in asked if kinds()[study.experiments[name].method].large]
        wanted = {f"results/paper/runs/{name}" for name in asked} | {f"results/paper/weights/{name}" for name in large}
        assert {next(iter(out)) for out in stages[chapter]["outs"]} == wanted


def test_an_override_of_an_experiment_is_followed_by_its_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "chapters", tmp_path / "chapters", ignore=shutil.ignore_patterns("__pycache__"))
    written(tmp_path, (ROOT / "params.yaml").read_text() + "experiments: {noise_map: {seeds: [0]}}\n")
    monkeypatch.chdir(tmp_path)
    stages = yaml.safe_load(stages_text(Path("params.yaml")))["stages"]
    followed = {name for name, stage in stages.items() if "experiments.noise_map" in stage["params"]}
    assert followed == {"noise"} and "experiments" in stages["summary"]["params"]


def test_chapters_are_told_with_runs_done_and_cost(tmp_path: Path) -> None:
    tree = {"seeds": [0, 1], "experiments": {"a": {"method": "classical", "chapter": "one"}, "b": {"method": "quantum_train"}}}
    lines = chapters_text(parse_study(tree), tmp_path).splitlines()
    assert lines[0].split()[:4] == ["chapter", "experiment", "runs", "done"]
    assert lines[1].split()[:4] == ["one", "a", "2", "0"] and lines[2].split()[:4] == ["-", "b", "2", "0"]
    assert lines[3].split()[:3] == ["all", "4", "0"]
    assert lines[4].startswith("not in this study: quantum_train, ablation")


def test_chapters_have_one_order() -> None:
    assert list(found()) == [chapter.name for chapter in chapters()]


# Nothing is written before all is accepted


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mapping.bond_dim": "zero"}, "mapping.bond_dim"),
        ({"photonics.circuits": [[3, 1]]}, "fewer than the 6690 weights"),
        ({"experiments.photonic.vary": {"mapping.bond_dim": [2, 2.0]}}, "remove the repeated value"),
        ({"partial": "perhaps"}, "--config partial"),
        ({}, "models of 1 landed runs are not here"),
    ],
)
def test_a_setting_that_is_refused_leaves_every_file_as_it_was(
    given: dict, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tree = {
        "study": {"name": "small"},
        "dataset": {"name": "digits"},
        "experiments": {"photonic": {"method": "quantum_train", "seeds": [0]}, "direct": {"method": "classical", "seeds": [0]}},
    }
    written(tmp_path, yaml.safe_dump(tree), "params.yaml")
    open_workflow([], {})
    if not given:  # as DVC runs a stage whose landed models were not pulled
        monkeypatch.setenv("DVC_ROOT", str(tmp_path))
        monkeypatch.setenv("DVC_STAGE", "direct")
        monkeypatch.setattr("lightweights.study.plan.is_whole", lambda run, results: True)
        monkeypatch.setattr("lightweights.study.plan.large_experiments", lambda study: ["direct"])
        given = {"study.title": "Another"}
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.name == "study.json" for path in before)
    with pytest.raises(SettingsError, match=told):
        open_workflow([], given)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()} == before
