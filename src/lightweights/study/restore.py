"""Taking up landed results on a fresh clone, so that nothing is trained again."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lightweights.errors import LightweightsError
from lightweights.files import read_json
from lightweights.settings.runs import Run
from lightweights.study.collect import collect, lacks_model
from lightweights.study.csv_text import to_csv
from lightweights.study.layout import RESULTS, metrics_file, study_folder, study_settings_file
from lightweights.study.models import found_model
from lightweights.study.plan import open_workflow


def restore_study(name: str, preset: Path | None, say: Callable[[str], None]) -> None:
    """Pull data and large models from the DVC remote if one is configured, check that every landed run is one that the settings ask for,
    and make what is missing or out of step of tables, figures and scorecard. Raises LightweightsError where a landed run does not fit.
    """
    overlay = ["--configfile", str(preset)] if preset else []
    remote = _run("dvc", "config", "core.remote", check=False)
    if remote:
        say(f"DVC remote {remote}: pulling data and models")
        try:
            _show("dvc", "pull", "--allow-missing")
        except LightweightsError as error:
            say(f"{error}\ngoing on with what could be pulled")
            _run("dvc", "checkout", "--allow-missing", check=False)
    else:
        say("no DVC remote is configured (dvc remote add -d NAME URL): using what git holds")
    settings = study_settings_file(name)
    before = settings.read_bytes() if settings.is_file() else b""
    study, _ = open_workflow([preset] if preset else [], {})  # writes the settings files
    if study.study.name != name:
        raise LightweightsError(f"the settings are those of study {study.study.name}, not {name}; name the preset of {name} with --preset")
    landed = collect(study, RESULTS, partial=True)
    summary = ("snakemake", "--cores", "1", "summary", *overlay, "--config", "partial=true")
    if settings.read_bytes() == before:
        _run(*summary, "--touch", "--quiet")  # time stamps of a fresh clone mean nothing
    anew = () if in_step(landed, study_folder(name) / "runs.csv") else ("--forcerun", "collect")
    say(f"{len(landed)} landed runs fit the settings; tables and figures are brought into step with them")
    _show(*summary, *anew)
    asked = study.runs()
    models = sum(found_model(run) is not None for run in asked)
    say(f"{len(landed)} of {len(asked)} runs are there, {models} with models")
    for line in missing(asked):
        say(line)


def in_step(landed: pd.DataFrame, path: Path) -> bool:
    """Whether runs.csv is what collecting the runs gives, so that what was drawn from it is not out of step either."""
    try:
        return path.read_text() == to_csv(landed)
    except (OSError, ValueError):
        return False


def missing(asked: Sequence[Run], results: Path = RESULTS) -> list[str]:
    """What is not here, by experiment, and what brings it: runs, and the models of runs that have landed."""
    there = [run for run in asked if metrics_file(run, results).is_file()]
    runs = Counter(run.experiment for run in asked) - Counter(run.experiment for run in there)
    lost, never = Counter[str](), Counter[str]()
    for run in there:
        metrics = _metrics(run, results)
        if lacks_model(metrics):
            never[run.experiment] += 1
        elif (metrics.get("model") or {}).get("numbers") and found_model(run, results) is None:
            lost[run.experiment] += 1
    kinds = {
        "missing runs": (runs, "`snakemake --cores N` trains them"),
        "missing models": (lost, "`dvc pull` from a remote that has them; tables and figures need none"),
        "landed without their models": (never, "they have them once they are trained again; tables and figures need none"),
    }
    return [
        f"{kind}: {', '.join(f'{name} {count}' for name, count in counts.items())} ({remedy})"
        for kind, (counts, remedy) in kinds.items()
        if counts
    ]


def _metrics(run: Run, results: Path) -> dict[str, Any]:
    """metrics.json of a run; empty where it cannot be read, which collecting tells."""
    try:
        metrics = read_json(metrics_file(run, results))
    except (OSError, ValueError):
        return {}
    return metrics if isinstance(metrics, dict) else {}


def _show(*command: str) -> None:
    """A command whose progress the terminal shows. Raises LightweightsError where it fails."""
    try:
        done = subprocess.run(command)
    except FileNotFoundError:
        raise not_installed(command[0]) from None
    if done.returncode:
        raise LightweightsError(f"`{' '.join(command)}` failed, for the reason above; nothing is lost, and it can be run again")


def not_installed(program: str) -> LightweightsError:
    """The error of a program that the environment lacks."""
    return LightweightsError(f"{program} is not installed in this environment ({sys.prefix}); `make env` installs it")


def _run(*command: str, check: bool = True) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise not_installed(command[0]) from None
    if check and done.returncode:
        raise LightweightsError(f"`{' '.join(command)}` failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
