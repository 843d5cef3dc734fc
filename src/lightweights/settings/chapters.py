"""Chapters: folders that hold the experiments of one paper or question. They are found, not listed.

A chapter is a folder below ``chapters/`` with an ``experiments.yaml``; a study may also name one elsewhere by its path. An experiment may
be like another of its chapter, with a difference (``like:``). Other editions stand beside it: ``demo.yaml`` says which experiments a study
of the edition ``demo`` has, and how they differ from those of ``experiments.yaml``.
"""

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from lightweights.settings.base import SettingsError, nearest
from lightweights.settings.own_code import own_code
from lightweights.settings.yaml_file import overlay, read_settings

HOME = Path("chapters")
EXPERIMENTS = "experiments.yaml"
FULL = "full"
"""The edition of ``experiments.yaml`` as it stands."""


def house() -> Path:
    """The folder of all chapters: that of the working folder, else that of the clone which this package was installed from."""
    return HOME if HOME.is_dir() else Path(__file__).parents[3] / HOME


def found() -> dict[str, Path]:
    """Every chapter by name, in their order."""
    folders = [file.parent for file in sorted(house().glob(f"*/{EXPERIMENTS}"))]
    return {folder.name: folder for folder in sorted(folders, key=lambda folder: (order_of(folder), folder.name))}


def order_of(folder: Path) -> float:
    """Place of a chapter among the others; 0 for one without experiments."""
    return _read(folder / EXPERIMENTS).get("order", 0) if (folder / EXPERIMENTS).is_file() else 0


def asked_for(named: Any) -> dict[str, Path]:
    """The chapters that a study names: ``all`` of them, or a list of names and paths. Raises SettingsError for one that is not there."""
    if named == "all":
        return found()
    if not isinstance(named, list):
        raise SettingsError(f"study.chapters = {named!r}: expected all, or a list of names of folders in {HOME}/, or of paths")
    there, asked = found(), {}
    for name in named:
        path = there.get(str(name), Path(str(name)))
        if not (path / EXPERIMENTS).is_file():
            known = ", ".join(there) or "none"
            raise SettingsError(
                f"study.chapters names {name}: no chapter of that name in {HOME}/, and no folder with {EXPERIMENTS}; "
                f"there are {known}{nearest(name, there)}"
            )
        asked[path.resolve().name] = path
    return asked


def experiments_of(folder: Path, edition: str = FULL) -> dict[str, Any]:
    """The experiments of a chapter as plain settings, ``like`` written out, each with the chapter's name."""
    file = folder / EXPERIMENTS
    listed = _named(_read(file).get("experiments"), file)
    if edition != FULL:
        beside = folder / f"{edition}.yaml"
        changes = _named(_read(beside).get("experiments"), beside) if beside.is_file() else {}
        for name in changes:
            if name not in listed:
                raise SettingsError(f"{beside}: experiments.{name}: {file} has none of that name{nearest(name, listed)}")
        kept = {name: _without(one, "planned") for name, one in listed.items()}
        listed = {name: one if name in changes else {"seeds": [], **_without(one, "seeds")} for name, one in kept.items()}
        listed = overlay(listed, changes)
    return {name: {"chapter": folder.resolve().name} | _whole(name, listed, file) for name in listed}


def experiment_over(experiment: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """An experiment with a change laid over it, setting by setting. What it varies is replaced as a whole: settings that another file
    varies would multiply the runs unseen.
    """
    merged = overlay(experiment, change)
    return merged | {"vary": change["vary"]} if "vary" in change else merged


def _whole(name: str, listed: dict[str, Any], file: Path, through: tuple[str, ...] = ()) -> dict[str, Any]:
    """An experiment with what it takes from the one that it is like: all but what that one varies, compares,
    generates anew and plans. What it says itself comes first, setting by setting.
    """
    own = dict(listed[name])
    like = own.pop("like", None)
    if like is None:
        return own
    if like not in listed:
        raise SettingsError(f"{file}: experiments.{name}.like is {like!r}; there are {', '.join(listed)}{nearest(like, listed)}")
    if like in (name, *through):
        raise SettingsError(f"{file}: experiments.{name}.like leads back to {like}; write one of them out")
    other = {
        key: value
        for key, value in _whole(like, listed, file, (name, *through)).items()
        if key not in ("vary", "regenerate", "contrasts", "planned")
    }
    varied = own.get("vary", {})
    other["override"] = {path: value for path, value in other.get("override", {}).items() if path not in varied}
    return overlay(other, own)


def _without(experiment: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in experiment.items() if key != name}


def _read(file: Path) -> dict[str, Any]:
    tree = read_settings(file)
    for key in tree:
        if key not in ("order", "experiments"):
            likely = nearest(key, ["order", "experiments"])
            raise SettingsError(f"{file}: {key}: no such setting{likely}; a chapter has order and experiments")
    order = tree.get("order", 0)
    if isinstance(order, bool) or not isinstance(order, int | float):
        raise SettingsError(f"{file}: order = {order!r}: expected a number, by which chapters are sorted")
    return tree


def _named(tree: Any, file: Path) -> dict[str, Any]:
    """Experiments by name; what is none is refused before anything is taken from it."""
    if not isinstance(tree, dict) or not all(isinstance(one, dict) for one in tree.values()):
        raise SettingsError(f"{file}: experiments: expected experiments by name, each with its settings")
    return tree


def load_kinds(folders: list[Path] | None = None) -> None:
    """Import the ``settings.py`` of chapters, whose classes make themselves known as kinds of run."""
    for folder in found().values() if folders is None else folders:
        if (folder / "settings.py").is_file():
            module_of(folder, "settings")


def module_of(folder: Path, part: str) -> ModuleType:
    """A module of a chapter, ``chapters.NAME.PART``. Raises SettingsError where it cannot be imported."""
    name = f"{package_of(folder).__name__}.{part}"
    with own_code(f"{folder / part}.py cannot be imported"):
        return import_module(name)


def package_of(folder: Path) -> ModuleType:
    """The folder as the package ``chapters.NAME``, imported from where it lies: sys.path need not know it, however the program was started.
    A chapter of the same name that lies elsewhere is forgotten.
    """
    place = folder.resolve()
    name, init = f"{HOME.name}.{place.name}", place / "__init__.py"
    there = sys.modules.get(name)
    if there is not None and list(there.__path__) == [str(place)]:
        return there
    for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[module]
    if init.is_file():
        spec = spec_from_file_location(name, init, submodule_search_locations=[str(place)])
    else:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
    assert spec is not None
    _at_home(place.parent)
    package = sys.modules[name] = module_from_spec(spec)
    try:
        if spec.loader is not None:
            with own_code(f"{init} cannot be imported"):
                spec.loader.exec_module(package)
    except BaseException:
        del sys.modules[name]
        raise
    return package


def _at_home(folder: Path) -> None:
    """Make ``chapters`` a package, without which ``from . import module`` fails in a chapter; the folder given last is looked at first."""
    home = sys.modules.get(HOME.name)
    if home is None:
        spec = ModuleSpec(HOME.name, None, is_package=True)
        spec.submodule_search_locations = []
        home = sys.modules[HOME.name] = module_from_spec(spec)
    if isinstance(home.__path__, list):
        home.__path__[:] = [str(folder), *(place for place in home.__path__ if place != str(folder))]
