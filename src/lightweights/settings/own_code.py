"""Code that may be the user's own: what it raises is told as an error of ours, and its exit is not taken for success."""

from collections.abc import Iterator
from contextlib import contextmanager

from lightweights.errors import LightweightsError
from lightweights.settings.base import SettingsError


@contextmanager
def own_code(what: str) -> Iterator[None]:
    """Whatever is raised within comes as a SettingsError that begins with ``what``; errors of this package's own, MemoryError and Ctrl-C
    come as they are.
    """
    try:
        yield
    except (LightweightsError, MemoryError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit(0) would let the workflow succeed; what test runners raise to skip a module is no Exception
        raise SettingsError(f"{what}: {said(error)}") from error


def said(error: BaseException) -> str:
    """What an error says, with its kind where the words alone would tell nothing."""
    if isinstance(error, SystemExit):
        return f"it ends the program (sys.exit({error.code!r})); a module is to define and a factory to return"
    if isinstance(error, LightweightsError | ImportError | AttributeError | SyntaxError | TypeError | ValueError | RuntimeError):
        return str(error) or type(error).__name__
    return f"{type(error).__name__}: {error}"
