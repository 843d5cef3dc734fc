"""What a setting names as ``package.module:attribute``: a network or a data set of the user's own."""

import importlib
import sys
from pathlib import Path
from typing import Any

from lightweights.params import SettingsError


def imported(setting: str, name: str) -> Any:
    """The attribute, its module looked for in the working folder too. Raises SettingsError where it cannot be imported."""
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise SettingsError(f"{setting} = {name!r} cannot be imported: {error}") from error
