"""What a terminal shows while a study runs: one line with the runs done, the time left and the last result, in place of the texts of all
jobs, which stand in Snakemake's log. What goes wrong is shown as ever.
"""

import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from lightweights.files import read_json
from lightweights.study.forecast import duration

EVERY_SECONDS = 1.0
"""Between two looks at what is there."""
APART_SECONDS = 10.0
"""Between two lines where there is no terminal, which would keep them all."""
KEPT = ("job_error", "group_error", "error")
"""Events of Snakemake that are shown beside warnings."""
SAID = ("Nothing to be done", "Terminating processes on user request", "SLURM jobid", "external jobid", "Trying to restart")
"""What its other messages say that are shown: nothing is to be done, Ctrl-C was heard, and what becomes of jobs on a cluster."""


def quieten(handlers: Iterable[logging.Handler]) -> None:
    """Show of Snakemake's messages what goes wrong, and what ``SAID`` has."""

    def shown(record: logging.LogRecord) -> bool:
        event = str(getattr(record, "event", "") or "")
        return record.levelno >= logging.WARNING or event in KEPT or any(words in record.getMessage() for words in SAID)

    for handler in handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(shown)


class Console:
    """The line, written by a thread from :meth:`start` to :meth:`stop`.

    Args:
        costs: Seconds of one core that each run is taken to need, by its metrics.json.
        cores: Cores that runs share.
        ready: File that is named in the end.
        stream: Where to.
    """

    def __init__(self, costs: Callable[[], Mapping[str, float]], cores: int, ready: Path, stream: TextIO | None = None) -> None:
        self._costs, self._cores, self._ready = costs, max(1, cores), ready
        self._stream = stream or sys.stderr
        self._over, self._thread = threading.Event(), threading.Thread(target=self._watch, daemon=True)
        self._runs: list[str] = []
        self._others: list[str] = []
        self._begun, self._said, self._line = time.time(), 0.0, ""

    def start(self, outputs: Iterable[str]) -> None:
        """Watch for files that are to be made."""
        files = list(outputs)
        self._runs = [file for file in files if Path(file).name == "metrics.json"]
        self._others = [file for file in files if Path(file).name not in ("metrics.json", "history.csv")]
        self._begun = time.time()
        self._thread.start()

    def stop(self, well: bool) -> None:
        """Say how it ended."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        took = duration(time.time() - self._begun)
        self._write(f"done in {took}: {self._ready}" if well else f"stopped after {took}; started again it goes on", last=True)

    def _watch(self) -> None:
        try:
            costs = self._costs()
            while not self._over.wait(EVERY_SECONDS):
                self._write(self.line(costs, time.time()))
        except Exception as error:  # a line that fails must stop no study
            self._write(f"progress is not shown: {error}")

    def line(self, costs: Mapping[str, float], now: float) -> str:
        """How far it is."""
        made = [file for file in self._runs if self._is_new(file)]
        if len(made) == len(self._runs):
            drawn = sum(self._is_new(file) for file in self._others)
            done = f"{len(made)} runs done; " if made else ""
            return f"{done}{drawn} of {len(self._others)} files of data, tables and figures"
        whole, ready = (sum(costs.get(file, 1.0) for file in files) for files in (self._runs, made))
        elapsed = now - self._begun
        left = (whole - ready) * (elapsed / ready if ready else 1 / self._cores)
        text = f"{len(made)} of {len(self._runs)} runs, about {duration(left)} left"
        return f"{text}; last: {told(max(made, key=lambda file: Path(file).stat().st_mtime))}" if made else text

    def _is_new(self, file: str) -> bool:
        try:
            return Path(file).stat().st_mtime >= self._begun
        except OSError:
            return False

    def _write(self, line: str, last: bool = False) -> None:
        if self._stream.isatty():
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[2K{line if last else line[:width]}" + ("\n" if last else ""))
        elif last or (line != self._line and time.time() - self._said >= APART_SECONDS):
            self._stream.write(f"{line}\n")
            self._said = time.time()
        self._line = line
        self._stream.flush()


def told(file: str) -> str:
    """A run and what it reached, from its metrics.json; the run alone where that cannot be read."""
    path = Path(file)
    name = "/".join(path.parts[-4:-1])
    try:
        final: dict[str, Any] = read_json(path)["final"]
        tests = {key: value for key, value in final.items() if not key.startswith(("train", "validation"))}
        accuracies = {key: value for key, value in tests.items() if key.endswith("accuracy_percent")}
        key, value = list((accuracies or tests or final).items())[-1]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return name
    words = key.removesuffix("_accuracy_percent").replace("_", " ")
    return f"{name}, {words} {value:.2f} %" if key.endswith("_percent") else f"{name}, {words} {value:.4g}"
