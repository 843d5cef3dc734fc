"""The same as :mod:`lightweights.files`, by its former name."""

from lightweights.files import (
    LARGEST_JSON,
    LARGEST_YAML,
    WriteError,
    read_bytes,
    read_json,
    read_yaml,
    remove_leftovers,
    write_atomic,
    write_if_changed,
)

__all__ = [
    "LARGEST_JSON",
    "LARGEST_YAML",
    "WriteError",
    "read_bytes",
    "read_json",
    "read_yaml",
    "remove_leftovers",
    "write_atomic",
    "write_if_changed",
]
