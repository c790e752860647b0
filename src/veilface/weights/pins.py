"""Hashes of files whose publisher states none: recorded once, checked from then on.

The first copy that is fetched is trusted; every later one must be the same. The record is a text
file ``<name>.sha256`` in the cache folder, in the format of ``sha256sum``.
"""

from __future__ import annotations

import re
from pathlib import Path

from veilface.core.files import write_atomic
from veilface.errors import ImageError, WeightsError

_LINE = re.compile(r"([0-9a-f]{64})  \S.*\n?")


def read_pin(path: Path) -> str | None:
    """The recorded hash, or None when there is no record.

    Args:
        path: The record.

    Raises:
        WeightsError: The record is not one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        msg = f"cannot read {path}: {error}"
        raise WeightsError(msg) from error
    found = _LINE.fullmatch(text)
    if found is None:
        msg = f"{path} is not a recorded sha256; delete it to record one again"
        raise WeightsError(msg)
    return found[1]


def write_pin(path: Path, sha256: str, name: str) -> None:
    """Record a hash; an existing record is replaced in one step.

    Args:
        path: The record.
        sha256: 64 hexadecimal digits.
        name: The file that has this hash.

    Raises:
        WeightsError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_atomic(path, f"{sha256}  {name}\n".encode(), overwrite=True)
    except ImageError as error:
        raise WeightsError(str(error)) from error
