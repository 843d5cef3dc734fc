"""Where the files of a study lie."""

import re
from pathlib import Path
from typing import Any

from lightweights.settings.names import LONGEST, short_name
from lightweights.settings.runs import Run
from lightweights.settings.study import Study

RESULTS = Path("results")


def study_folder(study: str, results: Path = RESULTS) -> Path:
    """Everything that a study writes."""
    return results / study


def file_name(dataset: str) -> str:
    """A data set's name as that of a file: ``my_data:load`` gives ``my_data-load``."""
    return short_name(re.sub(r"[.:]", "-", dataset), LONGEST - len(".safetensors"))


def data_file(study: Study, dataset: str, results: Path = RESULTS) -> Path:
    """The prepared data set: tensors, and in its metadata what they are."""
    return data_path(study.study.name, dataset, results)


def data_path(study: str, dataset: str, results: Path = RESULTS) -> Path:
    """The same, of the study of that name."""
    return study_folder(study, results) / "data" / f"{file_name(dataset)}.safetensors"


def data_settings_file(study: Study, dataset: str, results: Path = RESULTS) -> Path:
    """The settings of a data set: the input of its preparation."""
    return study_folder(study.study.name, results) / "settings" / f"{file_name(dataset)}.json"


def study_settings_file(study: str, results: Path = RESULTS) -> Path:
    """All settings of the study of that name: the input of collecting and all that follows."""
    return study_folder(study, results) / "settings" / "study.json"


def laws_file(study: Study, results: Path = RESULTS) -> Path:
    """The laws of shot noise, measured without training."""
    return study_folder(study.study.name, results) / "laws.csv"


def landed_file(study: Study, results: Path = RESULTS) -> Path:
    """The runs that a partial summary is made of, one a line."""
    return study_folder(study.study.name, results) / "settings" / "landed.txt"


def settings_file(run: Run, results: Path = RESULTS) -> Path:
    """The settings that all seeds of a variant share: the input of their training jobs."""
    return settings_path(run.study, run.experiment, run.variant, results)


def settings_path(study: str, experiment: str, variant: str, results: Path = RESULTS) -> Path:
    """The same, of a variant by name."""
    return study_folder(study, results) / "settings" / experiment / f"{variant}.json"


def run_folder(run: Run, results: Path = RESULTS) -> Path:
    """metrics.json, history.csv and, where it is small, model.safetensors; complete when metrics.json is there."""
    return study_folder(run.study, results) / "runs" / run.key


def key_of_row(row: Any) -> str:
    """The key of a run from its row in runs.csv."""
    return f"{row.experiment}/{row.variant}/seed-{row.seed}"


def folder_of_row(study: str, row: Any, results: Path = RESULTS) -> Path:
    """The folder of a run from its row in runs.csv."""
    return study_folder(study, results) / "runs" / key_of_row(row)


def metrics_file(run: Run, results: Path = RESULTS) -> Path:
    """Final numbers, settings and provenance of a run; written last."""
    return run_folder(run, results) / "metrics.json"


def history_file(run: Run, results: Path = RESULTS) -> Path:
    """One row a round or epoch."""
    return run_folder(run, results) / "history.csv"


def model_file(run: Run, results: Path = RESULTS) -> Path:
    """The numbers that were trained, where git keeps them: in the run's folder."""
    return run_folder(run, results) / "model.safetensors"


def weights_file(run: Run, results: Path = RESULTS) -> Path:
    """A model that is too large for git has a tree of its own, because DVC keeps it and git keeps the run folders."""
    return study_folder(run.study, results) / "weights" / f"{run.key}.safetensors"


def checkpoint_folder(run: Run, results: Path = RESULTS) -> Path:
    """The state of a run under way, and its lock. Nothing here is a result."""
    return study_folder(run.study, results) / ".checkpoint" / run.key
