"""The provenance mark: written, read, and safe against hostile files."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.images import chunk, file_of, gradient
from veilface.errors import ImageError
from veilface.imaging.encode import Format, encode
from veilface.imaging.provenance import Mark, read_mark

MARK = Mark(tool="veilface", version="0.1.0", preset="persona")


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_round_trip_through_a_file(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "x"
    path.write_bytes(encode(gradient(), format=form, mark=MARK))
    assert read_mark(path) == MARK
    assert read_mark(path.read_bytes()) == MARK


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_ordinary_files_have_none(kind: str) -> None:
    assert read_mark(file_of(gradient(), kind)) is None


def test_other_comments_have_none() -> None:
    assert read_mark(file_of(gradient(), "JPEG", comment=MARK.to_json().encode())) is None
    assert read_mark(b"") is None
    assert read_mark(b"text") is None


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        read_mark(tmp_path / "none.png")


def _png_with(text: bytes) -> bytes:
    plain = file_of(gradient(), "PNG")
    return plain[:33] + chunk(b"tEXt", b"veilface\0" + text) + plain[33:]


def _jpeg_with(text: bytes) -> bytes:
    plain = file_of(gradient(), "JPEG")
    comment = b"veilface " + text
    return plain[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + plain[2:]


GOOD = {"tool": "veilface", "version": "0.1.0", "preset": "persona"}


def test_the_containers_written_by_hand_are_read() -> None:
    """Without this the hostile cases below would pass for the wrong reason."""
    text = json.dumps(GOOD).encode()
    assert read_mark(_png_with(text)) == MARK
    assert read_mark(_jpeg_with(text)) == MARK


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"null",
        b'"veilface"',
        b"{}",
        b"[" * 900,
        json.dumps({**GOOD, "tool": "x" * 65}).encode(),
        json.dumps({**GOOD, "tool": "\x1b[2J"}).encode(),
        json.dumps({**GOOD, "preset": "two\nlines"}).encode(),
        json.dumps({**GOOD, "preset": 7}).encode(),
        json.dumps({**GOOD, "preset": None}).encode(),
        json.dumps({"tool": "veilface"}).encode(),
        json.dumps({**GOOD, "more": "x" * 2000}).encode(),
        b"x" * 60_000,
    ],
)
def test_hostile_marks_count_as_none(text: bytes) -> None:
    assert read_mark(_png_with(text)) is None
    assert read_mark(_jpeg_with(text)) is None
    # A good mark behind a hostile one is still found.
    double = _png_with(text)
    tail = chunk(b"tEXt", b"veilface\0" + MARK.to_json().encode())
    assert read_mark(double[:-12] + tail + double[-12:]) == MARK


def test_only_the_four_fields_are_taken() -> None:
    text = json.dumps({**GOOD, "seed": 7}).encode()
    assert read_mark(_png_with(text)) == MARK
    assert set(json.loads(MARK.to_json())) == {"tool", "version", "preset", "recognizers"}


def test_huge_chunk_lengths_end_the_walk() -> None:
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 0xFFFFFFFF) + b"tEXtveilface\0{}"
    assert read_mark(data) is None


@pytest.mark.parametrize("value", ["", "x" * 64])
def test_marks_hold_short_printable_text(value: str) -> None:
    assert Mark(value, value, value).preset == value
    with pytest.raises(ValueError, match="printable text"):
        Mark(value, value, "x" * 65)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["png", "jpeg"]), st.data())
def test_damaged_files_never_raise(form: Format, data: st.DataObject) -> None:
    content = bytearray(encode(np.zeros((8, 8, 3), np.uint8), format=form, mark=MARK))
    at = data.draw(st.integers(2, len(content) - 1))
    patch = data.draw(st.binary(min_size=1, max_size=6))
    content[at : at + len(patch)] = patch
    read_mark(bytes(content[: data.draw(st.integers(2, len(content)))]))
