"""A run's lock: two processes never train the same run. The system frees the lock of a killed process, where the file system has locks."""

import json
import os
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from lightweights.files import read_json, write_atomic
from lightweights.settings.runs import Run
from lightweights.study.faults import RunError
from lightweights.study.provenance import now

HOLDER = "holder.json"
"""Who holds the lock, beside it."""


@contextmanager
def exclusive(folder: Path, run: Run) -> Iterator[None]:
    """Hold the run's lock. Raises RunError saying who holds it, where and since when, and how it is freed."""
    path = folder / "lock"
    lock = filelock.FileLock(path, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():  # that the lock is one by a file's existence is told where it matters
            warnings.filterwarnings("ignore", "flock not supported")
            held = lock.acquire()
    except filelock.Timeout:
        raise RunError(f"run {run.study}/{run.key} is being trained by another process{_holder(path)}") from None
    except OSError as error:
        raise RunError(f"{folder} cannot be written to: {error}; set permissions or make room, then start again") from error
    with held:
        holder = {"host": platform.node(), "process": os.getpid(), "since": now()}
        write_atomic(folder / HOLDER, json.dumps(holder) + "\n", durable=False)
        try:
            yield
        finally:
            (folder / HOLDER).unlink(missing_ok=True)


def _holder(path: Path) -> str:
    """Who holds a lock, as far as it is told, and what to do."""
    remedy = "wait for it, or stop it and start again"
    freed = f"if it no longer runs, delete {path} and start again"
    try:
        told = read_json(path.parent / HOLDER)
        host, process, since = str(told["host"]), int(told["process"]), str(told["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return f" (nothing tells which one); {remedy}; {freed}"
    if host == platform.node() and not _runs(process):
        return f": it was process {process} of this machine, since {since}, which no longer runs; {freed}"
    where = "this machine" if host == platform.node() else f"machine {host}"
    return f": process {process} on {where}, since {since}; {remedy}; {freed}"


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True
