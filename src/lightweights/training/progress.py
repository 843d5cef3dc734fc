"""Progress on a terminal: a bar with the loss and the remaining time on stderr, nothing elsewhere."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """Shown where stderr is a terminal and ``shown`` is set."""

    def __init__(self, title: str, total: int, done: int, shown: bool) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
        )
        self._bar = Bar(*columns, console=Console(stderr=True), disable=not (shown and sys.stderr.isatty()))
        self._task = self._bar.add_task(title, total=total, completed=done, note="")

    def advance(self, row: dict[str, float]) -> None:
        """One more round, with the loss of its row."""
        self._bar.update(self._task, advance=1, note=f"loss {row['training_loss']:.3f}")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()
