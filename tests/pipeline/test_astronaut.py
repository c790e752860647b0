"""A real face, the real recognisers that come with the package, few steps.

The photo is `skimage.data.astronaut()`, in the public domain.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from veilface.imaging.decode import load_photo
from veilface.imaging.tensors import to_uint8
from veilface.pipeline.protector import Protector
from veilface.pipeline.selftest import drawn_face, examine
from veilface.pipeline.verify import verify, verify_all
from veilface.protectors.veil.presets import PRESETS

data = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def protector() -> Protector:
    return Protector(
        preset=replace(PRESETS["persona"], steps=12), recognizers=["dlib", "sface"], device="cpu"
    )


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("astronaut") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


def test_similarity_rises_with_the_steps_and_verify_measures_the_same(
    protector: Protector, photo: Path, tmp_path: Path
) -> None:
    one = Protector(
        preset=replace(PRESETS["persona"], steps=1), recognizers=["dlib", "sface"], device="cpu"
    )
    (start,) = one.protect_file(photo, seed=1).faces
    (face,) = protector.protect_file(photo, seed=1).faces
    for name in ("dlib", "sface"):
        assert face.similarity[name] > start.similarity[name] + 0.01
    path = tmp_path / "face.png"
    face.image.save(path)
    crop = protector.prepare(load_photo(photo), name="x").faces[0].crop
    source = tmp_path / "source.png"
    Image.fromarray(to_uint8(crop)).save(source)
    results = verify_all(source, path, recognizers=["dlib", "sface"], aligned=True, device="cpu")
    for result in results:
        assert result.score == pytest.approx(face.similarity[result.recognizer], abs=0.01)


def test_turned_photo_gives_the_face_of_the_upright_one(
    protector: Protector, photo: Path, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    turned = tmp_path / "turned.png"
    pixels = np.ascontiguousarray(np.rot90(data.astronaut(), -1))
    Image.fromarray(pixels).save(turned, exif=exif)
    first, second = (protector.protect_file(p, seed=4, paste=True) for p in (photo, turned))
    assert first.faces[0].detection == second.faces[0].detection
    np.testing.assert_array_equal(first.faces[0].image, second.faces[0].image)
    assert first.pasted is not None
    assert second.pasted is not None
    np.testing.assert_array_equal(first.pasted, second.pasted)


def test_photo_matches_itself_smaller_and_mirrored(photo: Path) -> None:
    half = Image.open(photo).resize((256, 256))
    assert verify(photo, half, recognizer="sface", device="cpu").match
    flipped = Image.open(photo).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert verify(photo, flipped, recognizer="dlib", device="cpu").match


def test_self_test_passes_with_what_the_package_brings() -> None:
    checks = {check.name: check for check in examine(self_test=True)}
    for name in ("dlib", "sface", "detector", "protection", "torch"):
        assert checks[name].status == "ok", checks[name].detail
    assert "repeated by its seed" in checks["protection"].detail


def test_drawn_face_is_an_image() -> None:
    face = drawn_face()
    assert face.shape == (3, 112, 112)
    assert bool(torch.isfinite(face).all())
    assert 0 <= float(face.amin()) < float(face.amax()) <= 1
