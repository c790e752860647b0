"""How a command with several stages shows its progress: a bar with an ETA, or lines without one."""

from __future__ import annotations

import sys
from datetime import timedelta

import typer

from veilface.cli.pace import Pace, Shown, bar

_EVERY = 10.0  # seconds between two lines


class Stages(Shown):
    """Told a stage, how much of it is done and of how much; shows that on stderr.

    What is done already when a stage is told of first took no time, so it says nothing about the
    rest. A stage of which less is done than before, or another total, has begun again.

    Args:
        every: Seconds between two lines of a stage.
    """

    def __init__(self, *, every: float = _EVERY) -> None:
        self.every = every
        self._stage, self._done, self._total = "", 0, 0
        self._pace = Pace(every)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """So much of a stage is done; a stage of nothing is not shown."""
        if not total:
            return
        if stage != self._stage or done < self._done or total != self._total:
            self._stage, self._pace = stage, Pace(self.every, free=done)
            self.begin(stage, done, total)
        self._done, self._total = done, total
        self.moved(done, total)

    def begin(self, stage: str, done: int, total: int) -> None:
        """A new stage, of which something may be done already."""
        known = f", {done} done already" if done else ""
        typer.echo(f"{stage}: {total}{known}", err=True)

    def moved(self, done: int, total: int) -> None:
        """Tell how far it is, not too often."""
        left = self._pace.left(done, total)
        if left is not None:
            about = timedelta(seconds=round(left))
            typer.echo(f"{self._stage}: {done / total:4.0%} done, about {about} left", err=True)


class BarStages(Stages):
    """A bar for each stage."""

    def __init__(self) -> None:
        super().__init__()
        # Imported here: a command that shows no bar need not load it.
        from rich.progress import MofNCompleteColumn

        self._bars = bar(MofNCompleteColumn())
        self._bars.start()

    def close(self) -> None:
        """Leave the bars as they are."""
        self._bars.stop()

    def begin(self, stage: str, done: int, total: int) -> None:
        """Show another bar."""
        self._task = self._bars.add_task(stage, total=total, completed=done)

    def moved(self, done: int, total: int) -> None:
        """Move the bar."""
        self._bars.update(self._task, completed=done)


def make_stages() -> Stages:
    """What suits this terminal, or the lack of one."""
    return BarStages() if sys.stderr.isatty() else Stages()
