"""Short runs that share a process, and memory that stays with it."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from houses import call, dry_run, new_house, small_study
from synthetic import fabricate_run

from lightweights.settings.reading import load_study
from lightweights.settings.runs import Run
from lightweights.settings.study import parse_study
from lightweights.study.cost import START_SECONDS, estimate
from lightweights.study.faults import RunError
from lightweights.study.together import groups, key_of, shared, train_each


def test_short_runs_share_processes_and_long_ones_have_their_own() -> None:
    runs = load_study(REPOSITORY / "params.yaml", REPOSITORY / "workflow/presets/demo.yaml").runs()
    seconds = {run.key: estimate(run.settings).seconds - START_SECONDS for run in runs}
    limit = 40.0
    groups = shared(runs, limit)
    grouped = [run for group in groups for run in group]
    assert grouped == [run for run in runs if seconds[run.key] <= limit and not run.settings.work().alone]
    for group, following in itertools.pairwise(groups):
        assert sum(seconds[run.key] for run in group) <= limit
        full = sum(seconds[run.key] for run in group) + seconds[following[0].key] > limit
        assert full or group[0].experiment != following[0].experiment  # no process more than needed
    assert all(len({run.experiment for run in group}) == 1 for group in groups)  # asked for alone, one is trained alone
    assert shared(runs, 0.0) == []


JOB = ("--mode", "remote", "--force", "--nolock", "--ignore-incomplete", "--keep-incomplete", "--target-jobs")
"""As Snakemake starts itself for a job of a cluster; what follows names the job."""


def four_in_two(folder: Path) -> tuple[Path, list[Run]]:
    """A study of four runs of which two share a process each, in a folder of its own."""
    tree = small_study()
    tree["experiments"] = {"classical": {"method": "classical", "seeds": [0, 1, 2, 3]}}
    tree["execution"] = {"together_seconds": 0.8}
    runs = parse_study(tree).runs()
    assert groups(runs, 1, 0.8) == [runs[:2], runs[2:]]
    return new_house(folder, tree), runs


def test_a_job_stands_for_the_same_runs_whichever_are_done_meanwhile(tmp_path: Path) -> None:
    house, runs = four_in_two(tmp_path / "house")
    fabricate_run(runs[0], house / "results")
    assert trained(house, "classical") == [[1], [2, 3]]
    fabricate_run(runs[1], house / "results")
    assert trained(house, *JOB, "train_together_2:") == [[2, 3]]
    assert trained(house, *JOB, "train_together_1:") == [[]]  # all done, as if the job was lost at its end and is started again


def trained(house: Path, *words: str) -> list[list[int]]:
    """Seeds of the runs that each process would train."""
    commands = re.findall("train-together small (.*)--threads", dry_run(house, "--cores", "1", "-p", *words))
    return sorted([int(seed) for seed in re.findall(r"seed-(\d+)", command)] for command in commands)


@pytest.mark.whole
def test_a_job_that_is_started_again_keeps_what_it_has_finished(tmp_path: Path) -> None:
    house, runs = four_in_two(tmp_path / "house")
    kept = fabricate_run(runs[2], house / "results") / "metrics.json"
    before = kept.read_bytes()
    call(house, "snakemake", "--cores", "1", *JOB, "train_together_2:")
    assert kept.read_bytes() == before
    assert sorted(folder.name for folder in kept.parents[1].iterdir()) == ["seed-2", "seed-3"]
    new = kept.parents[1] / "seed-3/metrics.json"
    stamp = new.stat().st_mtime_ns
    call(house, "snakemake", "--cores", "1", *JOB, "train_together_2:")
    assert new.stat().st_mtime_ns == stamp and kept.read_bytes() == before


@pytest.mark.parametrize("error", [RunError("diverged; use a smaller lr"), ValueError("no such axis"), KeyError("x")])
def test_a_run_that_fails_leaves_the_others_and_is_named(tmp_path: Path, error: Exception) -> None:
    runs = [run for run in load_study(REPOSITORY / "params.yaml", REPOSITORY / "workflow/presets/demo.yaml").runs()][:3]
    for run in runs:
        file = tmp_path / run.study / "settings" / run.experiment / f"{run.variant}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(run.settings.to_json())
    done, said = [], []

    def train(run, data: Path) -> str:
        assert data == tmp_path / "demo/data/digits.safetensors"
        if run == runs[1]:
            raise error
        done.append(run)
        return run.key

    with pytest.raises(RunError, match=f"1 of 3 runs failed.*{runs[1].key}$"):
        train_each("demo", [run.key for run in runs], train, said.append, tmp_path)
    assert done == [runs[0], runs[2]]
    assert f"{runs[1].key}: {'KeyError: ' if isinstance(error, KeyError) else ''}{error}" in said


@pytest.mark.parametrize("text", ["classical", "classical/base/0", "classical/base/seed-x", "a/b/c/seed-1"])
def test_what_is_no_key_of_a_run_is_refused(text: str) -> None:
    with pytest.raises(RunError, match="expected a run's key, EXPERIMENT/VARIANT/seed-K"):
        key_of(text)


REPOSITORY = Path(__file__).parents[1]

FAULTS = """
import resource, sys
from lightweights.allocator import keep_memory
if sys.argv[1] == "kept":
    print(keep_memory(), file=sys.stderr)
def work():
    for _ in range(50):
        block = bytearray(8 * 2**20)
        for page in range(0, len(block), 4096):
            block[page] = 1
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tells glibc's malloc")
def test_memory_that_is_kept_is_not_fetched_anew() -> None:
    faults = {
        way: int(subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, text=True, check=True).stdout)
        for way in ("kept", "given back")
    }
    assert faults["kept"] < 0.01 * faults["given back"]
