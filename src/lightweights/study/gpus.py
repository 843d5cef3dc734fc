"""GPUs of one machine that runs share, one run at a time on each."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock

from lightweights.settings.base import SettingsError

LOOK_AGAIN = 1.0
"""Seconds between two looks for a free GPU."""


def numbers_of(text: str) -> list[int]:
    """GPUs of a list such as ``0, 1,3``; none of an empty one. Raises SettingsError where it holds anything but numbers."""
    numbers = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(number.isdecimal() and len(number) <= 4 for number in numbers):
        raise SettingsError(f"--gpus {text!r}: expected numbers with commas between them, for example 0,1,3")
    return [int(number) for number in numbers]


@contextmanager
def lent_gpu(ids: Sequence[int], folder: Path | None = None) -> Iterator[int | None]:
    """Hold a GPU of ``ids`` for this process alone, waiting until one is free; None where ``ids`` is empty.

    The programs that CUDA starts in this process see that one only, so it must be asked for before torch looks for GPUs. Each
    GPU has a lock file on this machine (``folder``); the system frees the lock of a process that was killed.
    """
    if not ids:
        yield None
        return
    folder = folder or Path(tempfile.gettempdir()) / f"lightweights-gpus-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    locks = {gpu: filelock.FileLock(folder / f"{gpu}.lock") for gpu in ids}
    gpu = _first_free(locks)
    while gpu is None:
        time.sleep(LOOK_AGAIN)
        gpu = _first_free(locks)
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": str(gpu)}
    try:
        yield gpu
    finally:
        if before is None:
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = before
        locks[gpu].release()


def _first_free(locks: dict[int, filelock.FileLock]) -> int | None:
    for gpu, lock in locks.items():
        try:
            lock.acquire(timeout=0)
            return gpu
        except filelock.Timeout:
            continue
    return None
