"""What every section of settings is made of: names, seeds, imported names; and how an error is told."""

import difflib
import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from lightweights.errors import LightweightsError
from lightweights.settings.scalars import bent, kinds_of

ImportedName = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", max_length=200)]
Arguments = Annotated[
    dict[Annotated[str, Field(max_length=100)], int | float | Annotated[str, Field(max_length=1000)] | bool], Field(max_length=100)
]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class SettingsError(LightweightsError, ValueError):
    """A setting that cannot be used; the message names its path, its value and what would be right."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    scalars: ClassVar[dict[str, frozenset[type]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **named: Any) -> None:
        """Note what each field may hold."""
        super().__pydantic_init_subclass__(**named)
        cls.scalars = {name: kinds_of(field.annotation) for name, field in cls.model_fields.items()}

    @model_validator(mode="before")
    @classmethod
    def _as_it_stands(cls, tree: Any) -> Any:
        if isinstance(tree, dict):
            errors = [
                InitErrorDetails(type=PydanticCustomError("bent", "{why}", {"why": why}), loc=(name,), input=value)
                for name, value in tree.items()
                if isinstance(value, bool | int | list) and (why := bent(value, cls.scalars.get(str(name), frozenset())))
            ]
            if errors:
                raise ValidationError.from_exception_data(cls.__name__, errors)
        return tree


class Grown(Section):
    """A section that has grown since runs of it landed. ``later`` names what entered: it is written only where it was said, so that the
    identity of runs from before stays what it is.
    """

    later: ClassVar[tuple[str, ...]] = ()

    def says(self, *names: str) -> bool:
        """Whether one of these settings was said, rather than left at its default."""
        return not self.model_fields_set.isdisjoint(names)

    @model_serializer(mode="wrap")
    def _as_said(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in written(self).items() if name not in self.later or self.says(name)}


def describe(error: ValidationError, where: dict[str, str] | None = None) -> str:
    """The errors of a validation, one a line: path, value, and what would be right."""
    lines = []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"])
        for inner, outer in (where or {}).items():
            if inner.split(".")[-1] in path.split(".") and inner.split(".")[0] in path.split("."):
                path = outer
        value = item["input"]
        shown = (
            f" = {shortened(repr(value))}"
            if item["type"] not in ("missing", "value_error") or not isinstance(value, dict | BaseModel)
            else ""
        )
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "no such setting (a typing error?)"
        if item["type"] == "string_pattern_mismatch" and (names := names_in(item["ctx"]["pattern"])):
            message = f"expected one of {', '.join(names)}, or package.module:factory of your own{nearest(value, names)}"
        lines.append(f"{path}{shown}: {message}" if path else message)
    return "\n".join(lines)


def names_in(pattern: str) -> list[str]:
    """The names that a pattern lists beside what else it allows; none where it lists no names."""
    parts = pattern.strip("^$").removeprefix("(").removesuffix(")").split("|")
    return [part for part in parts if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", part)]


def shortened(text: str, length: int = 200) -> str:
    """Text that fits into a message."""
    return text if len(text) <= length else f"{text[:length]}..."


def nearest(name: Any, known: Iterable[str]) -> str:
    """The known name that is most like an unknown one, as the end of a message; empty where none is."""
    found = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.7)
    return f" (did you mean {found[0]}?)" if found else ""
