"""Writing files so that no reader ever sees half of one; reading those that anything may have happened to."""

import errno
import glob
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # libyaml's parser, ten times as fast, where PyYAML was built with it
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

from lightweights.errors import LightweightsError


class WriteError(LightweightsError, OSError):
    """A file could not be written; what was there before is untouched."""


LEFT = ".part"
"""How the temporary name of a file under way ends."""

LARGEST_JSON, LARGEST_YAML = 16 * 2**20, 2**20
"""Bytes; metrics.json has three thousand, params.yaml and dvc.lock have ten thousand."""


DEEPEST_YAML = 200
"""Levels of a file that is read: building a tree goes down by calls, and the fast parser's calls end in no exception."""


class _Loader(SafeLoader):
    """The safe loader without merge keys, which can ask for more than any memory holds before there is a tree to check."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise ValueError(f"merge key << in line {key.start_mark.line + 1}: write out what it stands for")
        super().flatten_mapping(node)  # type: ignore[no-untyped-call]


def read_json(path: Path) -> Any:
    """What a JSON file says. Raises ValueError where it is none, nested too deeply or too large to be ours, and OSError."""
    content = read_bytes(path, LARGEST_JSON)
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def parse_yaml(text: str, loader: type[SafeLoader]) -> Any:
    """What a YAML text says. Raises yaml.YAMLError, and ValueError where it is nested too deeply."""
    depth = 0
    for event in yaml.parse(text, SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST_YAML:
            raise ValueError("nested too deeply")
    return yaml.load(text, loader)  # noqa: S506 (safe)


def read_yaml(path: Path) -> Any:
    """What a YAML file says; its aliases are not expanded. Raises ValueError and OSError as :func:`read_json`, and for merge keys."""
    content = read_bytes(path, LARGEST_YAML)
    try:
        return parse_yaml(content.decode(), _Loader)
    except (yaml.YAMLError, KeyError, AttributeError) as error:  # the last two from tags that do not fit their value
        raise ValueError(str(error) if isinstance(error, yaml.YAMLError) else f"a value does not fit its tag ({error})") from None


def read_bytes(path: Path, largest: int) -> bytes:
    """What a file holds. Raises ValueError where that is more than ``largest`` bytes, and OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            raise ValueError(f"more than {largest:,} bytes")
        return file.read(size)


def write_atomic(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write under a private temporary name in the same folder, then rename; when this returns, a loss of power takes nothing back, unless
    ``durable`` is false. Raises WriteError (full disk, no permission, ...).
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=LEFT)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(handle)  # or the name could be on the disk before the bytes are
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
        if durable:
            _sync_folder(path.parent)
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
    """Write only when the file's content differs, so that its time stamp tells of real changes; it can be made again, so no disk is waited
    for. True if written.
    """
    if path.is_file() and path.read_bytes() == content.encode():
        return False
    write_atomic(path, content, durable=False)
    return True


def remove_leftovers(*paths: Path) -> int:
    """Remove what killed writes of these files left beside them; how many there were. For whoever holds the lock of the files: a write
    under way would lose its file.
    """
    found = [file for path in paths for file in path.parent.glob(f".{glob.escape(path.name)}.????????{LEFT}")]
    for file in found:
        file.unlink(missing_ok=True)
    return len(found)


def _sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, where its file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
