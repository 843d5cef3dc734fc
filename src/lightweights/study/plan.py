"""Opening a study: check that every run it asks for is possible, and lay out the settings files that the runs depend on."""

import atexit
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from lightweights.files import read_json, write_if_changed
from lightweights.settings.base import SettingsError, nearest
from lightweights.settings.chapters import load_kinds
from lightweights.settings.reading import read_sources, study_of, with_chapters, yes_or_no
from lightweights.settings.runs import Run, RunSettings
from lightweights.settings.study import Study, parse_study
from lightweights.study.history import history_rows
from lightweights.study.layout import (
    RESULTS,
    data_file,
    data_settings_file,
    history_file,
    landed_file,
    metrics_file,
    model_file,
    settings_file,
    study_folder,
    study_settings_file,
    weights_file,
)
from lightweights.study.stages import large_experiments

PARAMS = Path("params.yaml")


def open_workflow(files: Iterable[Path], given: Mapping[str, Any], dry: bool = False) -> tuple[Study, bool]:
    """The study of params.yaml with files laid over it and settings given on the command line, and whether only the runs that are there
    count (``partial``). A dry run leaves no folder behind that was not there. Raises SettingsError before any job starts.
    """
    asked = dict(given)
    partial = yes_or_no("partial", asked.pop("partial", False))
    study = study_of(read_sources([PARAMS, *files], asked))
    folder = study_folder(study.study.name)
    if dry and not folder.exists():
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return laid_out(study, RESULTS), partial


def open_study(tree: Mapping[str, Any], results: Path = RESULTS) -> Study:
    """The study of plain settings, its settings files brought up to date. Raises SettingsError before any job starts."""
    return laid_out(parse_study(with_chapters(tree)), results)


def laid_out(study: Study, results: Path) -> Study:
    """A study with its settings files brought up to date.

    A settings file is written only when its content changes, and nothing is before all that could be refused was checked.
    """
    files = {settings_file(run, results): run for run in study.runs()}
    changed = [run for path, run in files.items() if not path.is_file() or path.read_bytes() != run.settings.to_json().encode()]
    check(changed)
    folders = folders_for_dvc(study, os.environ.get("DVC_STAGE", ""), results) if "DVC_ROOT" in os.environ else []
    try:
        write_if_changed(study_settings_file(study.study.name, results), study.to_json())
        for dataset in study.datasets(study.runs()):
            write_if_changed(data_settings_file(study, dataset.name, results), dataset.model_dump_json(indent=2, exclude_none=True) + "\n")
        for run in changed:
            write_if_changed(settings_file(run, results), run.settings.to_json())
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        forget_the_future(study, results)
        keep_valid_runs(study.runs(), results)
    except OSError as error:
        raise SettingsError(f"{study_folder(study.study.name, results)} cannot be written: {error}") from error
    return study


def folders_for_dvc(study: Study, stage: str, results: Path = RESULTS) -> list[Path]:
    """The folders of models that a stage of DVC needs, empty ones too where all its models are small. Raises SettingsError where landed
    models are not here: DVC would record a folder without them.
    """
    folders = []
    for name in large_experiments(study):
        folder = study_folder(study.study.name, results) / "weights" / name
        runs = [run for run in study.runs() if run.experiment == name]
        missing = [
            run for run in runs if is_whole(run, results) and not any(file(run, results).is_file() for file in (model_file, weights_file))
        ]
        if stage in (name, study.experiments[name].chapter) and missing and len(missing) == len(runs):
            raise SettingsError(
                f"{folder}: the models of {len(missing)} landed runs are not here; `dvc pull` brings those that a remote has, "
                "`dvc repro --allow-missing` goes on without, and a run whose folder is deleted is trained again"
            )
        folders.append(folder)
    return folders


def forget_the_future(study: Study, results: Path = RESULTS) -> None:
    """Date files that a clock ahead of the present one wrote to just now, in their order; Snakemake refuses to work with them."""
    runs, folder = study.runs(), study_folder(study.study.name, results)
    files = {
        folder / "runs.csv",
        folder / "means.json",
        study_settings_file(study.study.name, results),
        *(settings_file(run, results) for run in runs),
    }
    files |= {place(study, d.name, results) for d in study.datasets(runs) for place in (data_settings_file, data_file)}
    files |= {place(run, results) for run in runs for place in (metrics_file, history_file, model_file, weights_file)}
    now = time.time()
    ahead = sorted((stamp, path) for path in files if path.is_file() and (stamp := path.stat().st_mtime) > now)
    for number, (_, path) in enumerate(ahead):
        written = now - 1 + number / len(ahead)
        os.utime(path, (written, written))


