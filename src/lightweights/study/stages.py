"""`lightweights stages`: the stages of DVC, made from the settings.

A stage a chapter (and one an experiment that belongs to none), each with exactly the parameters that its runs follow from; Snakemake owns
the jobs inside. Git keeps runs with their models, tables and figures (``cache: false``), DVC keeps the data and models that are too large.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from lightweights.settings.chapters import EXPERIMENTS
from lightweights.settings.experiment import Experiment
from lightweights.settings.runs import Run, kind_of
from lightweights.settings.study import Study
from lightweights.study.layout import data_file, file_name, study_folder

HEAD = """\
# Made by `lightweights stages --write` from params.yaml and the chapters; a test holds it in step. Coarse stages that record the study;
# Snakemake owns the jobs inside. `dvc repro` and `snakemake` agree on what is done. Git keeps runs with their models, tables and figures
# (cache: false), DVC keeps the data and the models that are too large for git.
"""
TEMPLATE = "${dataset.name}"
IN_GIT = {"cache": False, "persist": True}
IN_DVC = {"persist": True}
PLOT = {"template": "scatter", "x": "bond_dim", "y": "test10k_accuracy_percent"}
"""How `dvc plots` shows runs.csv."""


def stages(study: Study, given: dict[str, Any], folders: dict[str, Path], said: Iterable[Path], measured: Iterable[str]) -> dict[str, Any]:
    """All stages by name.

    Args:
        study: The study.
        given: params.yaml as it stands: a parameter that it does not say cannot be followed.
        folders: Where its chapters lie.
        said: Files that the summary is made from besides runs.
        measured: Files that the summary measures without runs.
    """
    folder, runs, large = study_folder(study.study.name).as_posix(), study.runs(), large_experiments(study)
    owners = {name: experiment.chapter or name for name, experiment in study.experiments.items()}
    asked = dict.fromkeys(run.experiment for run in runs)
    found = {"prepare": _prepared(study, TEMPLATE, [*(["dataset"] * ("dataset" in given)), "study.name"])}
    for name in sorted({run.settings.dataset.name for run in runs} - {study.dataset.name}):
        found[f"prepare_{file_name(name)}"] = _prepared(study, name, ["study.name"])
    for stage in dict.fromkeys(owners[name] for name in asked):
        mine = [name for name in asked if owners[name] == stage]
        found[stage] = {
            "cmd": f"snakemake --cores all {stage}",
            "deps": _data(study, [run for run in runs if run.experiment in mine]),
            "params": _parameters(study, mine, given, folders),
            "outs": [out for name in mine for out in _outs(folder, name, name in large)],
        }
    shared = [name for name in given if name not in ("execution", "experiments")]
    found["summary"] = {
        "cmd": "snakemake --cores all summary",
        "deps": [*(f"{folder}/runs/{name}" for name in asked), *(path.as_posix() for path in said)],
        "params": [*shared, *(["experiments"] if given.get("experiments") else []), *_files(folders, list(folders))],
        "outs": [{f"{folder}/{name}": IN_GIT} for name in ("tables", "figures", "scorecard.csv", *measured)],
        "metrics": [{f"{folder}/means.json": IN_GIT}],
        "plots": [{f"{folder}/runs.csv": IN_GIT | PLOT}],
    }
    return found


def large_experiments(study: Study) -> list[str]:
    """Experiments whose models may be too large for git: of kinds that are, and of networks of one's own, of any size."""

    def large(run: Run) -> bool:
        return type(run.settings).large or ":" in (run.settings.network.name if run.settings.network else "")

    return list(dict.fromkeys(run.experiment for run in study.runs() if large(run)))


def _outs(folder: str, experiment: str, large: bool) -> list[dict[str, Any]]:
    weights = [{f"{folder}/weights/{experiment}": IN_DVC}] if large else []
    return [{f"{folder}/runs/{experiment}": IN_GIT}, *weights]


def artifacts(found: dict[str, Any]) -> dict[str, Any]:
    """What DVC hands out by name and version: the folders of models that it keeps."""
    folders = [path for stage in found.values() for out in stage["outs"] for path in out if "/weights/" in path]
    listed = {Path(path).name.replace("_", "-"): {"path": path, "type": "model"} for path in folders}
    return {"artifacts": listed} if listed else {}


def dvc_yaml(found: dict[str, Any]) -> str:
    """Text of dvc.yaml."""
    return HEAD + yaml.dump({"stages": found} | artifacts(found), Dumper=_Plain, sort_keys=False, width=1000)


def _prepared(study: Study, dataset: str, params: list[str]) -> dict[str, Any]:
    path = _path(study, dataset)
    return {"cmd": f"snakemake --cores all {path}", "params": params, "outs": [{path: IN_DVC}]}


def _data(study: Study, runs: list[Run]) -> list[str]:
    """Prepared data that runs need; that of the study by its parameter, so that it can be swept."""
    names = dict.fromkeys(TEMPLATE if run.settings.dataset.name == study.dataset.name else run.settings.dataset.name for run in runs)
    return [_path(study, name) for name in names]


def _path(study: Study, dataset: str) -> str:
    return data_file(study, dataset).as_posix() if dataset != TEMPLATE else data_file(study, "NAME").as_posix().replace("NAME", TEMPLATE)


def _parameters(study: Study, experiments: list[str], given: dict[str, Any], folders: dict[str, Path]) -> list[Any]:
    """Sections that the experiments' kinds of run take from params.yaml, their schedules, what params.yaml says of them, and the files of
    their chapters.
    """
    mine = [study.experiments[name] for name in experiments]
    fields = {field for experiment in mine for field in kind_of(experiment.method).model_fields} | {"seeds"}
    sections = [name for name in given if name in fields and name not in ("schedules", "experiments")]
    schedules = [f"schedules.{name}" for name in given.get("schedules", {}) if any(name in schedules_of(one) for one in mine)]
    own = [f"experiments.{name}" for name in given.get("experiments", {}) if name in experiments]
    return [*sections, *schedules, *own, *_files(folders, [one.chapter for one in mine if one.chapter])]


def schedules_of(experiment: Experiment) -> set[str]:
    """Names of the schedules that an experiment's runs follow."""
    default = experiment.schedule or kind_of(experiment.method).schedules[0]
    changes = experiment.vary.get("schedule", [experiment.override.get("schedule", default)])
    return set(map(str, changes))


def _files(folders: dict[str, Path], chapters: list[str]) -> list[dict[str, None]]:
    return [{(folders[name] / EXPERIMENTS).as_posix(): None} for name in dict.fromkeys(chapters)]


class _Plain(yaml.SafeDumper):
    """Without aliases, and with nothing where a file of parameters is followed as a whole."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Plain.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))
