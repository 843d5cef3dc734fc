"""From files of settings to a study: params.yaml, presets laid over it, what the command line says, and the chapters' experiments.

There is one reader, for the command line, Snakemake and DVC. What is wrong is told with the file that says it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from lightweights.settings.base import SettingsError, nearest
from lightweights.settings.chapters import EXPERIMENTS, FULL, asked_for, experiment_over, experiments_of, load_kinds
from lightweights.settings.experiment import section_class
from lightweights.settings.runs import kinds
from lightweights.settings.study import Study, parse_study, study_model
from lightweights.settings.yaml_file import overlay, read_settings

YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Source(NamedTuple):
    """Settings, and what they are called where something is wrong with them."""

    name: str
    tree: dict[str, Any]


def load_study(path: Path, *overlays: Path) -> Study:
    """The study of a params file with presets laid over it. Raises SettingsError naming the file."""
    return study_of(read_sources([path, *overlays]))


def read_sources(files: Iterable[Path], given: Mapping[str, Any] | None = None) -> list[Source]:
    """Files in the order in which they are laid over each other, then settings by dotted path from a command line."""
    sources = [Source(_shown(file), read_settings(file)) for file in files]
    if given:
        tree: dict[str, Any] = {}
        for path, value in given.items():
            path = path.replace("__", ".")  # Snakemake takes no dots in names
            check_root(path, value)
            *parents, leaf = path.split(".")
            for part in reversed([*parents, leaf]):
                value = {part: value}
            if twice := _leaves(tree) & _leaves(value):
                raise SettingsError(f"--config: {sorted(twice)[0]} is given twice; keep one of them")
            tree = overlay(tree, value)
        sources.append(Source("--config", tree))
    return sources


def _leaves(tree: Any, before: str = "") -> set[str]:
    """The dotted paths of the values in settings."""
    if not isinstance(tree, dict):
        return {before}
    return {path for key, value in tree.items() for path in _leaves(value, f"{before}.{key}" if before else str(key))}


def check_words(words: Sequence[str]) -> None:
    """Raises SettingsError for a command line of Snakemake's that says ``--config`` twice, or one of its settings: the last alone would
    count, without a word.
    """
    starts = [number for number, word in enumerate(words) if word in ("--config", "-C") or word.startswith("--config=")]
    if len(starts) > 1:
        raise SettingsError("--config stands twice, and Snakemake keeps the last alone; write all settings after one")
    given = takewhile(lambda word: not word.startswith("-"), words[starts[0] + 1 :] if starts else [])
    for name, count in Counter(word.partition("=")[0] for word in given if "=" in word).items():
        if count > 1:
            raise SettingsError(f"--config: {name} is given twice; keep one of them")


def check_root(path: str, value: Any) -> None:
    """Raises SettingsError for a setting of a command line that lies in no section, with the ways to say it in one."""
    fields = study_model().model_fields
    root = path.partition(".")[0]
    if root in fields:
        return
    owners = {name: section_class(field.annotation) for name, field in fields.items()}
    inside = [f"{name}__{path}={value}" for name, owner in owners.items() if owner is not None and path in owner.model_fields]
    remedy = f"; say in which section: --config {' or '.join(inside)}" if inside else nearest(root, fields)
    raise SettingsError(f"--config {path}={value}: no such setting{remedy}")


def study_of(sources: Sequence[Source]) -> Study:
    """The study of settings laid over each other, with the experiments of its chapters. Raises SettingsError naming the source."""
    tree: dict[str, Any] = {}
    for source in sources:
        tree = laid_over(tree, source.tree)
    folders = chapters_of(tree)
    edition = str(_section(tree).get("edition", FULL))
    chapters = [Source(str(folder / EXPERIMENTS), {"experiments": experiments_of(folder, edition)}) for folder in folders.values()]
    return parse_study(with_chapters(tree), lambda line: blamed(line, [*chapters, *sources]))


def laid_over(tree: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with others laid over them; what an experiment varies is said whole."""
    old, new = tree.get("experiments"), change.get("experiments")
    merged = overlay(dict(tree), dict(change))
    if isinstance(old, dict) and isinstance(new, dict):
        both = [name for name in new if isinstance(new[name], dict) and isinstance(old.get(name), dict)]
        merged["experiments"] |= {name: experiment_over(old[name], new[name]) for name in both}
    return merged


