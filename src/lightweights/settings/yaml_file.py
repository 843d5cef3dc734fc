"""Reading a file of settings, the same way for the command line, Snakemake and DVC.

What YAML would lose or bend in silence is refused or put right: a key that stands twice, merge keys; numbers such as ``1e-3`` are numbers.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from lightweights.files import LARGEST_YAML, SafeLoader, parse_yaml, read_bytes
from lightweights.settings.base import SettingsError
from lightweights.settings.limits import check_values

TEMPLATING = ("__use_yte__", "__definitions__", "__variables__")
"""Keys that make Snakemake run a file as a program of YTE."""
OTHER_BASE = re.compile(r"[-+]?(0[\d_]+$|.*:)")
"""Numbers of base 8 and 60 in YAML 1.1, which DVC's YAML 1.2 reads with base 10 and as text."""


class _Loader(SafeLoader):
    """The safe loader that refuses what would be lost: keys that stand twice, and merge keys, which can ask for more than any memory."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                raise ValueError(f"merge key << in line {line}: write out what it stands for")
            if key.value in TEMPLATING:
                raise ValueError(f"{key.value} in line {line}: settings are not run as a program; write them out")
            if isinstance(key.value, str):
                if key.value in lines:
                    raise ValueError(f"{key.value} stands twice, in lines {lines[key.value]} and {line}; keep one of them")
                lines[key.value] = line
        super().flatten_mapping(node)  # type: ignore[no-untyped-call]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node.tag, str) and node.tag.endswith((":int", ":float")) and OTHER_BASE.match(str(node.value)):
            line = node.start_mark.line + 1
            raise ValueError(f"{node.value} in line {line} is one number for some readers and another for others; write it with base 10")
        value = super().construct_object(node, deep)  # type: ignore[no-untyped-call]
        if value == 0.0 and isinstance(value, float) and re.search("[1-9]", str(node.value).lower().partition("e")[0]):
            raise ValueError(f"{node.value} in line {node.start_mark.line + 1} is smaller than any number that is kept, and would be 0")
        return value


_Loader.yaml_implicit_resolvers = {key: list(values) for key, values in SafeLoader.yaml_implicit_resolvers.items()}
_Loader.add_implicit_resolver(  # type: ignore[no-untyped-call]
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d[\d_]*)(\.[\d_]*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def read_settings(file: Path) -> dict[str, Any]:
    """Settings by name from a YAML file. Raises SettingsError naming the file."""
    try:
        tree = parse_yaml(read_bytes(file, LARGEST_YAML).decode(), _Loader) or {}
    except FileNotFoundError:
        raise SettingsError(f"{file}: no such file") from None
    except (OSError, ValueError, yaml.YAMLError, KeyError, AttributeError) as error:
        raise SettingsError(f"{file}: not a YAML file of settings by name: {_why(error)}; mend it, or take the one that git has") from None
    if not isinstance(tree, dict):
        raise SettingsError(f"{file}: not a YAML file of settings by name: found {type(tree).__name__}")
    check_values(tree, str(file))
    return tree


def _why(error: Exception) -> str:
    """What a parser says; the kinds of error that come from tags say little."""
    return f"a value does not fit its tag ({error})" if isinstance(error, KeyError | AttributeError) else str(error)


def overlay(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``change`` laid over it: mappings merge, all else is replaced (as Snakemake's --configfile does)."""
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = overlay(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def named_values(option: str, items: list[str]) -> dict[str, Any]:
    """``name=value`` of a command line, each value read as in a file of settings. Raises SettingsError for what is none."""
    found: dict[str, Any] = {}
    for item in items:
        name, between, value = item.partition("=")
        if not between or not name.strip():
            raise SettingsError(f"{option} {item}: expected name=value")
        if name.strip() in found:
            raise SettingsError(f"{option} {item}: {name.strip()} is given twice; keep one of them")
        try:
            found[name.strip()] = parse_yaml(value, _Loader)
        except (yaml.YAMLError, ValueError, KeyError, AttributeError) as error:
            raise SettingsError(f"{option} {item}: {_why(error)}") from None
    return found
