"""The profiles: what they set is known to Snakemake, and what jobs ask for and share is what the pages in docs/ say."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from houses import PHOTONIC, RUNS_CSV, call, dry_run, new_house, small_study

from lightweights.settings.study import parse_study
from lightweights.study.cost import job_memory_mb, job_minutes

PROFILES = Path(__file__).parents[1] / "workflow/profiles"
CLUSTERS = {"slurm": "slurm", "cluster-generic": "cluster-generic", "kubernetes": "cluster-generic"}
"""Profiles and their executors."""

KUBECTL = """\
#!{python}
# Stands in for kubectl: runs the command of a job's container at once, with nothing of this process's environment.
import json, pathlib, subprocess, sys
import yaml
house = pathlib.Path(__file__).parent
if sys.argv[1] == "create":
    job = yaml.safe_load(sys.stdin)
    name = f"job.batch/{{job['metadata']['generateName']}}{{len(list(house.glob('*.json')))}}"
    (house / (name.replace("/", "_") + ".json")).write_text(json.dumps(job))
    pod = job["spec"]["template"]["spec"]
    box = pod["containers"][0]
    environment = {{"PATH": "/usr/local/bin:/usr/bin:/bin"}} | {{pair["name"]: pair["value"] for pair in box["env"]}}
    with (house / "pods.log").open("ab") as log:
        done = subprocess.run(box["command"], cwd=box["workingDir"], env=environment, stdout=log, stderr=log)
    (house / (name.replace("/", "_") + ".state")).write_text("Failed" if done.returncode else "SuccessCriteriaMet Complete")
    print(name)
elif sys.argv[1] == "get":
    print(sys.argv[2], (house / (sys.argv[2].replace("/", "_") + ".state")).read_text())
"""


def profile(name: str) -> dict:
    return yaml.safe_load((PROFILES / name / "config.yaml").read_text())


def needs(executor: str) -> None:
    if importlib.util.find_spec(f"snakemake_executor_plugin_{executor.replace('-', '_')}") is None:
        pytest.skip(f"snakemake-executor-plugin-{executor} is not installed; `make env` installs it")


def stand_in(folder: Path, name: str, script: str) -> dict[str, str]:
    """An environment in which a program is this script."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)
    return os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("name", CLUSTERS)
