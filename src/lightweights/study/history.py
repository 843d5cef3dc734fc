"""How long a history is, without what it says."""

from pathlib import Path

from lightweights.files import read_bytes

LARGEST_HISTORY = 2**26
"""Bytes; a thousand rounds have two hundred thousand."""


def history_rows(path: Path) -> int:
    """Rows of a history.csv, its header aside; -1 where there is none, or its last row is cut short."""
    try:
        content = read_bytes(path, LARGEST_HISTORY)
    except (OSError, ValueError):
        return -1
    return content.count(b"\n") - 1 if content.endswith(b"\n") else -1
