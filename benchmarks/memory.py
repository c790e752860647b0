"""How much memory a process takes, as Linux tells it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path


def resident(pid: int | None = None) -> float:
    """MiB of a process in memory, of this one by default; 0 where nothing is told."""
    try:
        pages = Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()[1]
    except OSError:
        return 0.0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Peak:
    """The most that was seen."""

    def __init__(self) -> None:
        self.mib = resident()


@contextlib.contextmanager
def watched(seconds: float = 0.05) -> Iterator[Peak]:
    """Look at this process's memory every so many seconds while the block runs."""
    peak, ended = Peak(), threading.Event()

    def look() -> None:
        while not ended.wait(seconds):
            peak.mib = max(peak.mib, resident())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