def test_profiles_group_runs_as_the_plan_reckons(name: str) -> None:
    from lightweights.study.forecast import RUNS_A_JOB

    settings = profile(name)
    assert settings["executor"] == CLUSTERS[name]
    runs = {f"{kind}={size}" for kind, size in RUNS_A_JOB.items() if size > 1}
    assert set(settings["group-components"]) == {*runs, "summary=100"}
    assert settings["resources"] == ["run_slot=1"] and settings["set-resource-scopes"] == ["run_slot=local"]
    assert settings["default-resources"]["run_slot"] == 1  # what shares a job is done one after the other
    assert settings["retries"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", CLUSTERS)
def test_a_dry_run_with_each_profile(name: str, tmp_path: Path) -> None:
    needs(CLUSTERS[name])
    said = call(new_house(tmp_path / "house"), "snakemake", "--profile", f"workflow/profiles/{name}", "-n", RUNS_CSV)
    assert re.search(r"train_run +2\n", said)
    assert "cpus_per_task=1" in said and "run_slot=1" in said


def test_a_job_on_a_cluster_finds_runs_whose_variant_has_commas(tmp_path: Path) -> None:
    """As executors start it there: Snakemake splits the names of its runs at commas."""
    house = new_house(tmp_path / "house")
    experiment, variant, seed = PHOTONIC.split("/")
    named = f'train_run:experiment={experiment},variant="{variant}",seed={seed.removeprefix("seed-")}'
    assert f"results/small/runs/{PHOTONIC}/metrics.json" in dry_run(house, "--cores", "1", "--target-jobs", named)


def test_the_state_of_a_job_on_pbs(tmp_path: Path) -> None:
    states = {
        "running": "    job_state = R",
        "success": "    job_state = F\n    Exit_status = 0",
        "failed": "    job_state = F\n    Exit_status = 271",
    }
    for expected, answer in states.items():
        environment = stand_in(tmp_path, "qstat", f"#!/bin/sh\ncat <<'END'\nJob Id: 12\n{answer}\nEND\n")
        done = subprocess.run([PROFILES / "cluster-generic/status-pbs", "12"], capture_output=True, text=True, env=environment)
        assert done.stdout.strip() == expected


def test_the_state_of_a_job_on_kubernetes(tmp_path: Path) -> None:
    states = {
        "echo name": "running",
        "echo name SuccessCriteriaMet": "running",
        "echo name SuccessCriteriaMet Complete": "success",
        "echo name FailureTarget Failed": "failed",
        "true": "failed",  # deleted
        "exit 1": "running",  # out of reach
    }
    for answer, expected in states.items():
        environment = stand_in(tmp_path, "kubectl", f"#!/bin/sh\n{answer}\n")
        done = subprocess.run([PROFILES / "kubernetes/status", "job.batch/x"], capture_output=True, text=True, env=environment)
        assert done.stdout.strip() == expected, answer


def test_a_pod_gets_the_programs_of_this_environment_and_a_user_and_its_time_runs_on_a_node(tmp_path: Path) -> None:
    environment = stand_in(tmp_path, "kubectl", "#!/bin/sh\ncat\n")
    nameless = stand_in(tmp_path, "id", '#!/bin/sh\n[ "$1" != -un ] && echo 12345\n')
    for given, user in ((environment, r"\w+"), (nameless, "lightweights")):
        words = ["sh", str(PROFILES / "kubernetes/submit"), "image", "claim", "/volume", "1", "900", "7", "script"]
        job = yaml.safe_load(subprocess.run(words, capture_output=True, text=True, env=given, check=True).stdout)["spec"]
        pod = job["template"]["spec"]
        told = {pair["name"]: pair["value"] for pair in pod["containers"][0]["env"]}
        assert (told["HOME"], told["PATH"]) == ("/tmp", given["PATH"]) and re.fullmatch(user, told["USER"])
        assert pod["activeDeadlineSeconds"] == 420 and "activeDeadlineSeconds" not in job


@pytest.mark.slow
def test_pods_get_the_volume_and_what_the_rules_ask_for_and_train_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("cluster-generic")
    house = new_house(tmp_path / "house")
    environment = stand_in(tmp_path / "bin", "kubectl", KUBECTL.format(python=sys.executable))
    monkeypatch.setenv("PATH", environment["PATH"])
    call(house, "snakemake", "--profile", "workflow/profiles/kubernetes", "--latency-wait", "5", "--", RUNS_CSV)
    assert (house / RUNS_CSV).is_file()
    _, first, _ = (tmp_path / "bin/pods.log").read_text().split("rule train_run:")
    assert "Finished jobid" in first  # before the next began
    jobs = [yaml.safe_load(file.read_text())["spec"] for file in (tmp_path / "bin").glob("*.json")]
    assert len(jobs) == 2  # both runs, and what follows them
    pod = max((job["template"]["spec"] for job in jobs), key=lambda pod: pod["activeDeadlineSeconds"])
    box = pod["containers"][0]
    runs = parse_study(small_study()).runs()
    assert pod["activeDeadlineSeconds"] == 60 * sum(job_minutes(run.settings) for run in runs)
    assert box["resources"]["limits"]["memory"] == f"{max(job_memory_mb(run.settings) for run in runs)}Mi"
    assert box["resources"]["requests"]["cpu"] == "1" and box["workingDir"] == str(house)
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == "lightweights"
    assert box["volumeMounts"] == [{"name": pod["volumes"][0]["name"], "mountPath": "/volume"}]


@pytest.mark.slow
def test_gpus_of_the_settings_reach_the_runs(tmp_path: Path) -> None:
    study = small_study()
    study["execution"] |= {"device": "cuda", "gpus": [4, 7]}
    said = call(new_house(tmp_path / "house", study), "snakemake", "-n", "-p", RUNS_CSV)
    assert said.count("--gpus 4,7") == 2
