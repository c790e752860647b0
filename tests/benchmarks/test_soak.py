"""The soaks of benchmarks/soak.py in a few seconds."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.soak import mutate, originals, soak_images, soak_kills
from tests.fixtures.program import command


def test_mutated_images() -> None:
    figures = soak_images(120, seed=1)
    assert figures["ok"], figures
    assert figures["outcomes"]["refused"] > 20
    assert figures["outcomes"]["with a face"] > 5
    assert sum(figures["outcomes"].values()) == 120


def test_the_originals_are_photos_with_a_face_and_mutations_repeat() -> None:
    files = originals()
    assert len(files) == 17
    data = list(files.values())
    first, second = (mutate(data[0], data, np.random.default_rng(3)) for _ in range(2))
    assert first == second != data[0]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_killed_runs(tmp_path: Path) -> None:
    figures = soak_kills(
        4,
        photos=6,
        seed=2,
        folder=tmp_path,
        command=lambda: command("protect", "in", "-o", "out", "--aligned", "--batch-size", "2"),
    )
    assert figures["ok"], figures
    assert figures["while_running"] >= 1
