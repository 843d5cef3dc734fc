"""The profiles: what they set is known to Snakemake, and what jobs ask for and share is what docs/cluster.md says."""

import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from houses import RUNS_CSV, call, new_house, small_study

PROFILES = Path(__file__).parents[1] / "workflow/profiles"
CLUSTERS = ("slurm", "cluster-generic", "kubernetes")


def profile(name: str) -> dict:
    return yaml.safe_load((PROFILES / name / "config.yaml").read_text())


@pytest.mark.parametrize("name", CLUSTERS)
def test_profiles_group_runs_as_the_plan_reckons(name: str) -> None:
    from lightweights.study.forecast import RUNS_A_JOB

    settings = profile(name)
    assert settings["executor"] == name
    assert {f"{kind}={size}" for kind, size in RUNS_A_JOB.items() if size > 1} == set(settings["group-components"])
    assert settings["resources"] == ["run_slot=1"] and settings["set-resource-scopes"] == ["run_slot=local"]
    assert settings["retries"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", CLUSTERS)
def test_a_dry_run_with_each_profile(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(f"snakemake_executor_plugin_{name.replace('-', '_')}") is None:
        pytest.skip(f"snakemake-executor-plugin-{name} is not installed")
    said = call(new_house(tmp_path / "house"), "snakemake", "--profile", f"workflow/profiles/{name}", "-n", RUNS_CSV)
    assert re.search(r"train_run +2\n", said)
    assert "cpus_per_task=1" in said and "run_slot=1" in said


def test_the_state_of_a_job_on_pbs(tmp_path: Path) -> None:
    states = {
        "running": "    job_state = R",
        "success": "    job_state = F\n    Exit_status = 0",
        "failed": "    job_state = F\n    Exit_status = 271",
    }
    for expected, answer in states.items():
        (tmp_path / "qstat").write_text(f"#!/bin/sh\ncat <<'END'\nJob Id: 12\n{answer}\nEND\n")
        (tmp_path / "qstat").chmod(0o755)
        environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run([PROFILES / "cluster-generic/status-pbs", "12"], capture_output=True, text=True, env=environment)
        assert done.stdout.strip() == expected


@pytest.mark.slow
def test_gpus_of_the_settings_reach_the_runs(tmp_path: Path) -> None:
    study = small_study()
    study["execution"] |= {"device": "cuda", "gpus": [4, 7]}
    said = call(new_house(tmp_path / "house", study), "snakemake", "-n", "-p", RUNS_CSV)
    assert said.count("--gpus 4,7") == 2
