"""Commands that work on a study need a clone of the repository; installed alone, the package has the library."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from lightweights.errors import LightweightsError
from lightweights.study.layout import RESULTS
from lightweights.study.plan import PARAMS


class NoCloneError(LightweightsError):
    """A command that needs a clone was given elsewhere."""


P = ParamSpec("P")
R = TypeVar("R")


def in_a_clone(command: Callable[P, R]) -> Callable[P, R]:
    """The command, refused in folders that are no clone."""

    @functools.wraps(command)
    def checked(*args: P.args, **named: P.kwargs) -> R:
        if not PARAMS.is_file() and not RESULTS.is_dir():
            name = command.__name__.removesuffix("_command").replace("_", "-")
            raise NoCloneError(
                f"`lightweights {name}` works in a clone of the repository, a folder with {PARAMS} and {RESULTS}/, and {Path.cwd()} is "
                "none: `cd` into one. Elsewhere work `import lightweights`, `lightweights probe`, `schema`, `evaluate` of a bundle (.zip)"
            )
        return command(*args, **named)

    return checked