def keep_valid_runs(runs: list[Run], results: Path = RESULTS) -> None:
    """Date settings files before the runs that were made with exactly these settings.

    Snakemake compares time stamps, and those of a fresh clone mean nothing: without this it would train landed runs again. A
    file is left as it is when one of its runs was made with other settings, so that a real change does retrain.
    """
    for path, group in groupby(sorted(runs, key=lambda run: run.key), key=lambda run: settings_file(run, results)):
        written = path.stat().st_mtime
        older = [(run, time) for run in group if (time := oldest_result(run, results)) is not None and time < written]
        if older and all(is_whole(run, results) for run, _ in older):
            before = min(time for _, time in older) - 1
            os.utime(path, (before, before))


def oldest_result(run: Run, results: Path) -> float | None:
    """Time stamp of the oldest file of a run; None where metrics.json or history.csv is missing."""
    files = [metrics_file(run, results), history_file(run, results), model_file(run, results), weights_file(run, results)]
    if not all(file.is_file() for file in files[:2]):
        return None
    return min(file.stat().st_mtime for file in files if file.is_file())


def made_with(metrics: Path, settings: RunSettings) -> bool:
    """Whether a run's metrics.json carries exactly these settings."""
    try:
        return read_json(metrics)["settings"] == settings.plain()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def is_whole(run: Run, results: Path = RESULTS) -> bool:
    """Whether a run is there with all that it was asked for: its metrics.json has its settings, its history a row for each step. A loss of
    power may leave names without content.
    """
    return made_with(metrics_file(run, results), run.settings) and history_rows(history_file(run, results)) == run.settings.steps


def is_done(run: Run, results: Path = RESULTS) -> bool:
    """Whether a run is whole and not older than its settings."""
    time = oldest_result(run, results)
    return time is not None and time >= settings_file(run, results).stat().st_mtime and is_whole(run, results)


def possible(runs: list[Run], results: Path = RESULTS) -> tuple[list[Run], dict[str, int]]:
    """The runs that are done or can be made here, and of the others how many lack what, in words."""
    lacking = {run.key: reason for run in runs if (reason := run.settings.lacks()) and not is_done(run, results)}
    return [run for run in runs if run.key not in lacking], dict(Counter(lacking.values()))


def landed_runs(study: Study, results: Path = RESULTS) -> list[Run]:
    """The runs that are there, also listed in a file that changes when they do: what a partial summary depends on."""
    landed = [run for run in study.runs() if is_whole(run, results)]
    write_if_changed(landed_file(study, results), "".join(f"{run.key}\n" for run in landed))
    return landed


def check(runs: list[Run]) -> None:
    """Build what the runs would train, without training: unknown networks and circuits too small are found here."""
    if not runs:
        return
    from lightweights.methods.method import check_settings  # imports torch

    seen: set[str] = set()
    for run in runs:
        if run.settings.to_json() not in seen:
            seen.add(run.settings.to_json())
            check_settings(run.settings, f"{run.experiment}/{run.variant}")


def read_study(path: Path) -> Study:
    """The study of a study.json. Raises SettingsError where it is not one."""
    try:
        tree = read_json(path)
        load_kinds()  # a study stores the sections of all kinds of run that were known
        return parse_study(tree, path.name)
    except FileNotFoundError:
        raise SettingsError(
            f"{path}: no such file; `snakemake --cores N` writes it (with --configfile for a preset){_studies(path)}"
        ) from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: not the settings of a study ({error}); {_as_written('results/STUDY/settings/study.json')}") from None


def read_run(path: Path, seed: int, results: Path = RESULTS) -> Run:
    """The run that a settings file and a seed ask for. Raises SettingsError where the file is not one of a study."""
    try:
        # Not resolved: results may lie on another disk, behind a link.
        study, folder, experiment, name = Path(os.path.normpath(path.absolute())).relative_to(results.absolute()).parts
        if folder != "settings":
            raise ValueError
    except ValueError:
        raise SettingsError(f"{path}: expected a file results/STUDY/settings/EXPERIMENT/VARIANT.json") from None
    try:
        settings = RunSettings.model_validate_json(path.read_text())
        return Run(study=study, experiment=experiment, variant=name.removesuffix(".json"), seed=seed, settings=settings)
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such settings file; `snakemake --cores N` writes those that the study asks for") from None
    except (ValueError, OSError) as error:
        remedy = _as_written("results/STUDY/settings/EXPERIMENT/VARIANT.json")
        raise SettingsError(f"{path}: not the settings of a run ({error}); {remedy}") from None


def _as_written(place: str) -> str:
    """The remedy for a file that may be another than was meant, and so must not be deleted."""
    return f"expected is {place} as snakemake writes it; if it is that one, move it away and start snakemake again"


def _studies(path: Path) -> str:
    """Where a study was meant that is not there, those that are."""
    there = studies(path.parents[2]) if len(path.parents) > 2 else []
    return f"; studies that are here: {', '.join(there)}{nearest(path.parts[-3], there)}" if there else ""


def studies(results: Path = RESULTS) -> list[str]:
    """Names of the studies that lie in the results folder."""
    return sorted(file.parents[1].name for file in results.glob("*/settings/study.json"))
