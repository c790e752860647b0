"""Image data that decodes and is damaged all the same.

Decoders go on where they can: behind a damaged place the rest of a picture is shifted, or keeps
parts of its old self, and nothing is said. A face that is half in its old place is found in part,
and a protection of that part would show the rest.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import simplejpeg


def find_damage(data: bytes, form: str) -> str | None:
    """What is wrong with the compressed pixels of a file, in a few words.

    JPEG has no checksum: its data are read once more, at an eighth of the size, by a decoder that
    stops at libjpeg's warnings. PNG has one for each block, which Pillow does not look at. WebP,
    BMP and TIFF carry nothing that could be compared.

    Args:
        data: The whole file.
        form: Pillow's name of the format.

    Returns:
        A few words, or None when nothing is known to be wrong.
    """
    if form == "JPEG":
        return _jpeg(data)
    if form == "PNG" and any(crc != zlib.crc32(chunk) for chunk, crc in _pixel_chunks(data)):
        return "a checksum of its pixels is wrong"
    return None


def _jpeg(data: bytes) -> str | None:
    try:
        space = simplejpeg.decode_jpeg_header(data)[2]
        wanted = "CMYK" if space in ("CMYK", "YCCK") else "GRAY"
        simplejpeg.decode_jpeg(
            data, colorspace=wanted, min_height=1, min_width=1, min_factor=8, strict=True
        )
    except ValueError as error:
        return str(error)
    return None


def _pixel_chunks(data: bytes) -> Iterator[tuple[memoryview, int]]:
    """Kind and body of every IDAT chunk, with the checksum that the file states."""
    view, at = memoryview(data), 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if data[at + 4 : at + 8] == b"IDAT" and end + 4 <= len(data):
            yield view[at + 4 : end], struct.unpack_from(">I", data, end)[0]
        at = end + 4
