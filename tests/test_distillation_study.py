"""Teachers and students as runs of a study: settings, teachers found and checked, resumption, what a run reports."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from lightweights.datasets import Dataset
from lightweights.distillation.calibration import scores
from lightweights.distillation.data import logits_of
from lightweights.methods.distillation import TeacherError, distillation_data, new_student, source
from lightweights.methods.models import plain, taken_up
from lightweights.networks.teacher import seeded_teacher
from lightweights.settings.base import SettingsError
from lightweights.settings.runs import Run, RunSettings
from lightweights.settings.study import Study, parse_study
from lightweights.study.checkpoint import resume, save_checkpoint
from lightweights.study.execute import begin, execute, finish
from lightweights.study.layout import metrics_file, model_file, run_folder, weights_file

CPU = torch.device("cpu")
ONE_THREAD = {"threads": 1, "device": "cpu", "checkpoint_seconds": 600.0}
TREE = {
    "study": {"name": "trial"},
    "dataset": {"name": "digits"},
    "time_bin": {"modes": 6},
    "feature": {"shots": 20, "fit_draws": 8},
    "teacher": {"widths": [6, 8, 8]},
    "student": {"rank": 3},
    "schedules": {
        "teacher": {"epochs": 3, "lr": 0.01, "batch_size": 20},
        "student": {"epochs": 3, "lr": 0.01, "batch_size": 20, "spsa_steps": 2, "spsa_batches": 1, "spsa_feature": "ema"},
    },
    "experiments": {
        "teacher": {"method": "teacher", "seeds": [0, 1]},
        "student": {"method": "student", "teacher": "teacher", "seeds": [0, 1], "vary": {"feature.source": ["photonic", "gaussian-fixed"]}},
        "trained": {"method": "student", "teacher": "teacher", "seeds": [0], "override": {"student.mixing": "trained"}},
        "plain": {
            "method": "student",
            "teacher": "teacher",
            "seeds": [0],
            "override": {"student.compressed": "none", "student.widths": [3, 4, 5]},
        },
    },
}


def study(**experiments: dict) -> Study:
    return parse_study(TREE | {"experiments": TREE["experiments"] | experiments})


def run_of(key: str, **experiments: dict) -> Run:
    return next(run for run in study(**experiments).runs() if run.key == key)


TEACHER, PHOTONIC = "teacher/base/seed-0", "student/source=photonic/seed-0"


@pytest.fixture(scope="module")
def taught(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with the teacher's run."""
    results = tmp_path_factory.mktemp("results")
    execute(run_of(TEACHER), tiny, results, **ONE_THREAD)
    return results


def teacher_file(results: Path) -> Path:
    return weights_file(run_of(TEACHER), results)


# Settings


def test_a_students_settings_hold_its_teachers_and_no_others() -> None:
    settings = run_of(PHOTONIC).settings
    assert settings.source == run_of(TEACHER).settings
    assert settings.network is settings.photonics is settings.mapping is None
    longer = run_of("student/source=photonic/seed-0", teacher=TREE["experiments"]["teacher"] | {"override": {"schedule.epochs": 4}})
    assert longer.settings != settings
    assert longer.settings.source.schedule.epochs == 4
    assert RunSettings.model_validate_json(settings.to_json()) == settings


def test_exact_features_are_told_from_the_default_in_a_settings_file() -> None:
    exact = run_of("exact/shots=exact/seed-0", exact=student(override={"feature.shots": "exact"})).settings
    assert RunSettings.model_validate_json(exact.to_json()).feature.shots == "exact"


def student(**changes: object) -> dict:
    return {"method": "student", "teacher": "teacher", "seeds": [0]} | changes


