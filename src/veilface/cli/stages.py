"""How a command with several stages shows its progress: a bar with an ETA, or lines without one."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

_EVERY = 10.0  # seconds between two lines


class Stages:
    """Told a stage, how much of it is done and of how much; shows that on stderr.

    What is done already when a stage is told of first took no time, so it says nothing about the
    rest.

    Args:
        every: Seconds between two lines of a stage.
    """

    def __init__(self, *, every: float = _EVERY) -> None:
        self.every = every
        self._stage = ""
        self._free = 0
        self._began = self._told = time.monotonic()

    def __enter__(self) -> Stages:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """So much of a stage is done; a stage of nothing is not shown."""
        if not total:
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._free, self._began, self._told = stage, done, now, now
            self.begin(stage, done, total)
        self.moved(done, total, now)

    def close(self) -> None:
        """Nothing more will be told."""

    def begin(self, stage: str, done: int, total: int) -> None:
        """A new stage, of which something may be done already."""
        known = f", {done} done already" if done else ""
        typer.echo(f"{stage}: {total}{known}", err=True)

    def moved(self, done: int, total: int, now: float) -> None:
        """Tell how far it is, not too often."""
        worked = done - self._free
        if now - self._told < self.every or not worked or done == total:
            return
        self._told = now
        left = timedelta(seconds=round((now - self._began) * (total - done) / worked))
        typer.echo(f"{self._stage}: {done / total:4.0%} done, about {left} left", err=True)


class BarStages(Stages):
    """A bar for each stage."""

    def __init__(self) -> None:
        super().__init__()
        # Imported here: a command that shows no bar need not load it.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bars: Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=Console(stderr=True),
            redirect_stdout=sys.stdout.isatty(),
        )
        self._bars.start()

    def close(self) -> None:
        """Leave the bars as they are."""
        self._bars.stop()

    def begin(self, stage: str, done: int, total: int) -> None:
        """Show another bar."""
        self._task = self._bars.add_task(stage, total=total, completed=done)

    def moved(self, done: int, total: int, now: float) -> None:
        """Move the bar."""
        self._bars.update(self._task, completed=done)


def make_stages() -> Stages:
    """What suits this terminal, or the lack of one."""
    return BarStages() if sys.stderr.isatty() else Stages()
