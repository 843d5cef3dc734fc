"""From files of settings to a study: params.yaml, presets laid over it, and the experiments of the chapters that it names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightweights.settings.base import SettingsError
from lightweights.settings.chapters import FULL, asked_for, experiments_of, load_kinds
from lightweights.settings.study import Study, parse_study, study_model
from lightweights.settings.yaml_file import overlay, read_settings


def with_chapters(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with the experiments of their chapters written out, those of the settings themselves laid over them."""
    section = tree.get("study")
    section = section if isinstance(section, dict) else {}
    folders = asked_for(section.get("chapters", []))
    load_kinds(list(folders.values()))
    edition = str(section.get("edition", FULL))
    listed: dict[str, Any] = {}
    for name, folder in folders.items():
        for experiment, settings in experiments_of(folder, edition).items():
            if experiment in listed:
                other = listed[experiment]["chapter"]
                raise SettingsError(f"{folder}: experiments.{experiment}: chapter {other} has one of that name; choose another")
            listed[experiment] = settings
    own = tree.get("experiments", {})
    if not isinstance(own, dict):
        return dict(tree)
    changed = {name: _laid_over(listed.get(name), change) for name, change in own.items()}
    named = {"study": section | {"chapters": list(folders)}} if folders else {}
    return dict(tree) | named | {"experiments": listed | changed}


def _laid_over(experiment: dict[str, Any] | None, change: Any) -> Any:
    return overlay(experiment, change) if experiment is not None and isinstance(change, dict) else change


def read_tree(path: Path, *overlays: Path) -> dict[str, Any]:
    """Plain settings of a params file with presets laid over it."""
    tree: dict[str, Any] = {}
    for file in (path, *overlays):
        tree = overlay(tree, read_settings(file))
    return tree


def load_study(path: Path, *overlays: Path) -> Study:
    """The study of a params file with presets laid over it. Raises SettingsError naming the file."""
    source = ", ".join(str(file) for file in (path, *overlays))
    return parse_study(with_chapters(read_tree(path, *overlays)), source)


def json_schema() -> dict[str, Any]:
    """JSON schema of params.yaml, generated from the model."""
    schema = study_model().model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Settings of a Lightweights study"
    return schema
