"""What loading the networks of a service leaves behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from veilface.core.devices import apart
from veilface.recognizers.registry import available
from veilface.service.networks import Networks

_THREADS = Path("/proc/self/task")


@pytest.mark.skipif(not _THREADS.is_dir(), reason="needs the threads in /proc")
def test_loading_leaves_no_helpers_with_the_thread_that_listens() -> None:
    """They would be more than the cores, and slow the thread that protects by a quarter."""
    if not available(["sface"]):
        pytest.skip("the package with the weights of SFace is not installed")

    def helpers() -> set[Path]:
        before = set(_THREADS.iterdir())
        Networks.load(["sface"], device="cpu")
        until = time.monotonic() + 5  # a thread that has ended may stand there for a moment
        while (new := set(_THREADS.iterdir()) - before) and time.monotonic() < until:
            time.sleep(0.05)
        return new

    count = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert apart(helpers) == set()
    finally:
        torch.set_num_threads(count)
