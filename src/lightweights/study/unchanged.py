"""What a summary was drawn from, by content: time stamps of a fresh clone mean nothing, and would have all of it drawn again. And a file
that is missing would not be missed: Snakemake makes it anew only for a job that is to be done.

Beside the summary lies ``in_step.json``, kept by git: for the first file of each job, a digest of what the job was given.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from lightweights.files import read_json, write_if_changed

NAME = "in_step.json"


def date_outputs(record: Path, outputs: Sequence[str], inputs: Iterable[str | Path]) -> list[str]:
    """Date the files of a job after what it is made from, where these have the contents that it was made from, and before it where
    something is missing; the files, as they came.

    Contents are read only where a time stamp says that the job is to be done.
    """
    given = [Path(file) for file in inputs]
    try:
        newest = max((file.stat().st_mtime for file in given), default=0.0)
        if min(os.stat(file).st_mtime for file in outputs) < newest and _known(record).get(outputs[0]) == digest(given):  # noqa: PTH116
            now = max(time.time(), newest)
            for file in outputs:
                os.utime(file, (now, now))
    except OSError:
        there = [Path(file) for file in (*outputs, *given) if os.path.exists(file)]  # noqa: PTH110
        before = min((file.stat().st_mtime for file in there), default=1.0) - 1
        with suppress(OSError):  # Snakemake says better what cannot be written
            for file in set(outputs) & {str(file) for file in there}:
                os.utime(file, (before, before))
    return list(outputs)


def note(record: Path, jobs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
    """Note what the files of jobs, each with its outputs and inputs, have been made from."""
    known = _known(record)
    try:
        found = {str(outputs[0]): digest(map(Path, inputs)) for outputs, inputs in jobs if outputs}
    except OSError:
        return
    if found:
        write_if_changed(record, json.dumps(dict(sorted((known | found).items())), indent=1) + "\n")


def digest(files: Iterable[Path]) -> str:
    """Of names and contents, in the order of the names."""
    found = hashlib.sha256()
    for file in sorted(files):
        name = "/".join(file.parts[-4:])  # not where the clone lies
        found.update(f"{name}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


def _known(record: Path) -> dict[str, str]:
    try:
        known = read_json(record)
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
