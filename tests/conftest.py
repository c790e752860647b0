"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.fixtures.trained import drawn_weights

__all__ = ["drawn_weights"]

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the evaluation faces; tests that ask for it skip without it."""
    root = Path(os.environ.get("VEILFACE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (root / "lfw112" / "pairs.txt").is_file():
        pytest.skip(f"no evaluation faces in {root} (set VEILFACE_DATA to the folder of lfw112)")
    return root


@pytest.fixture(scope="session")
def lfw(data_root: Path) -> Path:
    """The aligned LFW crops."""
    return data_root / "lfw112"


@pytest.fixture(autouse=True)
def _global_rng_untouched() -> Iterator[None]:
    """No part of veilface may use the global random generator."""
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state()), "the test changed the global RNG state"


@pytest.fixture(autouse=True)
def _threads_restored() -> Iterator[None]:
    """A command picks its CPU threads by how busy the machine is; later tests keep theirs."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
