"""Whether a value is of the kind that a setting asks for, before anything is bent: true is no number, and 1 is no switch. Numbers in quotes
are numbers, as command lines give them.
"""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin


def kinds_of(annotation: Any) -> frozenset[type]:
    """The scalar types that a value of a field may have, at any depth of lists; none where that is not told, as for Any and sections."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return frozenset(type(value) for value in parts)
    if origin is Annotated:
        return kinds_of(parts[0])
    if origin in (Union, types.UnionType, list, tuple):
        return frozenset().union(*(kinds_of(part) for part in parts if part not in (Ellipsis, type(None))))
    return frozenset({annotation}) if annotation in (bool, int, float, str) else frozenset()


def bent(value: Any, kinds: frozenset[type]) -> str:
    """Why a value is not of these kinds, where reading it would make another of it; empty otherwise."""
    if not kinds:
        return ""
    if isinstance(value, list | tuple):
        return next((why for part in value if (why := bent(part, kinds))), "")
    if isinstance(value, bool):
        wanted = "write a number" if kinds & {int, float} else "write a name"
        return "" if bool in kinds else f"{str(value).lower()} is a switch; {wanted}"
    return f"{value} is a number; write true or false" if kinds == {bool} and isinstance(value, int | float) else ""
