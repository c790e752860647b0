"""The files of one photo: all of them, or none."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from veilface.errors import ImageError
from veilface.imaging.encode import write_atomic

_NO_USE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


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


def check_free(paths: Sequence[Path], *, overwrite: bool) -> None:
    """Check that nothing is in the way, before any time is spent.

    Raises:
        ImageError: An output exists and may not be replaced.
    """
    for path in paths:
        if os.path.lexists(path) and not overwrite:
            raise ImageError(f"{path} exists already; --overwrite replaces it")


def write_all(files: Sequence[tuple[Path, bytes]], *, overwrite: bool) -> None:
    """Write the files of a photo; when one cannot be written, the new ones go away again.

    Raises:
        ImageError: A file cannot be written.
    """
    new = [path for path, _ in files if not os.path.lexists(path)]
    try:
        for path, data in files:
            _make_parent(path)
            write_atomic(path, data, overwrite=overwrite)
    except BaseException:  # Ctrl-C too: the photo would count as not done, with a file in its way
        discard(new)
        raise


def discard(paths: Sequence[Path]) -> None:
    """Remove files that a photo wrote before it failed."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


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
