"""Memory that a training gives back and asks for again in every step."""

from __future__ import annotations

import contextlib
import ctypes

_TRIM, _MAPPED = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of glibc's malloc.h
_MOST = 2**31 - 1


def keep_memory() -> None:
    """Let this process keep what it frees, where its C library is glibc.

    glibc gives large blocks back to the system at once, and the system fills every new page with
    zeros. Steps on 192 channels spend a third of their time so.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # other systems
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MAPPED, 0)
        mallopt(_TRIM, _MOST)
