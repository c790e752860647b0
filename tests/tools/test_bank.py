"""The bank of strangers: what is turned down, who stays, and the bytes of the archive."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tools.bank.choose import cell, choose
from tools.bank.crops import Pixels, Portrait, fault, rejected_by_eye
from tools.bank.pack import FIELDS, pack
from tools.bank.sheets import sheet

RNG = np.random.default_rng(0)


def textured(level: int = 120) -> Pixels:
    """Noise around a level: sharp everywhere, nothing clipped."""
    noise = np.random.default_rng(1).integers(-40, 41, (112, 112, 1))
    return np.broadcast_to(np.clip(level + noise, 0, 255), (112, 112, 3)).astype(np.uint8)


def portrait(seed: int) -> Portrait:
    about: dict[str, Any] = dict.fromkeys(FIELDS, 0) | {"seed": seed, "sex": "f", "light": "sun"}
    pixels = np.random.default_rng(seed).integers(0, 256, (112, 112, 3)).astype(np.uint8)
    return Portrait(about, pixels, 0.95)


class TestFault:
    def test_a_sharp_face_with_both_eyes_passes(self) -> None:
        assert fault(textured()) is None

    @pytest.mark.parametrize(
        ("level", "word"),
        [(20, "luma"), (235, "luma"), (160, None)],
        ids=["dark", "bright", "fine"],
    )
    def test_the_luma_range(self, level: int, word: str | None) -> None:
        reason = fault(textured(level))
        assert reason is None if word is None else word in (reason or "")

    def test_a_blurred_face_is_turned_down(self) -> None:
        flat = np.full((112, 112, 3), 120, np.uint8)
        assert "sharpness" in (fault(flat) or "")

    @pytest.mark.parametrize(("x", "side"), [(38, "left"), (74, "right")])
    def test_an_eye_under_hair_is_turned_down(self, x: int, side: str) -> None:
        pixels = textured()
        pixels[44:60, x - 12 : x + 12] = 100
        assert f"the {side} eye" in (fault(pixels) or "")

    def test_blown_highlights_are_turned_down(self) -> None:
        pixels = textured()
        pixels[64:84, 26:86] = 255
        assert "white or black" in (fault(pixels) or "")


class TestChoose:
    def test_one_of_each_pair_of_doubles_goes(self) -> None:
        similarity = np.eye(6, dtype=np.float32)
        for a, b in ((0, 1), (2, 3)):
            similarity[a, b] = similarity[b, a] = 0.9
        kept = choose(similarity, ["x"] * 6, 4, threshold=0.36)
        assert {4, 5} < set(kept)
        assert len({0, 1} & set(kept)) == 1
        assert len({2, 3} & set(kept)) == 1

    def test_matches_fall_faster_than_at_random(self) -> None:
        x = RNG.normal(size=(300, 16)).astype(np.float32)
        x[:150] += 0.8  # a family
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        similarity = x @ x.T
        kept = choose(similarity, ["x"] * 300, 150, threshold=0.5)

        def rate(rows: np.ndarray[Any, Any]) -> float:
            part = similarity[np.ix_(rows, rows)]
            return float((part[np.triu_indices(len(rows), 1)] >= 0.5).mean())

        at_random = RNG.choice(300, 150, replace=False)
        assert rate(np.array(kept)) < 0.5 * rate(at_random)

    def test_the_fuller_cells_give_first(self) -> None:
        cells = ["f"] * 30 + ["m"] * 10
        similarity = np.zeros((40, 40), np.float32)
        kept = choose(similarity, cells, 20, threshold=0.36)
        assert Counter(cells[k] for k in kept) == {"f": 10, "m": 10}

    def test_nobody_goes_where_there_are_no_more(self) -> None:
        assert choose(np.eye(3, dtype=np.float32), "abc", 5, threshold=0.3) == [0, 1, 2]

    def test_cells_are_sex_age_and_skin(self) -> None:
        young_dark = cell({"sex": "f", "age": 20.0, "skin": 33.0})
        assert young_dark == cell({"sex": "f", "age": 34.9, "skin": 44.9})
        others = [("m", 20, 33), ("f", 35, 33), ("f", 20, 45)]
        cells = {cell({"sex": s, "age": a, "skin": k}) for s, a, k in others}
        assert len(cells | {young_dark}) == 4


class TestPack:
    def test_the_layout(self, tmp_path: Path) -> None:
        goal = tmp_path / "bank.zip"
        pack([portrait(7), portrait(3)], goal, quality=90, about={"threshold": 0.36})
        with zipfile.ZipFile(goal) as archive:
            assert archive.namelist() == ["0000.webp", "0001.webp", "LICENSE.txt", "index.json"]
            assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_STORED}
            index = json.loads(archive.read("index.json"))
            assert b"CC0 1.0" in archive.read("LICENSE.txt")
            assert index["about"]["threshold"] == 0.36
            assert [row["seed"] for row in index["portraits"]] == [7, 3]
            for row in index["portraits"]:
                assert set(row) == {"file", "sha256", *FIELDS}
                data = archive.read(row["file"])
                assert hashlib.sha256(data).hexdigest() == row["sha256"]
                picture = Image.open(io.BytesIO(data))
                assert (picture.format, picture.size, picture.mode) == ("WEBP", (112, 112), "RGB")

    def test_the_same_portraits_give_the_same_bytes(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one.zip", tmp_path / "two.zip"
        for goal in (one, two):
            pack([portrait(k) for k in range(4)], goal, quality=90, about={})
        assert one.read_bytes() == two.read_bytes()
        pack([portrait(k) for k in range(3)], two, quality=90, about={})
        assert one.read_bytes() != two.read_bytes()

    def test_pictures_stay_close_to_the_crops(self, tmp_path: Path) -> None:
        smooth = np.add.outer(np.arange(112), np.arange(112))[..., None] + np.array([0, 10, 20])
        pixels = smooth.astype(np.uint8)
        pack([Portrait(portrait(0).about, pixels, 0.9)], tmp_path / "z", quality=90, about={})
        with zipfile.ZipFile(tmp_path / "z") as archive:
            shown = np.asarray(Image.open(io.BytesIO(archive.read("0000.webp"))), np.float64)
        assert np.abs(shown - pixels).mean() < 2


def test_seeds_rejected_by_eye_carry_reasons(tmp_path: Path) -> None:
    path = tmp_path / "rejected.txt"
    path.write_text("# a remark\n12 hair over an eye\n\n7 blown highlights # twice\n")
    assert rejected_by_eye(path) == {12: "hair over an eye", 7: "blown highlights"}


def test_a_sheet_shows_every_crop_in_its_place() -> None:
    crops = [np.full((112, 112, 3), k * 40, np.uint8) for k in range(5)]
    made = np.asarray(sheet(crops, columns=3, side=32))
    assert made.shape == (64, 96, 3)
    assert [made[16 + k // 3 * 32, 16 + k % 3 * 32, 0] for k in range(5)] == [0, 40, 80, 120, 160]
