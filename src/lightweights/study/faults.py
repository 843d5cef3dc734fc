"""What can befall a run and is told to the user: one kind of error, and what to do where memory does not suffice."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from safetensors import SafetensorError

from lightweights.errors import LightweightsError
from lightweights.settings.own_code import said
from lightweights.settings.runs import Run


class RunError(LightweightsError):
    """A run that cannot be finished; the message names it and says what to do."""


@contextmanager
def memory_told(run: Run) -> Iterator[None]:
    """Say what to do where memory does not suffice; Python and torch tell of it in different ways. A network of the user's own that ends
    the program is told, too.
    """
    try:
        yield
    except SystemExit as error:
        raise RunError(f"run {run.study}/{run.key}: {said(error)}") from error
    except (MemoryError, RuntimeError, ImportError, OSError, SafetensorError) as error:
        if isinstance(error, LightweightsError) or not out_of_memory(error):
            raise
        raise RunError(
            f"run {run.study}/{run.key}: not enough memory ({(str(error) or 'MemoryError').splitlines()[0]}); "
            "run fewer at once or give its job more (mem_mb), then start again: it goes on from its checkpoint"
        ) from error


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory did not suffice. Torch loads some of its libraries when it first needs them."""
    words = r"out of memory|(not enough|insufficient|allocat\w*|create a) memory|memory allocation|failed to map segment|bad_?alloc"
    return isinstance(error, MemoryError) or re.search(words, str(error), re.IGNORECASE) is not None
