"""`lightweights plan` and what jobs ask of a cluster: from landed runs where there are any, else from a table."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lightweights.methods.distillation import new_student
from lightweights.networks.dictionary import KEPT_NUMBERS, dictionary_layers
from lightweights.settings.execution import Execution
from lightweights.settings.kinds import LARGEST_MATRIX_MB
from lightweights.settings.reading import load_study
from lightweights.settings.study import parse_study
from lightweights.study import cost
from lightweights.study.cost import Costs, estimate, job_group, job_memory_mb, job_minutes
from lightweights.study.forecast import duration, forecast, jobs_of, makespan, plan_text
from lightweights.study.layout import metrics_file

TREE = {
    "study": {"name": "trial"},
    "dataset": {"name": "mnist-partial"},
    "experiments": {
        "classical": {"method": "classical", "seeds": [0, 1]},
        "photonic": {"method": "quantum_train", "seeds": [0, 1], "vary": {"mapping.bond_dim": [1, 4]}},
        "cobyla": {"method": "quantum_train", "schedule": "cobyla", "seeds": [0], "override": {"schedule.rounds": 10}},
        "other": {"method": "quantum_train", "seeds": [0], "override": {"schedule.rounds": 20, "mapping.bond_dim": 2}},
    },
}
STUDY = parse_study(TREE)


def run_of(key: str):
    return next(run for run in STUDY.runs() if run.key == key)


def land(key: str, seconds: float, results: Path, **provenance: object) -> None:
    path = metrics_file(run_of(key), results)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"provenance": {"wall_seconds": seconds, **provenance}}))


def test_work_counts_images_forward_once_and_trained_thrice() -> None:
    assert run_of("classical/base/seed-0").settings.work().millions == pytest.approx(50 * (3 * 6000 + 16_600) / 1e6)
    photonic = 200 * (5 * 3 * 6000 + 20 * 3 * 1000 + 16_600) / 1e6
    assert run_of("photonic/bond_dim=4/seed-0").settings.work().millions == pytest.approx(photonic)
    assert run_of("cobyla/rounds=10/seed-0").settings.work().millions == pytest.approx(10 * (5 * 3 * 6000 + 1000 * 1000 + 16_600) / 1e6)


def test_the_table_is_near_what_was_measured_on_partial_mnist() -> None:
    """Wall times of landed runs: 50 epochs 34 s, 200 rounds 550 to 760 s, ten rounds of COBYLA 246 to 303 s."""
    assert 25 < estimate(run_of("classical/base/seed-0").settings).seconds < 60
    assert 500 < estimate(run_of("photonic/bond_dim=4/seed-0").settings).seconds < 900
    assert 240 < estimate(run_of("cobyla/rounds=10/seed-0").settings).seconds < 350


def test_landed_runs_calibrate_their_variant_then_their_experiment_then_their_family(tmp_path: Path) -> None:
    land("photonic/bond_dim=4/seed-0", 400.0, tmp_path, peak_memory_mb=5000)
    costs = Costs(STUDY.runs(), tmp_path)
    found = {key: costs.of(run_of(key)) for key in ("photonic/bond_dim=4/seed-1", "photonic/bond_dim=1/seed-0", "classical/base/seed-0")}
    assert [c.source for c in found.values()] == ["variant", "experiment", "table"]
    assert found["photonic/bond_dim=4/seed-1"].seconds == pytest.approx(400 + cost.START_SECONDS)
    other = costs.of(run_of("other/rounds=20,bond_dim=2/seed-0"))
    assert (other.source, other.seconds) == ("family", pytest.approx(40 + cost.START_SECONDS))
    assert other.memory_mb == 5000


def test_what_a_gpu_or_a_batch_trained_tells_nothing_of_a_cores_seconds(tmp_path: Path) -> None:
    for number, provenance in enumerate(({"device": "NVIDIA H200"}, {"device": "cpu: any", "batch": 10})):
        land("photonic/bond_dim=4/seed-0", 20.0, tmp_path / str(number), **provenance)
        assert Costs(STUDY.runs(), tmp_path / str(number)).of(run_of("photonic/bond_dim=4/seed-1")).source == "table"
    land("photonic/bond_dim=4/seed-0", 20.0, tmp_path, device="cpu: any")
    assert Costs(STUDY.runs(), tmp_path).of(run_of("photonic/bond_dim=4/seed-1")).source == "variant"


def test_a_damaged_run_calibrates_nothing(tmp_path: Path) -> None:
    path = metrics_file(run_of("classical/base/seed-0"), tmp_path)
    path.parent.mkdir(parents=True)
    for content in (
        "",
        "[]",
        '{"provenance": {"wall_seconds": "long"}}',
        '{"provenance": null}',
        '{"provenance": {"wall_seconds": 1' + "0" * 400 + "}}",
        '{"provenance": {"wall_seconds": NaN}}',
        '{"provenance": {"wall_seconds": -1}}',
        '{"provenance": {"wall_seconds": 1, "threads": 1' + "0" * 400 + "}}",
        '{"provenance": {"wall_seconds": 1, "peak_memory_mb": 1' + "0" * 400 + "}}",
    ):
        path.write_text(content)
        assert "classical" in plan_text(STUDY, 2, 2, 16, tmp_path)
        assert Costs(STUDY.runs(), tmp_path).of(run_of("classical/base/seed-1")).source == "table"


def test_jobs_ask_for_more_at_each_attempt_and_short_runs_share_one() -> None:
    settings = run_of("photonic/bond_dim=4/seed-0").settings
    assert [job_minutes(settings, n) / job_minutes(settings) for n in (1, 2, 3)] == [1, 2, 3]
    assert [job_memory_mb(settings, n) / job_memory_mb(settings) for n in (1, 2, 3)] == [1, 2, 3]
    assert job_minutes(settings) * 60 > 2 * estimate(settings).seconds
    groups = [job_group(run_of(key).settings) for key in ("classical/base/seed-0", "photonic/bond_dim=4/seed-0")]
    assert groups == ["short", "medium"]
    long = parse_study(TREE | {"dataset": {"name": "mnist"}}).runs()
    assert job_group(next(run for run in long if run.experiment == "photonic").settings) is None


def test_time_on_several_places() -> None:
    assert makespan([], 4) == 0
    assert makespan([3, 3, 3], 1) == 9
    assert makespan([4, 3, 3, 2], 2) == 6
    assert makespan([5, 1], 10) == 5
    assert len(jobs_of([("short", 30.0)] * 41 + [("medium", 300.0)] * 5 + [(None, 4000.0)] * 2)) == 3 + 2 + 2
    assert jobs_of([("short", 30.0), ("short", 3000.0)]) == [15 + 3030]  # as the table groups them, however long they take


def test_threads_share_the_core_seconds_of_a_run(tmp_path: Path) -> None:
    """A run that took 100 s with four threads has cost 400 core-seconds, and so will the next, whatever its threads."""
    land("photonic/bond_dim=4/seed-0", 100.0, tmp_path, threads=4)
    costs = Costs(STUDY.runs(), tmp_path)
    assert costs.of(run_of("photonic/bond_dim=4/seed-1")).seconds == pytest.approx(400 + cost.START_SECONDS)
    lines, _ = forecast(STUDY, tmp_path)
    hours = f"{sum(line.seconds for line in lines) / 3600:.1f}"
    for threads in (1, 4):
        text = plan_text(STUDY.model_copy(update={"execution": Execution(threads=threads)}), 4, None, 4, tmp_path)
        (total,) = (line.split() for line in text.splitlines() if line.startswith("all "))
        assert total[3] == hours


def test_memory_of_distillation_counts_the_copies_of_its_data() -> None:
    """Cutting and normalising CIFAR-10 was measured to take 2.2 GiB, Python and torch included."""
    tree = {"dataset": {"name": "cifar-10"}, "experiments": {name: {"method": name, "seeds": [0]} for name in ("teacher", "classical")}}
    distilled, direct = (estimate(run.settings).memory_mb for run in parse_study(tree).runs())
    assert 2300 < distilled < 3200
    assert direct < 1600


def test_memory_of_a_student_counts_its_fixed_matrices() -> None:
    vary = {"student.compressed": ["none", "partial", "extreme"], "student.rank": [8, 32]}
    tree = {
        "dataset": {"name": "mnist"},
        "experiments": {
            "teacher": {"method": "teacher", "seeds": [0]},
            "student": {"method": "student", "teacher": "teacher", "seeds": [0], "vary": vary},
        },
    }
    told = {}
    for run in parse_study(tree).runs():
        layers = 0
        if run.settings.student is not None:
            network = new_student(run.settings, (1, 28, 28), 10, 0, sourced=False).network
            layers = sum(4 * layer.rows * layer.feature_size for layer in dictionary_layers(network)) / 2**20
        told[run.key] = (estimate(run.settings).memory_mb, layers)
    without = told["teacher/base/seed-0"][0]
    for memory, layers in told.values():
        assert memory == without + math.ceil(layers)
    assert max(layers for _, layers in told.values()) > LARGEST_MATRIX_MB
    assert KEPT_NUMBERS * 4 / 2**20 == LARGEST_MATRIX_MB


def test_the_plan_counts_what_is_to_do(tmp_path: Path) -> None:
    land("classical/base/seed-0", 36.0, tmp_path)
    land("classical/base/seed-1", 36.0, tmp_path)
    lines, left = forecast(STUDY, tmp_path)
    assert {line.experiment: (line.asked, line.to_do) for line in lines} == {
        "classical": (2, 0),
        "photonic": (4, 4),
        "cobyla": (1, 1),
        "other": (1, 1),
    }
    text = plan_text(STUDY, 2, 2, 16, tmp_path)
    assert "all" in text and "Here, 2 cores: " in text and "Cluster, 2 nodes with 16 cores: " in text and "off by a factor of two" in text
    assert len(left) == 6


def test_durations_read_well() -> None:
    assert [duration(s) for s in (0.2, 40, 720, 12_600, 181_440)] == ["1 s", "40 s", "12 min", "3.5 h", "2.1 days"]


def test_the_command_prints_the_plan_without_training_anything(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(json.dumps(TREE))
    lightweights = [sys.executable, "-c", "from lightweights.cli import main; main()", "plan", "--cores", "2", "--nodes", "3"]
    done = subprocess.run(lightweights, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert "core-hours" in done.stdout and "Cluster, 3 nodes with 32 cores" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_teachers_and_students_share_no_job_on_a_cluster() -> None:
    """A student waits for its teacher; the runs of a job must not wait for each other."""
    groups: dict[bool, set[str | None]] = {True: set(), False: set()}
    for run in load_study(Path("params.yaml"), Path("workflow/presets/demo.yaml")).runs():
        groups[run.settings.method in ("teacher", "student")].add(job_group(run.settings))
    assert groups == {True: {None}, False: {"short"}}
