"""What a training frees stays with its process, where the C library can be told so."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_CHILD = """
import sys
import torch
from veilface.training.memory import keep_memory


def resident() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


if sys.argv[1] == "kept":
    keep_memory()
before = resident()
torch.ones(100, 2**18)
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_kept() -> None:
    """100 MB, in KiB."""
    left = {}
    for mode in ("kept", "given back"):
        command = [sys.executable, "-c", _CHILD, mode]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        left[mode] = int(found.stdout)
    assert left["kept"] > 90_000
    assert left["given back"] < 10_000
