"""Progress of one run: a bar with rate and remaining time on a terminal, nothing elsewhere."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """Shown on stderr where that is a terminal."""

    def __init__(self, title: str, total: int, done: int = 0) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
        self._bar = Bar(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True), disable=not sys.stderr.isatty())
        self._task = self._bar.add_task(title, total=total, completed=done, note="")

    def advance(self, row: dict[str, float]) -> None:
        """One more round or epoch; its training loss, where it has one, and the pace are shown."""
        self._bar.update(self._task, advance=1)
        speed = self._bar.tasks[0].speed
        pace = "" if not speed else f"{speed:.1f} a second" if speed >= 1 else f"{1 / speed:.1f} s each"
        loss = f"loss {row['training_loss']:.3f}" if "training_loss" in row else ""
        self._bar.update(self._task, note=", ".join(part for part in (loss, pace) if part))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()