def test_students_without_a_generated_mixing_have_no_feature() -> None:
    for key in ("trained/mixing=trained/seed-0", "plain/compressed=none,widths=3.4.5/seed-0"):
        settings = run_of(key).settings
        assert settings.feature is settings.time_bin is None
    with pytest.raises(SettingsError, match=r"experiments.idle: feature.shots does nothing, as no mixing"):
        study(idle=student(override={"student.mixing": "latent", "feature.shots": 10}))
    with pytest.raises(SettingsError, match=r"latent is 15, but mixing is generated"):
        study(idle=student(override={"student.latent": 15}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": [0, 7]}, "teacher trains no teacher with seed 7; add the seed there"),
        ({"teacher": "plain"}, "teacher is plain: expected an experiment of method teacher; there are teacher"),
        ({"teacher": None}, "method is student and teacher is missing"),
        ({"override": {"distillation_data.train_images": 50}}, r"teacher has no variants with .*train_images': 50"),
        ({"override": {"teacher.widths": [9, 9, 9]}}, r"teacher has no variants with .*teacher.widths \(9, 9, 9\)"),
        ({"override": {"time_bin.modes": 7}}, "multiple of 2"),
        ({"override": {"time_bin.input_state": [1, 1]}}, "expected 6 photon numbers"),
        ({"schedule": "teacher"}, "schedule teacher does not fit method student"),
        ({"override": {"network.name": "cnn"}}, "no setting 'network.name'"),
    ],
)
def test_impossible_students_are_refused_by_name(change: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        study(impossible=student(**change))
    with pytest.raises(SettingsError, match="method is classical and teacher is teacher"):
        study(impossible={"method": "classical", "teacher": "teacher", "seeds": [0]})


def test_the_teacher_of_the_named_width_is_found() -> None:
    many = {"method": "teacher", "seeds": [0], "vary": {"teacher.widths": [[6, 8, 8], [4, 4, 4]]}}
    chosen = study(many=many, narrow=student(teacher="many", override={"teacher.widths": [4, 4, 4]}))
    run = next(run for run in chosen.runs() if run.experiment == "narrow")
    assert chosen.teachers(chosen.runs())[run.key].variant == "widths=4.4.4"
    with pytest.raises(SettingsError, match="many has 2 variants"):
        study(many=many, any=student(teacher="many"))


def test_students_that_are_left_out_need_no_teacher() -> None:
    assert not [run for run in study(out=student(seeds=[], teacher="nobody")).runs() if run.experiment == "out"]


# Training


@pytest.mark.parametrize("key", [TEACHER, PHOTONIC, "trained/mixing=trained/seed-0"])
def test_resumed_after_any_epoch_a_run_gives_the_same_bits(key: str, tiny: Dataset, taught: Path, tmp_path: Path) -> None:
    run = run_of(key)
    teacher = None if key == TEACHER else source(run, tiny, teacher_file(taught))[0]
    whole, progress, total = begin(run.settings, tiny, 0, CPU, teacher=teacher)
    files = []
    for _ in progress:
        files.append(tmp_path / f"{len(files)}.safetensors")
        save_checkpoint(whole, run, files[-1])
    assert len(files) == total == 3
    expected = whole.tensors()
    for done, file in enumerate(files[:-1], start=1):
        resumed, progress, _ = begin(run.settings, tiny, 0, CPU, teacher=teacher)
        resume(resumed, run, file)
        assert len(list(progress)) == total - done
        found = resumed.tensors()
        assert [name for name, value in expected.items() if not torch.equal(value, found[name])] == []
        assert finish(resumed, run.settings, tiny, 0).final == finish(whole, run.settings, tiny, 0).final


def test_a_student_killed_after_an_epoch_ends_with_the_same_files(tiny: Dataset, taught: Path, tmp_path: Path, monkeypatch) -> None:
    from lightweights.study import execute as module

    run, teacher = run_of(PHOTONIC), teacher_file(taught)
    execute(run, tiny, tmp_path / "whole", **ONE_THREAD, teacher=teacher)

    def save_and_stop(*arguments: object) -> None:
        save_checkpoint(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "save_checkpoint", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        execute(run, tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=0.0, teacher=teacher)
    monkeypatch.undo()
    execute(run, tiny, tmp_path, **ONE_THREAD, teacher=teacher)
    assert model_file(run, tmp_path).read_bytes() == model_file(run, tmp_path / "whole").read_bytes()
    one, other = (pd.read_csv(run_folder(run, place) / "history.csv").drop(columns="seconds") for place in (tmp_path, tmp_path / "whole"))
    pd.testing.assert_frame_equal(one, other)


def test_a_student_reports_its_sets_counts_and_teacher(tiny: Dataset, taught: Path, tmp_path: Path) -> None:
    run = run_of(PHOTONIC)
    result = execute(run, tiny, tmp_path, **ONE_THREAD, teacher=teacher_file(taught))
    metrics = json.loads(metrics_file(run, tmp_path).read_text())
    teacher = json.loads(metrics_file(run_of(TEACHER), taught).read_text())
    assert metrics["provenance"]["teacher_sha256"] == teacher["model"]["sha256"]
    for part in ("train", "validation", "test", "other"):
        assert {f"{part}_accuracy_percent", f"{part}_cross_entropy", f"{part}_calibration_error_percent"} <= set(metrics["final"])
    full = (25 + 1) * 6 + (9 * 6 + 1) * 8 + (9 * 8 + 1) * 8 + (8 + 1) * 3
    assert teacher["parameters"]["trained_published"] == teacher["parameters"]["target"] == metrics["parameters"]["target"] == full
    compressed = 3 * 25 + 6 + 3 * 9 + 8 + (9 * 8 + 1) * 8
    assert metrics["parameters"]["convolutions"] == compressed
    assert metrics["parameters"]["trained_used"] == compressed + (8 + 1) * 3 + 10
    assert metrics["parameters"]["phases_used"] == 10
    # The stored numbers, with settings and seed, are all that inference needs.
    stored = load_file(model_file(run, tmp_path))
    network = plain(run.settings, taken_up(run.settings, tiny, 0, stored))
    data = distillation_data(run.settings, tiny, 0, CPU)
    test = data.tests["test"]
    found = scores(logits_of(network, test.images, "float32"), test.labels, "test")
    assert found == {name: result.final[name] for name in found}
    assert {"theta", "network.conv1.basis", "network.conv1.feature"} <= set(stored)
    assert not any(name.endswith(("seed", "smoothed", "mixing")) or name.startswith("source.") for name in stored)


def test_controls_count_no_angles_that_they_do_not_tune(tiny: Dataset, taught: Path) -> None:
    run = run_of("student/source=gaussian-fixed/seed-0")
    training, _, _ = begin(run.settings, tiny, 0, CPU, teacher=source(run, tiny, teacher_file(taught))[0])
    training.rows.append({"test_accuracy_percent": 1.0})
    counts = finish(training, run.settings, tiny, 0).parameters
    assert (counts["phases_published"], counts["phases_used"]) == (10, 0)
    assert counts["trained_published"] - counts["trained_used"] == 10


def test_the_best_teacher_reports_its_own_epoch(tiny: Dataset) -> None:
    run = run_of("best/keep=best/seed-0", best={"method": "teacher", "seeds": [0], "override": {"schedule.keep": "best"}})
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    list(progress)
    for row, accuracy in zip(training.rows, (50.0, 70.0, 70.0), strict=True):
        row["validation_accuracy_percent"] = accuracy
        row["test_accuracy_percent"] = 10.0 * row["epoch"]
    assert finish(training, run.settings, tiny, 0).final["test_accuracy_percent"] == 20.0


def test_students_of_a_seed_share_data_and_initial_values_with_their_teacher(tiny: Dataset) -> None:
    one, other = run_of(PHOTONIC).settings, run_of("student/source=gaussian-fixed/seed-0").settings
    networks = [new_student(settings, (1, 16, 16), 3, 0).network for settings in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True))
    splits = [distillation_data(settings, tiny, 0, CPU) for settings in (one, one.source)]
    assert torch.equal(splits[0].validation.images, splits[1].validation.images)


# Teachers that are not there, or others


def test_a_student_without_its_teacher_says_what_to_do(tiny: Dataset, taught: Path, tmp_path: Path) -> None:
    run = run_of(PHOTONIC)
    with pytest.raises(TeacherError, match=r"student/source=photonic/seed-0 distils a teacher, and none was given; `snakemake"):
        execute(run, tiny, tmp_path, **ONE_THREAD)
    with pytest.raises(TeacherError, match=r"seed-9.safetensors cannot be read"):
        source(run, tiny, teacher_file(taught).with_name("seed-9.safetensors"))
    with pytest.raises(TeacherError, match=r"seed-0.safetensors is not its teacher \(seed 0\)"):
        source(run_of("student/source=photonic/seed-1"), tiny, teacher_file(taught))
    longer = run_of(PHOTONIC, teacher=TREE["experiments"]["teacher"] | {"override": {"schedule.epochs": 4}})
    with pytest.raises(TeacherError, match=r"is not its teacher \(seed 0, other settings\).*'epochs': 4"):
        source(longer, tiny, teacher_file(taught))


def test_a_teacher_that_is_not_what_its_run_wrote_is_refused(tiny: Dataset, tmp_path: Path) -> None:
    execute(run_of(TEACHER), tiny, tmp_path, **ONE_THREAD)
    file = teacher_file(tmp_path)
    other = seeded_teacher((1, 16, 16), 3, (6, 8, 8), generator=torch.Generator())
    content = file.read_bytes()
    file.write_bytes(content[:-4] + bytes(4))
    with pytest.raises(TeacherError, match=r"has SHA-256 .*, but metrics.json has .*; delete it"):
        source(run_of(PHOTONIC), tiny, file)
    file.write_bytes(content)
    found, _ = source(run_of(PHOTONIC), tiny, file)
    assert not torch.equal(found.conv1.weight, other.conv1.weight)
    assert not any(p.requires_grad for p in found.parameters())
