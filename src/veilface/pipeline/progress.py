"""What a run tells while it works; the command line turns it into a bar, lines or JSON."""

from __future__ import annotations

from veilface.pipeline.inputs import PassedOver
from veilface.pipeline.manifest import Record


class Reporter:
    """Listens to a run; every method may be overridden, and does nothing here."""

    def begin(self, total: int) -> None:
        """``total`` photos are there."""

    def moved(self, done: float) -> None:
        """So many photos are done, with the fraction of those under work."""

    def finished(self, record: Record) -> None:
        """A photo is done, failed, or skipped because an earlier run did it."""

    def passed_over(self, one: PassedOver) -> None:
        """Something in a folder is not looked into."""

    def note(self, sentence: str) -> None:
        """Something that is no failure and should be known."""
