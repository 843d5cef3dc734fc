"""The digest of a module that a factory of the user's own built: its code can change while its settings stay the same."""

import ast
import hashlib
import inspect
import sysconfig
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torch import nn

from lightweights.imported import imported
from lightweights.networks import build_network

_PLACES = (sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
_OTHERS = tuple({str(Path(folder).resolve()) for folder in _PLACES})
_PACKAGE = str(Path(__file__).resolve().parent)
_PLAIN = (int, float, complex, str, bytes, bool, type(None))


def built_digests(settings: Any, data: Any, trained: nn.Module, seed: int) -> dict[str, str]:
    """Digests of what the factories of the user's own built for a run, by the setting that names them; none where settings name none.

    Args:
        settings: those of the run; its network and its arm may be imported ones.
        data: the data set that the network is built for.
        trained: the module in training, whose arm it is.
        seed: of the run.
    """
    network, photonics = getattr(settings, "network", None), getattr(settings, "photonics", None)
    found = {}
    if network is not None and ":" in network.name:
        built = build_network(network, data.input_shape, data.outputs, seed)
        found["network.name"] = built_digest(built, imported("network.name", network.name))
    arm = getattr(photonics, "arm", "")
    if ":" in arm and isinstance(getattr(trained, "arm", None), nn.Module):
        found["photonics.arm"] = built_digest(trained.arm, imported("photonics.arm", arm))  # type: ignore[arg-type]
    return found


def built_digest(module: nn.Module, factory: Callable[..., Any] | None = None) -> str:
    """SHA-256 over what a factory built: the names, types, shapes and kinds of all parameters and buffers, the names, classes and settings
    of all submodules, and the source of the user's own classes and of ``factory``, with the functions, classes and constants of the user's
    that these name. Values of parameters do not count, nor does the source of installed packages; comments and blank lines do not either.
    """
    lines = []
    parameters, buffers = module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False)
    for kind, tensors in (("parameter", parameters), ("buffer", buffers)):
        lines += [f"{kind} {name} {t.dtype} {tuple(t.shape)} {t.requires_grad}" for name, t in tensors]
    for name, part in module.named_modules(remove_duplicate=False):
        settings = part.extra_repr() if type(part).__module__.startswith("torch.") else ""
        lines.append(f"module {name} {type(part).__module__}.{type(part).__qualname__} {settings}")
    starts = [kind for part in module.modules() for kind in type(part).__mro__] + ([inspect.unwrap(factory)] if factory else [])
    lines += sorted(set(_sources(starts)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _sources(waiting: list[Any]) -> Iterator[str]:
    """The sources of functions and classes, and of what they name in their modules, as far as the user wrote them."""
    seen: set[int] = set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or not _is_own(thing):
            continue
        seen.add(id(thing))
        name = f"{thing.__module__}.{thing.__qualname__}"
        source = _source(thing)
        yield f"source {name}\n{source}"
        around = vars(inspect.getmodule(thing) or types.ModuleType("none"))
        for word in _words(source):
            value = around.get(word)
            if inspect.isfunction(value) or inspect.isclass(value):
                waiting.append(value)
            elif word in around and _is_plain(value):
                yield f"constant {thing.__module__}.{word} = {value!r}"


def _is_own(thing: Any) -> bool:
    try:
        file = str(Path(inspect.getfile(thing)).resolve())
    except (TypeError, OSError):  # built in, or written in no file
        return False
    installed = "site-packages" in Path(file).parts or "dist-packages" in Path(file).parts
    return not installed and not file.startswith((*_OTHERS, _PACKAGE))


def _source(thing: Any) -> str:
    """The source, where it can be had, without blank lines and lines of comment."""
    try:
        lines = textwrap.dedent(inspect.getsource(thing)).splitlines()
    except (OSError, TypeError, SyntaxError):
        return ""
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _words(source: str) -> set[str]:
    """The names that code may look up in its module."""
    try:
        return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    except SyntaxError:
        return set()


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(part) for part in value)
    if isinstance(value, dict):
        return all(_is_plain(part) for pair in value.items() for part in pair)
    return isinstance(value, _PLAIN)
