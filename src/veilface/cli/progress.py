"""How a run shows its progress: a bar with an ETA on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys

import typer

from veilface.cli.pace import Pace, Shown, bar
from veilface.pipeline.inputs import PassedOver
from veilface.pipeline.manifest import Record
from veilface.pipeline.progress import Reporter
from veilface.text import printable

_EVERY = 5.0  # seconds between two lines


class LineReporter(Reporter, Shown):
    """One line a photo, and now and then how far the run is.

    Args:
        err: Print the lines about photos on stderr, because stdout belongs to a document.
        every: Seconds between two lines about the progress.
    """

    def __init__(self, *, err: bool = False, every: float = _EVERY) -> None:
        self.err = err
        self.every = every
        self.total = 0
        self._pace = Pace(every)

    def begin(self, total: int) -> None:
        """Start the clock."""
        self.total = total
        self._pace = Pace(self.every)

    def moved(self, done: float) -> None:
        """Tell how far it is, not too often."""
        left = self._pace.left(done, self.total)
        if left is not None:
            about = _duration(left)
            typer.echo(f"{done / self.total:4.0%} done, about {about} left", err=True)

    def finished(self, record: Record) -> None:
        """One line about the photo."""
        self._pace.free += record.status != "done"
        if record.status == "failed":
            typer.echo(f"failed: {printable(record.error or '')}", err=True)
        else:
            typer.echo(describe(record), err=self.err)

    def passed_over(self, one: PassedOver) -> None:
        """One line about what is not looked into."""
        typer.echo(f"passed over: {printable(one.path)} ({one.reason})", err=True)

    def note(self, sentence: str) -> None:
        """One line."""
        typer.echo(f"note: {printable(sentence)}", err=True)

    def pause(self) -> None:
        """Make room for a question."""

    def resume(self) -> None:
        """The question is answered."""


class BarReporter(LineReporter):
    """A bar on stderr under the lines about photos."""

    def __init__(self, *, err: bool = False) -> None:
        super().__init__(err=err)
        # Imported here: a command that shows no bar need not load it.
        from rich.progress import TaskProgressColumn, TextColumn

        photos = TextColumn("{task.fields[photos]} photos,")
        self._bar = bar(TaskProgressColumn(), photos, transient=True)
        self._task = self._bar.add_task("protecting", total=None, photos="")
        self._done = 0

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def begin(self, total: int) -> None:
        """Show the bar."""
        super().begin(total)
        self._bar.update(self._task, total=total, photos=f"0/{total}")
        self._bar.start()

    def moved(self, done: float) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done)

    def finished(self, record: Record) -> None:
        """One line above the bar."""
        self._done += 1
        self._bar.update(self._task, photos=f"{self._done}/{self.total}")
        super().finished(record)

    def pause(self) -> None:
        """Take the bar away for a question."""
        self._bar.stop()

    def resume(self) -> None:
        """Show it again."""
        self._bar.start()


def make_reporter(*, err: bool) -> LineReporter:
    """The reporter that suits this terminal, or the lack of one."""
    return BarReporter(err=err) if sys.stderr.isatty() else LineReporter(err=err)


def describe(record: Record) -> str:
    """One line about a photo that is done."""
    names = printable(", ".join(output.path for output in record.outputs))
    given = printable(record.input)
    if record.status == "skipped":
        return f"{given}: done already ({names})"
    faces = [face for output in record.outputs for face in output.faces]
    many = "s" if len(faces) > 1 else ""
    lines = [f"{given}: {len(faces)} face{many}, {record.seconds:.1f} s -> {names}"]
    for number, face in enumerate(faces, start=1):
        scores = ", ".join(f"{name} {score:.3f}" for name, score in face["similarity"].items())
        which = f"face {number}: " if len(faces) > 1 else ""
        if scores:
            lines.append(f"  {which}similarity to the source: {scores}")
    if record.too_small:
        lines.append(f"  {record.too_small} too small to be protected (under 8 pixels), left as is")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
