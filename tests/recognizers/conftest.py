"""Fixtures for the recognisers: their names, their weights, real faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from veilface.recognizers import Recognizer, available, get_spec, load_recognizer

LoadRecognizer = Callable[[str], Recognizer]


@lru_cache(maxsize=8)
def _load(name: str) -> Recognizer:
    return load_recognizer(name)


def load_or_skip(name: str) -> Recognizer:
    """The recogniser, built once per session; the test skips when its weights are absent."""
    if not available([name]):
        pytest.skip(f"the weights of {name} are not here: {get_spec(name).source}")
    return _load(name)


@pytest.fixture(scope="session")
def recognizer() -> LoadRecognizer:
    return load_or_skip


def read_faces(paths: Sequence[Path]) -> Tensor:
    """(N, 3, 112, 112) uint8 of image files."""
    pixels = [np.array(Image.open(path).convert("RGB")) for path in paths]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()


@pytest.fixture(scope="session")
def some_faces(lfw: Path) -> Tensor:
    """(16, 3, 112, 112) uint8: different people, spread over the alphabet."""
    return read_faces(sorted(lfw.glob("*/*_0001.jpg"))[::250][:16])
