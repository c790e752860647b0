"""Encoded images: exact, deterministic, without metadata but the mark."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.images import gradient
from veilface.errors import ImageError, UnknownNameError
from veilface.imaging.decode import decode_photo
from veilface.imaging.encode import Format, encode
from veilface.imaging.provenance import Mark

MARK = Mark(tool="veilface", version="0.1.0", preset="persona")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_keeps_every_mode_exactly(channels: int) -> None:
    rgba = np.dstack([gradient(), gradient()[:, ::-1, 1]])
    pixels = {1: rgba[:, :, 0], 2: rgba[:, :, [0, 3]], 3: rgba[:, :, :3], 4: rgba}[channels]
    data = encode(pixels, format="png", mark=MARK)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
        assert np.array_equal(np.asarray(image), pixels)
    photo = decode_photo(data, name="x")
    assert np.array_equal(photo.like(photo.pixels), pixels)
    assert photo.mark == MARK


def test_jpeg_has_full_colour_resolution_and_the_stated_quality() -> None:
    with Image.open(io.BytesIO(encode(gradient(), format="jpeg", mark=MARK))) as image:
        assert image.format == "JPEG"
        layers = [(h, v) for _, h, v, _ in image.layer]  # type: ignore[attr-defined]
        assert layers == [(1, 1)] * 3
        reference = io.BytesIO()
        Image.fromarray(gradient()).save(reference, "JPEG", quality=95)
        reference.seek(0)
        with Image.open(reference) as expected:
            tables = expected.quantization  # type: ignore[attr-defined]
        assert image.quantization == tables  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_same_pixels_same_bytes_and_a_picture_is_its_pixels(form: Format) -> None:
    picture = Image.fromarray(gradient())
    picture.info["comment"] = b"somebody's words"
    picture.getexif()[0x0112] = 6
    data = encode(gradient(), format=form, mark=MARK)
    assert data == encode(picture, format=form, mark=MARK)
    assert data != encode(gradient(), format=form)


@pytest.mark.parametrize(("form", "allowed"), [("png", {"veilface"}), ("jpeg", {"comment"})])
def test_nothing_but_the_mark_is_stored(form: Format, allowed: set[str]) -> None:
    with Image.open(io.BytesIO(encode(gradient(), format=form, mark=MARK))) as image:
        image.load()
        technical = {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert set(image.info) - technical == allowed
        assert not image.getexif()


def test_jpeg_refuses_transparency_and_unknown_formats_are_named() -> None:
    with pytest.raises(ImageError, match="write this photo as png"):
        encode(np.zeros((4, 4, 4), np.uint8), format="jpeg")
    unknown: Literal["png"] = "gif"  # type: ignore[assignment]
    with pytest.raises(UnknownNameError, match=r"unknown format 'gif'.*available: jpeg, png"):
        encode(gradient(), format=unknown)


@pytest.mark.parametrize("shape", [(4,), (4, 4, 5), (0, 4, 3), (4, 4, 3, 1)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="cannot encode pixels of shape"):
        encode(np.zeros(shape, np.uint8), format="png")
