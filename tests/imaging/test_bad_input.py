"""Files that are refused, each with one clear sentence."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.fixtures.images import WORDS, bad_files, file_of, gradient
from veilface.core import files
from veilface.errors import ImageError, MissingExtraError
from veilface.imaging import headers
from veilface.imaging.decode import decode_photo, load_photo

BAD = bad_files()


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    with pytest.raises((ImageError, MissingExtraError)) as caught:
        load_photo(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert WORDS.get(name, "truncated or damaged") in message


@pytest.mark.parametrize("name", ["huge.png", "huge.webp"])
def test_claims_are_refused_before_anything_is_allocated(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        pytest.fail("Pillow was asked to open a file whose header is refused")

    monkeypatch.setattr(Image, "open", never)
    tracemalloc.start()
    with pytest.raises(ImageError, match="too large"):
        decode_photo(BAD[name], name=name)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("kind", ["JPEG", "BMP", "TIFF"])
def test_caps_hold_for_formats_that_pillow_measures(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = file_of(gradient(), kind)
    monkeypatch.setattr(headers, "MAX_PIXELS", 48 * 64 - 1)
    with pytest.raises(ImageError, match=r"its header says 64x48; at most 3,071 pixels"):
        decode_photo(data, name="x")
    monkeypatch.setattr(headers, "MAX_PIXELS", 48 * 64)
    assert decode_photo(data, name="x").pixels.shape == (48, 64, 3)


def test_pillows_own_alarm_becomes_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ImageError, match="too large"):
        decode_photo(file_of(gradient(), "BMP"), name="x")


def test_too_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "big.jpg"
    with path.open("wb") as file:
        file.truncate(files.MAX_BYTES + 1)  # sparse
    with pytest.raises(ImageError, match=r"big\.jpg has more than the 67,108,864 bytes"):
        load_photo(path)


def test_missing_folder_and_pipe(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.jpg does not exist"):
        load_photo(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        load_photo(tmp_path)
    with pytest.raises(ImageError, match="cannot read"):
        load_photo("a\0b.jpg")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        with pytest.raises(ImageError, match="not a regular file"):
            load_photo(tmp_path / "pipe.jpg")


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF"]),
    place=st.floats(0, 1, exclude_max=True),
    patch=st.binary(min_size=1, max_size=12),
    keep=st.floats(0, 1),
)
def test_damage_is_decoded_or_refused_but_never_escapes(
    kind: str, place: float, patch: bytes, keep: float
) -> None:
    data = bytearray(file_of(gradient(), kind))
    at = int(place * len(data))
    data[at : at + len(patch)] = patch
    try:
        photo = decode_photo(bytes(data[: int(keep * len(data)) + 1]), name="x")
    except ImageError as error:
        assert str(error).startswith("x ")  # noqa: PT017 - either outcome is right
    else:
        assert photo.pixels.ndim == 3