def chapters_of(tree: Mapping[str, Any]) -> dict[str, Path]:
    """The folders of the chapters that settings name, in their order; their kinds of run are known from here on."""
    folders = asked_for(_section(tree).get("chapters", []))
    load_kinds(list(folders.values()))
    return folders


def with_chapters(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with the experiments of their chapters written out, those of the settings themselves laid over them."""
    folders, section = chapters_of(tree), _section(tree)
    listed: dict[str, Any] = {}
    for folder in folders.values():
        for experiment, settings in experiments_of(folder, str(section.get("edition", FULL))).items():
            if experiment in listed:
                other = listed[experiment]["chapter"]
                raise SettingsError(f"{folder}: experiments.{experiment}: chapter {other} has one of that name; choose another")
            listed[experiment] = settings
    own = tree.get("experiments", {})
    if not isinstance(own, dict):
        return dict(tree)
    changed = {name: _laid_over(name, listed, change) for name, change in own.items()}
    named = {"study": section | {"chapters": list(folders)}} if folders else {}
    return dict(tree) | named | {"experiments": listed | changed}


def _laid_over(name: str, listed: dict[str, Any], change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    if name not in listed and "method" not in change and listed:
        raise SettingsError(f"experiments.{name}: no chapter of the study has an experiment of that name{nearest(name, listed)}")
    return experiment_over(listed.get(name, {}), change)


def _section(tree: Mapping[str, Any]) -> dict[str, Any]:
    section = tree.get("study")
    return section if isinstance(section, dict) else {}


def _shown(file: Path) -> str:
    """A file as a user writes it."""
    return str(file.relative_to(Path.cwd()) if file.is_absolute() and file.is_relative_to(Path.cwd()) else file)


def blamed(line: str, sources: Sequence[Source]) -> str:
    """The source that says what a line of an error names: the last of those that say most of its path."""
    path = line.split(" = ")[0].split(": ")[0]
    depths = [_said(path, source.tree) for source in sources]
    most = max(depths, default=0)
    if not most:
        return ", ".join(source.name for source in sources if not source.name.endswith(EXPERIMENTS)) or "settings"
    return [source.name for source, depth in zip(sources, depths, strict=True) if depth == most][-1]


def _said(path: str, node: Any) -> int:
    """How much of a dotted path settings have, in characters; keys may have dots themselves."""
    if isinstance(node, list):
        index, _, rest = path.partition(".")
        return len(index) + _said(rest, node[int(index)]) if index.isdigit() and int(index) < len(node) else 0
    if not isinstance(node, dict):
        return 0
    fitting = [key for key in map(str, node) if path == key or path.startswith(f"{key}.")]
    if not fitting:
        return 0
    key = max(fitting, key=len)
    return len(key) + _said(path[len(key) + 1 :], node.get(key))


def yes_or_no(name: str, value: Any) -> bool:
    """A switch of the command line. Raises SettingsError for what is neither."""
    word = str(value).strip().lower()
    if word not in YES + NO:
        raise SettingsError(f"--config {name}={value}: expected one of {', '.join(YES)}, or of {', '.join(NO)}")
    return word in YES


def json_schema() -> dict[str, Any]:
    """JSON schema of params.yaml, generated from the model, with what all chapters bring. An experiment may be said in part, where a
    chapter has the rest.
    """
    load_kinds()
    schema = study_model().model_json_schema()
    experiment = schema["$defs"]["Experiment"]
    del experiment["required"]
    experiment["properties"]["method"]["enum"] = sorted(kinds())
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Settings of a Lightweights study"
    return schema
