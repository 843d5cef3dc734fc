"""Opening a study: check that every run it asks for is possible, and lay out the settings files that the runs depend on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightweights.params import Run, RunSettings, SettingsError, Study, parse_study
from lightweights.study.files import write_if_changed
from lightweights.study.layout import RESULTS, data_settings_file, settings_file, study_folder, study_settings_file


def open_study(tree: Mapping[str, Any], results: Path = RESULTS) -> Study:
    """The study of the settings, its settings files brought up to date. Raises SettingsError before any job starts.

    A settings file is written only when its content changes, and only after the runs that depend on it were checked.
    """
    study = parse_study(dict(tree))
    files = {settings_file(run, results): run for run in study.runs()}
    changed = [run for path, run in files.items() if not path.is_file() or path.read_text() != run.settings.to_json()]
    check(changed)
    try:
        write_if_changed(
            study_settings_file(study, results), study.model_dump_json(indent=2, exclude={"execution"}, exclude_none=True) + "\n"
        )
        for dataset in study.datasets(study.runs()):
            write_if_changed(data_settings_file(study, dataset.name, results), dataset.model_dump_json(indent=2) + "\n")
        for run in changed:
            write_if_changed(settings_file(run, results), run.settings.to_json())
    except OSError as error:
        raise SettingsError(f"{study_folder(study.study.name, results)} cannot be written: {error}") from error
    return study


def check(runs: list[Run]) -> None:
    """Build what the runs would train, without training: unknown networks and circuits too small are found here."""
    if not runs:
        return
    from lightweights.study.feasibility import check_settings  # imports torch

    seen: set[str] = set()
    for run in runs:
        if run.settings.to_json() not in seen:
            seen.add(run.settings.to_json())
            check_settings(run.settings, f"{run.experiment}/{run.variant}")


def read_run(path: Path, seed: int, results: Path = RESULTS) -> Run:
    """The run that a settings file and a seed ask for. Raises SettingsError where the file is not one of a study."""
    try:
        study, folder, experiment, name = path.resolve().relative_to(results.resolve()).parts
        if folder != "settings":
            raise ValueError
    except ValueError:
        raise SettingsError(f"{path}: expected a file results/STUDY/settings/EXPERIMENT/VARIANT.json") from None
    try:
        settings = RunSettings.model_validate_json(path.read_text())
        return Run(study=study, experiment=experiment, variant=name.removesuffix(".json"), seed=seed, settings=settings)
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such settings file; `snakemake -n` writes those that the study asks for") from None
    except ValueError as error:
        raise SettingsError(f"{path}: not the settings of a run ({error}); delete it and start snakemake again") from None
