"""Writing files so that no reader ever sees half of one; reading those that anything may have happened to."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from lightweights.errors import LightweightsError


class WriteError(LightweightsError, OSError):
    """A file could not be written; what was there before is untouched."""


LARGEST_JSON = 16 * 2**20
"""Bytes; metrics.json has three thousand."""


def read_json(path: Path) -> Any:
    """What a JSON file says. Raises ValueError where it is none, nested too deeply or too large to be ours, and OSError."""
    with path.open("rb") as file:
        content = file.read(LARGEST_JSON + 1)
    if len(content) > LARGEST_JSON:
        raise ValueError(f"more than {LARGEST_JSON:,} bytes")
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write under a private temporary name in the same folder, then rename. Raises WriteError (full disk, no permission, ...)."""
    data = content.encode() if isinstance(content, str) else content
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise WriteError(
                f"{path} ({len(data):,} bytes) cannot be written: {error.strerror}. Make room or set permissions, then start again: "
                "finished work and checkpoints are kept"
            ) from error
        raise


def write_if_changed(path: Path, content: str) -> bool:
    """Write only when the file's content differs, so that its time stamp tells of real changes. True if written."""
    if path.is_file() and path.read_text() == content:
        return False
    write_atomic(path, content)
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
