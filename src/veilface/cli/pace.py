"""What every way of showing progress has in common: the time left, and a bar."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn
    from typing_extensions import Self


class Shown:
    """Something on the terminal for the length of a block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing more will be shown."""


class Pace:
    """How long the rest will take, told now and then.

    What was found done, skipped or refused took no time and says nothing about the rest.

    Args:
        every: Seconds between two answers.
        free: How much is done already.
    """

    def __init__(self, every: float, *, free: float = 0) -> None:
        self.every = every
        self.free = free
        self._began = self._told = time.monotonic()

    def left(self, done: float, total: float) -> float | None:
        """Seconds that are left; None where it is too soon to tell, or nothing to tell."""
        now = time.monotonic()
        worked = done - self.free
        if now - self._told < self.every or worked <= 0 or done >= total:
            return None
        self._told = now
        return (now - self._began) * (total - done) / worked


def bar(*middle: ProgressColumn, transient: bool = False) -> Progress:
    """A bar on stderr with the time that has passed and that is left.

    Args:
        middle: Columns between the bar and the times.
        transient: Whether it is taken away in the end.
    """
    # Imported here: a command that shows no bar need not load it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *middle,
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        console=Console(stderr=True),
        redirect_stdout=sys.stdout.isatty(),
        transient=transient,
    )
