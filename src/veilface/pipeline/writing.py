"""The files of one photo: all of them, or none; and one run at a time in an output folder."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import filelock

from veilface.core.files import PARTS, write_atomic
from veilface.errors import ImageError

LOCK = ".veilface.lock"
"""An empty file in the output folder. It stays there, since a lock that is taken away under
somebody who waits for it holds nobody off."""

_NO_USE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_PATIENCE = 1.0  # seconds before the user is told


def prepare_folder(root: Path) -> None:
    """Make the output folder, or say why it cannot be one.

    Raises:
        ImageError: It is a file, or cannot be made or written into.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ImageError(f"the output {root} is a file, not a folder") from None
    except OSError as error:
        raise ImageError(f"cannot make the output folder {root}: {error.strerror}") from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise ImageError(f"the output folder {root} is not writable")


@contextlib.contextmanager
def only_one(root: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Wait until no other run writes into a folder, and keep others waiting.

    Args:
        root: The output folder.
        waiting: Called once when another run has it.

    Raises:
        ImageError: The lock cannot be made.
    """
    lock = filelock.FileLock(root / LOCK)
    try:
        try:
            lock.acquire(timeout=_PATIENCE)
        except filelock.Timeout:
            waiting()
            lock.acquire(poll_interval=0.5)
    except OSError as error:
        raise ImageError(f"cannot lock the output folder {root}: {error.strerror}") from error
    try:
        for part in root.rglob(PARTS):  # of runs that were killed; nobody else writes here now
            part.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def check_free(paths: Sequence[Path], *, replaceable: Collection[Path]) -> None:
    """Check that nothing is in the way, before any time is spent.

    Raises:
        ImageError: An output exists and may not be replaced.
    """
    for path in paths:
        if os.path.lexists(path) and path not in replaceable:
            raise ImageError(f"{path} exists already; --overwrite replaces it")


def write_all(files: Sequence[tuple[Path, bytes]], *, replaceable: Collection[Path] = ()) -> None:
    """Write the files of a photo; when one cannot be written, the new ones go away again.

    Args:
        files: Path and content of each.
        replaceable: Those that may exist already.

    Raises:
        ImageError: A file cannot be written.
    """
    new: list[tuple[Path, bytes]] = []
    try:
        for path, data in files:
            _make_parent(path)
            if not os.path.lexists(path):
                new.append((path, data))
            try:
                write_atomic(path, data, overwrite=path in replaceable)
            except ImageError:  # what is at this path now, somebody else wrote
                new = [entry for entry in new if entry[0] != path]
                raise
    except BaseException:  # Ctrl-C too: the photo would count as not done, with a file in its way
        discard(new)
        raise


def discard(files: Sequence[tuple[Path, bytes]]) -> None:
    """Remove files that a photo wrote before it failed, and nothing that somebody else wrote."""
    for path, data in files:
        with contextlib.suppress(OSError):
            if path.read_bytes() == data:
                path.unlink()


def is_hopeless(error: BaseException) -> bool:
    """Whether no other photo could be written either: a full or read-only disk."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NO_USE:
            return True
        cause = cause.__cause__
    return False


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"cannot make the folder {path.parent}: {error.strerror}") from error
