"""Which job was sent for which question: a file of one JSON line a step, so that a killed study pays for nothing twice."""

import hashlib
import json
import logging
import os
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from lightweights.files import WriteError, read_bytes
from lightweights.photonics.backends import BackendError
from lightweights.photonics.circuit import Circuit

LARGEST_LOG = 256 * 2**20
"""Bytes; a million jobs."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What a job is asked: on which platform, how many shots with which noise, of which circuit and phases."""

    platform: str
    shots: int
    noise: str
    circuit: Circuit
    phases: Float[Tensor, " phases"]

    @property
    def key(self) -> str:
        """The question's identity, SHA-256 in hexadecimal."""
        circuit = self.circuit
        what = [self.platform, self.shots, self.noise, circuit.mesh.kind, circuit.modes, circuit.inputs]
        return hashlib.sha256(json.dumps([*what, self.phases.detach().double().tolist()]).encode()).hexdigest()

    @property
    def about(self) -> dict[str, Any]:
        """What the log says of the question beside its key."""
        circuit = self.circuit
        phases = hashlib.sha256(self.phases.detach().double().cpu().numpy().astype("<f8").tobytes()).hexdigest()
        return {"circuit": [circuit.mesh.kind, circuit.modes, *circuit.inputs], "phases_sha256": phases}


class JobLog:
    """Jobs by question. Each line has a digest of its own; what does not match is left out, and told. Safe to use from several threads of
    one process.
    """

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._jobs: dict[str, str | None] = {}
        self._sent: Counter[str] = Counter()
        self._sending: dict[str, str] = {}
        self._whole_lines = True
        if path is not None and path.is_file():
            self._read(path)

    def find(self, question: str) -> str | None:
        """The job that was sent for a question, if there is one that has not failed."""
        with self._lock:
            return self._jobs.get(question)

    def unanswered(self, question: str) -> str | None:
        """The name under which a question was on its way when the last word of it was written: a job may be there, its number unknown."""
        with self._lock:
            return self._sending.get(question)

    def sending(self, question: Question) -> str:
        """Remember that a question is about to be sent, and under which name: one of its own each time, by which the job can be found at
        the provider. On disk when this returns, as with all that is written.
        """
        with self._lock:
            name = f"lightweights {question.key[:32]} {self._sent[question.key] + 1}"
        self._write(question, {"job": None, "sending": name})
        return name

    def write(self, question: Question, job: str | None) -> None:
        """Remember the job of a question, or with None that it failed."""
        self._write(question, {"job": job})

    def _write(self, question: Question, what: dict[str, Any]) -> None:
        entry = {"question": question.key, **question.about, **what}
        with self._lock:
            self._take(entry)
            if self._path is None:
                return
            line = json.dumps(entry | {"check": _check(entry)}) + "\n"
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a") as file:
                    file.write(line if self._whole_lines else "\n" + line)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise WriteError(
                    f"{self._path} cannot be written: {error.strerror}. Make room or set permissions, then start again; "
                    f"{'job ' + str(what['job']) if what['job'] else 'nothing'} was sent for the question that was to be written down"
                ) from error
            self._whole_lines = True

    def _read(self, path: Path) -> None:
        try:
            content = read_bytes(path, LARGEST_LOG)
        except (OSError, ValueError) as error:
            raise BackendError(f"{path}: cannot be read ({error}); set it aside; jobs that were paid for are then sent again") from None
        self._whole_lines = not content or content.endswith(b"\n")
        lines = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            entry = _parsed(line)
            if entry is not None:
                self._take(entry)
            elif line.strip() and number < len(lines):  # the last line of a killed process may be cut off
                _LOG.warning("%s, line %d: damaged and left out; its job, if there was one, is sent again", path, number)

    def _take(self, entry: dict[str, Any]) -> None:
        question = entry["question"]
        self._jobs[question] = entry["job"]
        if entry.get("sending"):
            self._sending[question] = entry["sending"]
            self._sent[question] += 1
        else:
            self._sending.pop(question, None)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A line's entry, or None where it is none or damaged."""
    try:
        entry = json.loads(line)
        check = entry.pop("check")
        fits = isinstance(entry["question"], str) and isinstance(entry["job"], str | None) and check == _check(entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return entry if fits else None


def _check(entry: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]
