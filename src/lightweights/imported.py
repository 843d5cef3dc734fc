"""What a setting names as ``package.module:attribute``: a network, an arm or a data set of the user's own.

Such a module is code, and runs as the user. Whatever it raises, when it is imported or called, becomes an error that names the setting; a
module that ends the program is told, too, since the workflow would take its exit for success.
"""

import functools
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightweights.settings.base import SettingsError
from lightweights.settings.own_code import own_code


def imported(setting: str, name: str) -> Callable[..., Any]:
    """The factory of that name, its module looked for in the working folder too. What it raises when it is called comes as a
    SettingsError, errors of this package's own and MemoryError as they are. Raises SettingsError where it cannot be imported or called.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    module, _, attribute = name.partition(":")
    with own_code(f"{setting} = {name!r} cannot be imported"):
        factory = getattr(importlib.import_module(module), attribute)
    if not callable(factory):
        raise SettingsError(f"{setting} = {name!r} is {type(factory).__name__}, which cannot be called: no function and no class")

    @functools.wraps(factory)
    def called(*values: Any, **arguments: Any) -> Any:
        with own_code(f"{setting} = {name!r} with arguments {arguments}"):
            return factory(*values, **arguments)

    return called
