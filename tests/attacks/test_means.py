"""What a run may spend, by its device and whether it is the large one."""

from __future__ import annotations

import pytest
import torch

from veilface.attacks.means import FULL, FULL_MINUTES, MINUTES, NARROW, Means

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("device", "full", "minutes", "width"),
    [
        (CPU, False, MINUTES, NARROW),
        (CUDA, False, MINUTES, FULL),
        (CPU, True, FULL_MINUTES, FULL),
        (CUDA, True, FULL_MINUTES, FULL),
    ],
)
def test_the_large_run_is_wide_and_long_anywhere(
    device: torch.device, full: bool, minutes: float, width: float
) -> None:
    assert Means.of(device, full=full) == Means(minutes, width, device)


def test_what_is_named_wins() -> None:
    assert Means.of(CPU, full=True, minutes=3, width=0.5) == Means(3, 0.5, CPU)


def test_the_time_is_told() -> None:
    assert "about 12.0 hours" in Means.of(CPU, full=True).duration(3)
