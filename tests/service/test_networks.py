"""What loading the networks of a service leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.fixtures.threads import THREADS, lasting, threads
from veilface.core.devices import apart
from veilface.recognizers.registry import available
from veilface.service.networks import Networks


@pytest.mark.skipif(not THREADS.is_dir(), reason="needs the threads in /proc")
def test_loading_leaves_no_helpers_with_the_thread_that_listens() -> None:
    """They would be more than the cores, and slow the thread that protects by a quarter."""
    if not available(["sface"]):
        pytest.skip("the package with the weights of SFace is not installed")

    def helpers() -> set[Path]:
        before = threads()
        Networks.load(["sface"], device="cpu")
        return lasting(before, seconds=5)

    torch.set_num_threads(3)
    assert apart(helpers) == set()
