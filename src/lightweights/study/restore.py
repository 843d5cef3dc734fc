"""Taking up landed results on a fresh clone, so that nothing is trained again."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from lightweights.errors import LightweightsError
from lightweights.settings.runs import Run
from lightweights.study.collect import collect
from lightweights.study.layout import RESULTS, metrics_file, study_settings_file, weights_file
from lightweights.study.plan import read_study


def restore_study(name: str, preset: Path | None, say: Callable[[str], None]) -> None:
    """Pull weights from the DVC remote if one is configured, check that every landed run is one that the settings ask for, and
    bring tables, figures and scorecard up to date. Raises LightweightsError where a landed run does not fit.
    """
    overlay = ["--configfile", str(preset)] if preset else []
    remote = _run("dvc", "config", "core.remote", check=False)
    if remote:
        say(f"DVC remote {remote}: pulling data and weights")
        try:
            _run("dvc", "pull", "--allow-missing")
        except LightweightsError as error:
            say(f"{error}\ngoing on with what could be pulled")
            _run("dvc", "checkout", "--allow-missing", check=False)
    else:
        say("no DVC remote is configured (dvc remote add -d NAME URL): using what git holds")
    _run("snakemake", "-n", "--quiet", "all", *overlay)  # writes the settings files
    study = read_study(study_settings_file(name))
    landed = collect(study, RESULTS, partial=True)
    _run("snakemake", "--cores", "1", "summary", *overlay, "--config", "partial=true")
    asked = study.runs()
    weights = sum(weights_file(run).is_file() for run in asked)
    say(f"{len(landed)} of {len(asked)} runs are there, {weights} with weights")
    for line in missing(asked):
        say(line)


def missing(asked: Sequence[Run], results: Path = RESULTS) -> list[str]:
    """What is not here, by experiment, and what brings it: runs, and the weights of runs that have landed."""
    there = [run for run in asked if metrics_file(run, results).is_file()]
    runs = Counter(run.experiment for run in asked) - Counter(run.experiment for run in there)
    weights = Counter(run.experiment for run in there if not weights_file(run, results).is_file())
    kinds = {
        "runs": (runs, "`snakemake --cores N` trains them"),
        "weights": (weights, "`dvc pull` from a remote that has them; tables and figures need none"),
    }
    return [
        f"missing {kind}: {', '.join(f'{name} {count}' for name, count in counts.items())} ({remedy})"
        for kind, (counts, remedy) in kinds.items()
        if counts
    ]


def _run(*command: str, check: bool = True) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise LightweightsError(f"{command[0]} is not installed in this environment ({sys.prefix}); `make env` installs it") from None
    if check and done.returncode:
        raise LightweightsError(f"`{' '.join(command)}` failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
