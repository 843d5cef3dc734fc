"""A run: all that decides its numbers, and where it belongs. A kind of run is one class.

A class says which sections the runs of its method have (its fields), which schedules fit, its default first, the version of the numbers
that it computes, and the module that trains it, by name, so that settings are read without torch. The study gives each field its section
of that name. The classes of the library are in :mod:`lightweights.settings.kinds`; a chapter's own are in its ``settings.py``.
"""

import json
from importlib import import_module
from typing import Any, ClassVar, NamedTuple, Self, get_args

from pydantic import Field, SerializeAsAny, model_validator

from lightweights.settings.base import Name, Section, Seed, SettingsError, nearest
from lightweights.settings.chapters import load_kinds
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.schedules import steps_of

_KINDS: dict[str, type["RunSettings"]] = {}


class Work(NamedTuple):
    """What a run takes. Seconds are proportional to ``millions`` (of images through a network, see :mod:`lightweights.study.cost`) among
    runs of one ``family``.
    """

    family: str
    millions: float
    bytes_each: int = 5
    """Of memory for each number of the data: as bytes, and as floats."""
    memory_mb: int = 0
    """MiB that are held besides."""
    alone: bool = False
    """Cannot share a job with others: one waits for the result of another."""


class RunSettings(Section):
    """All that decides the numbers of a run, its seed aside.

    None is never written, and a setting that entered later only where it was said (:class:`~lightweights.settings.base.Grown`): the
    identity of older runs stays as it is.
    """

    version: ClassVar[int]
    """Version of the numbers that the method computes. Raise it with any change that alters a run's metrics."""
    schedules: ClassVar[tuple[str, ...]]
    """Schedules that fit, the default first."""
    trainer: ClassVar[str]
    """Module that trains: see :mod:`lightweights.methods.method`."""
    large: ClassVar[bool] = False
    """Whether models of this kind may be larger than git takes, 64 KiB, so that DVC keeps a folder for them."""
    learns_from: ClassVar[str | None] = None
    """Method of the run whose result it is made from; the experiment says which one."""
    source_seed: ClassVar[int | None] = None
    """Seed of the run that it is made from; its own unless set."""

    method: str
    numerics_version: int
    dataset: DatasetSection

    @classmethod
    def __pydantic_init_subclass__(cls, **named: Any) -> None:
        """A kind of run makes itself known by its method."""
        super().__pydantic_init_subclass__(**named)
        for method in get_args(cls.model_fields["method"].annotation):
            _KINDS[method] = cls

    @model_validator(mode="wrap")
    @classmethod
    def _kind_by_method(cls, value: Any, handler: Any) -> Self:
        if cls is RunSettings and isinstance(value, dict):
            return kind_of(value.get("method")).model_validate(value)  # type: ignore[return-value]
        return handler(value)

    def __getattr__(self, name: str) -> Any:
        """None for a section that runs of another kind have."""
        if not name.startswith("_") and name in all_sections():
            return None
        return super().__getattr__(name)  # type: ignore[misc]

    def work(self) -> Work:
        """What the run takes."""
        raise NotImplementedError

    def lacks(self) -> str:
        """What the run needs and is not installed here, in words with what brings it; nothing where all is there."""
        return ""

    @property
    def steps(self) -> int:
        """Rounds or epochs: rows of its history."""
        return steps_of(self.schedule)

    @classmethod
    def from_source(cls, source: "RunSettings") -> dict[str, Any]:
        """Fields that come from the run that it learns from."""
        return {}

    @classmethod
    def shared_with_source(cls) -> tuple[str, ...]:
        """Sections in which a run and the one that it learns from must agree."""
        return ()

    @classmethod
    def without_idle(cls, tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        """The settings without sections that would do nothing. Raises ValueError where one of these was changed."""
        return tree

    @property
    def source(self) -> "RunSettings | None":
        """Settings of the run that it learns from."""
        return None

    def plain(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_json(self) -> str:
        """Canonical text: equal settings give equal bytes."""
        return json.dumps(self.plain(), indent=2, sort_keys=True) + "\n"


class Run(Section):
    """One training with one seed: where it belongs and what decides its numbers."""

    study: Name
    experiment: Name
    variant: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._=+,-]{0,119}$")
    seed: Seed
    settings: SerializeAsAny[RunSettings]

    @property
    def key(self) -> str:
        """Where the run stands in its study, as a path."""
        return f"{self.experiment}/{self.variant}/seed-{self.seed}"


def kinds() -> dict[str, type[RunSettings]]:
    """All kinds of run that are known here, by method: the library's own, then those of the chapters that were asked for theirs by name,
    whichever came first.
    """
    import_module("lightweights.settings.kinds")  # by name, as chapters bring theirs
    brought = sorted(method for method, kind in _KINDS.items() if not kind.__module__.startswith("lightweights."))
    return {method: _KINDS[method] for method in (*(name for name in _KINDS if name not in brought), *brought)}


def all_sections() -> set[str]:
    """Names of the sections that some kind of run has."""
    return {name for kind in _KINDS.values() for name in kind.model_fields}


def kind_of(method: Any) -> type[RunSettings]:
    """The kind of run of a method; chapters are asked for their own where the library has none. Raises SettingsError naming the methods
    that there are.
    """
    if not isinstance(method, str) or method not in kinds():
        load_kinds()
    known = kinds()
    if not isinstance(method, str) or method not in known:
        raise SettingsError(f"no such method; there are {', '.join(map(repr, known))}{nearest(method, known)}")
    return known[method]
