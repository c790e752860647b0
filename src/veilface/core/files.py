"""Reading files with a cap and writing them so that no half file is ever left."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from veilface.errors import ImageError

MAX_BYTES = 64 * 2**20
"""Largest file that is read, in bytes."""

PARTS = ".veilface-*.part"
"""The temporary names; a process that is killed leaves one behind."""


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a regular file of at most `MAX_BYTES`.

    Args:
        path: The file; pipes and devices are refused, since reading them may never end.

    Raises:
        ImageError: The file is missing, unreadable, not a regular file, or too large.
    """
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path} is a folder, not a photo")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path} is not a regular file")
        with path.open("rb") as file:
            # The size may change between the look and the read, so the read is capped itself.
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read {path}: {_reason(error)}") from error
    if len(data) > MAX_BYTES:
        raise ImageError(f"{path} has more than the {MAX_BYTES:,} bytes that are read")
    return data


def write_atomic(path: str | os.PathLike[str], data: bytes, *, overwrite: bool = False) -> None:
    """Write a file under a temporary name beside it, flush it to the disk, and rename it.

    Whatever happens on the way (a full disk, Ctrl-C), `path` holds either all of `data` or what
    it held before, and no temporary file stays behind.

    Args:
        path: The destination; its folder must exist.
        data: The content.
        overwrite: Whether an existing file may be replaced.

    Raises:
        ImageError: The destination exists and may not be replaced, or cannot be written.
    """
    path = Path(path)
    exists = ImageError(f"{path} exists already; allow overwriting to replace it")
    if not overwrite and os.path.lexists(path):
        raise exists
    temporary = path.parent / PARTS.replace("*", secrets.token_hex(8))
    try:
        _write_synced(temporary, data)
        if overwrite:
            temporary.replace(path)
        else:
            _rename_new(temporary, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise exists from None
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot write {path}: {_reason(error)}") from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes) -> None:
    # "x": a name that somebody else made is never followed or truncated.
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _rename_new(source: Path, target: Path) -> None:
    """Rename unless `target` exists; a hard link decides that in one step, unlike a rename."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        source.rename(target)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can do that."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
