"""Which of a module's parameters are generated, which are trained directly beside them, and which stay as they are."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

Selector = str | Iterable[str] | Callable[[str, nn.Parameter], bool]
"""A pattern or a list of them, or a function of a parameter's name and the parameter. A pattern is the name of a parameter, or of a module
with all parameters in it, with ``*`` for any characters.
"""


@dataclass(frozen=True)
class Slot:
    """One generated parameter: its name, where it stands in the module (more than one place where it is shared), and how it was."""

    name: str
    places: tuple[tuple[str, str], ...]
    shape: torch.Size
    level: float
    """Root mean square of the values that its layer's own initialisation gave it."""

    @property
    def size(self) -> int:
        """Number of weights."""
        return self.shape.numel()

    def place_in(self, target: nn.Module) -> Tensor:
        """What a module holds in this place now."""
        parent, name = self.places[0]
        return getattr(target.get_submodule(parent), name)


@dataclass(frozen=True)
class Selection:
    """Names of the parameters of a module, each once, in the order of ``state_dict``: ``generated`` as slots, ``direct`` ones, ``kept``
    ones, and those ``passed_over`` of the kept: norms and parametrised weights, which would be generated if they were asked for.
    """

    generated: tuple[Slot, ...]
    direct: tuple[str, ...]
    kept: tuple[str, ...]
    passed_over: tuple[str, ...]


def select(module: nn.Module, only: Selector | None = None, direct: Selector | None = None) -> Selection:
    """Sort a module's parameters.

    Without ``only``, every parameter that requires a gradient is generated, but not the scales and shifts of norms and not the originals
    of parametrised weights: what these need is not spread around zero. Patterns choose among the parameters that require a gradient, a
    function among all. ``direct`` ones are taken out of the generated ones.

    Raises ValueError for a pattern that chooses nothing, for a module with nothing to generate, and for weights that are no real
    numbers or that have no shape yet.
    """
    names = names_of(module)
    parameters = {own[0]: module.get_parameter(own[0]) for own in names}
    if shapeless := [name for name, p in parameters.items() if isinstance(p, UninitializedParameter)]:
        raise ValueError(f"{shapeless[0]} has no shape yet: call the module once on an example, then generate its weights")
    asked = chosen("direct", direct, parameters, names) if direct is not None else set()
    trained = asked | {name for name, p in parameters.items() if p.requires_grad and _left_as_it_is(module, name)}
    if only is None:
        wanted = {name for name, p in parameters.items() if p.requires_grad} - trained
        passed_over = {name for name in wanted if _passed_over(module, name)}
        wanted -= passed_over
    else:
        wanted, passed_over = chosen("only", only, parameters, names), set()
        if both := sorted(wanted & asked):
            raise ValueError(f"only and direct both choose {both[0]!r}; a parameter is generated or trained directly, not both")
        wanted -= trained
    wanted = {name for name in wanted if parameters[name].numel()}
    if not wanted:
        why = f"; {', '.join(sorted(passed_over)[:4])} can be named in only=" if passed_over else ""
        raise ValueError(f"the module has no parameter that requires a gradient, so there is no weight to generate{why}")
    slots = tuple(_slot(module, own, parameters[own[0]]) for own in names if own[0] in wanted)
    ordered = lambda some: tuple(own[0] for own in names if own[0] in some)  # noqa: E731
    return Selection(slots, ordered(trained), ordered(set(parameters) - wanted - trained), ordered(passed_over))


def chosen(setting: str, selector: Selector, parameters: Mapping[str, nn.Parameter], names: list[list[str]]) -> set[str]:
    """First names of the parameters that a selector chooses."""
    if callable(selector):
        return {name for name, p in parameters.items() if selector(name, p)}
    found: set[str] = set()
    for pattern in [selector] if isinstance(selector, str) else list(selector):
        hits = named(setting, pattern, names)
        open_ones = {name for name in hits if parameters[name].requires_grad}
        if not open_ones:
            raise ValueError(
                f"{setting}={pattern!r} names only parameters that require no gradient, such as {min(hits)}: they stay as they are"
            )
        found |= open_ones
    return found


def named(setting: str, patterns: str | Iterable[str], names: list[list[str]]) -> set[str]:
    """First names of the parameters that patterns name. Raises ValueError for a pattern that names none."""
    found: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, str) else list(patterns):
        hits = {own[0] for own in names for name in own if _fits(name, pattern)}
        if not hits:
            near = get_close_matches(pattern, [name for own in names for name in own], 3, 0.3)
            raise ValueError(f"{setting}={pattern!r} names no weight of the module{'; there is ' + ', '.join(near) if near else ''}")
        found |= hits
    return found


def _fits(name: str, pattern: str) -> bool:
    parts = name.split(".")
    return any(fnmatchcase(".".join(parts[: k + 1]), pattern) for k in range(len(parts)))


def names_of(module: nn.Module) -> list[list[str]]:
    """All names of each parameter, its first one first."""
    known: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        known.setdefault(id(parameter), []).append(name)
    return list(known.values())


def _owner(module: nn.Module, name: str) -> tuple[nn.Module, str]:
    parent, _, last = name.rpartition(".")
    return module.get_submodule(parent), last


def _left_as_it_is(module: nn.Module, name: str) -> bool:
    owner, last = _owner(module, name)
    return last in getattr(owner, "trained_directly", ())


def _passed_over(module: nn.Module, name: str) -> bool:
    owner, last = _owner(module, name)
    if "norm" in type(owner).__name__.lower() and all(p.dim() < 2 for p in owner.parameters(recurse=False)):
        return True
    if isinstance(owner, nn.utils.parametrize.ParametrizationList):
        return last.startswith("original")
    stem, _, kind = last.rpartition("_")  # weight_norm, spectral_norm and pruning of old keep weight_g, weight_v, weight_orig
    return kind in ("g", "v", "orig") and stem not in owner._parameters and isinstance(getattr(owner, stem, None), Tensor)


def _slot(module: nn.Module, names: list[str], parameter: nn.Parameter) -> Slot:
    name = names[0]
    if not parameter.is_floating_point():
        raise ValueError(
            f"{name} is {parameter.dtype}: generated weights are real numbers; keep it out with only= or requires_grad_(False)"
        )
    if parameter.is_meta or parameter.layout is not torch.strided:
        raise ValueError(
            f"{name} is on device {parameter.device}, {parameter.layout}: move it to a device that holds values, and make it dense"
        )
    if not parameter.isfinite().all():
        raise ValueError(f"{name} has a value that is no finite number; mend it first, as weights start at the level of its values")
    places: dict[tuple[int, str], tuple[str, str]] = {}
    for each in names:
        owner, last = _owner(module, each)
        places.setdefault((id(owner), last), (each.rpartition(".")[0], last))  # a module in two places is called, not replaced, twice
    return Slot(name, tuple(places.values()), parameter.shape, _level(module, name))


def _level(module: nn.Module, name: str) -> float:
    """Root mean square of a parameter; where that is 0, of its neighbours in the same layer, or what torch's layers of its size have."""
    owner, _ = _owner(module, name)
    own = module.get_parameter(name).detach()
    levels = [
        _rms(own),
        max(map(_rms, owner.parameters(recurse=False))),
        (3 * max(1, own[0].numel() if own.dim() > 1 else own.numel())) ** -0.5,
    ]
    return next(level for level in levels if level > 0)


def _rms(values: Tensor) -> float:
    if values.numel() == 0 or values.is_meta:
        return 0.0
    found = float(values.detach().float().square().mean().sqrt())
    return found if torch.isfinite(torch.tensor(found)) else 0.0
