"""Downloading a raw file from the first mirror that serves it whole.

The bytes go to a temporary name beside the file's place, are checked, and are then renamed. A failed or interrupted download
leaves nothing; what a killed process leaves is never read, and is removed by a later download of the same file.
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from lightweights.datasets.catalogue import RawFile
from lightweights.datasets.dataset import DataError

TIMEOUT = (10, 60)
"""Seconds to wait for a connection, and for the next bytes of a file."""

ABANDONED = 3600
"""Seconds without a write after which a temporary file counts as left by a killed process."""


class NotServedError(Exception):
    """No mirror served the file; the message lists each with its reason, one a line."""


def download(file: RawFile, path: Path) -> None:
    """Put the published file at ``path``.

    Raises:
        NotServedError: every mirror failed or sent something else.
        DataError: the folder cannot be written, or the disk is full.
    """
    import pooch

    # identity: a mirror is not to pack the packed file once more, which the client would undo
    fetch = pooch.HTTPDownloader(chunk_size=2**16, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
    failures = []
    for url in file.urls:
        try:
            with _new_file(path) as stream, _progress(file) as advance:
                target = _Target(stream, file, path, advance)
                fetch(url, target, None)
                target.check()
            return
        except (OSError, _WrongContentError) as error:  # what requests raises is an OSError; what the disk raises is a DataError by now
            cause = getattr(error.args[0], "reason", error) if error.args else error  # without the layers of requests and urllib3
            failures.append(f"  {url}: {cause}")
    raise NotServedError("\n".join(failures) or "  there are none")


class _WrongContentError(Exception):
    """What a mirror sent is not the published file."""


class _Target:
    """Takes a download's chunks: counts, hashes and writes them, and refuses more bytes than the file has."""

    def __init__(self, stream: FileIO, file: RawFile, path: Path, advance: Callable[[int], None]):
        self._stream, self._file, self._path, self._advance = stream, file, path, advance
        self._size, self._sha = 0, hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._file.size:
            raise _WrongContentError(f"sent more than {self._file.size} bytes")
        self._sha.update(chunk)
        rest = memoryview(chunk)
        with _disk_errors(self._path):
            while rest:
                rest = rest[self._stream.write(rest) :]
        self._advance(len(chunk))

    def flush(self) -> None:
        """Nothing to do: the stream has no buffer."""

    def check(self) -> None:
        if self._sha.hexdigest() != self._file.sha256:
            raise _WrongContentError(f"sent {self._size} of {self._file.size} bytes, SHA-256 {self._sha.hexdigest()}")


@contextmanager
def _new_file(path: Path) -> Iterator[FileIO]:
    """A stream whose file becomes ``path`` when the block ends well, and vanishes when it does not."""
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{path.name}.*.part"):
            with suppress(FileNotFoundError):  # another process may be as quick
                if time.time() - left.stat().st_mtime > ABANDONED:
                    left.unlink()
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with FileIO(handle, "w") as stream:
            yield stream
            with _disk_errors(path):
                os.fsync(handle)
        with _disk_errors(path):
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk raises into a DataError, so that it is not taken for a mirror's failure."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); nothing of it was kept. Free some space, or set LIGHTWEIGHTS_CACHE to a "
            f"folder on another disk that you may write to"
        ) from None


@contextmanager
def _progress(file: RawFile) -> Iterator[Callable[[int], None]]:
    """A bar on stderr when it is a terminal; gives the function that takes the number of new bytes."""
    if not sys.stderr.isatty():
        yield lambda size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(file.path, total=file.size)
        yield lambda size: progress.advance(task, size)
