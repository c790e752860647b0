"""The bank that ships is whole, balanced and small."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tools.bank.crops import rejected_by_eye
from tools.build_strangers import GOAL, REJECTED


@pytest.fixture(scope="module")
def archive() -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(GOAL) as opened:
        yield opened


@pytest.fixture(scope="module")
def portraits(archive: zipfile.ZipFile) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(archive.read("index.json"))["portraits"]
    return rows


def test_every_file_is_in_the_index_with_its_hash(
    archive: zipfile.ZipFile, portraits: list[dict[str, Any]]
) -> None:
    files = {row["file"] for row in portraits} | {"index.json", "LICENSE.txt"}
    assert set(archive.namelist()) == files
    for row in portraits:
        assert hashlib.sha256(archive.read(row["file"])).hexdigest() == row["sha256"], row["file"]


def test_it_is_large_enough_and_small_enough(portraits: list[dict[str, Any]]) -> None:
    assert len(portraits) >= 2000
    assert len({row["seed"] for row in portraits}) == len(portraits)
    assert GOAL.stat().st_size <= 11e6


def test_people_are_balanced(portraits: list[dict[str, Any]]) -> None:
    assert np.mean([row["sex"] == "f" for row in portraits]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([row["smile"] > 0 for row in portraits]) == pytest.approx(0.2, abs=0.04)
    skin = np.array([row["skin"] for row in portraits])
    thirds = np.histogram(skin, (0, 45, 60, 100))[0] / len(skin)
    assert thirds.min() > 0.25
    assert max(abs(row["yaw"]) for row in portraits) <= 15
    assert max(abs(row["pitch"]) for row in portraits) <= 8


def test_nobody_was_rejected_by_eye(portraits: list[dict[str, Any]]) -> None:
    assert not set(rejected_by_eye(REJECTED)) & {row["seed"] for row in portraits}


def test_pictures_are_aligned_crops(
    archive: zipfile.ZipFile, portraits: list[dict[str, Any]]
) -> None:
    for row in portraits[::100]:
        picture = Image.open(io.BytesIO(archive.read(row["file"])))
        assert (picture.format, picture.size, picture.mode) == ("WEBP", (112, 112), "RGB")
