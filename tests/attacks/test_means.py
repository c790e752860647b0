"""What a run may spend, by its device and whether it is the large one."""

from __future__ import annotations

from dataclasses import replace

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
    assert Means.of(device, full=full) == Means(minutes, minutes, width, device)


def test_what_is_named_wins() -> None:
    assert Means.of(CPU, full=True, minutes=3, width=0.5) == Means(3, 3, 0.5, CPU)
    assert Means.of(CPU, minutes=3, pair_minutes=60) == Means(3, 60, NARROW, CPU)


def test_the_time_is_told() -> None:
    large = Means.of(CPU, full=True)
    assert "3 trainings of 240 minutes on cpu, about 12.0 hours" in large.duration(3, 0)
    assert "and 1 x 240 minutes of pairs on cpu, about 16.0 hours" in large.duration(3, 1)
    assert "about 12.5 hours" in replace(large, pair_minutes=30).duration(3, 1)
