"""What a file claims to be, read from its first bytes without decoding anything."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from veilface.core.files import MAX_BYTES
from veilface.errors import ImageError

HEIF_SUFFIXES = frozenset({".heic", ".heif"})
SUFFIXES = frozenset({".bmp", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""What files of photos are called; those of phones apart."""

MAX_PIXELS = 64 * 2**20
"""Largest width × height that is decoded; the photos of 64-megapixel cameras fit."""

MAX_SIDE = 16_384
"""Largest width or height that is decoded."""

PNG = b"\x89PNG\r\n\x1a\n"
"""What every PNG file begins with."""

READABLE = "JPEG, PNG, WebP, BMP, TIFF and HEIC"

# Formats that people do hand over; naming them makes the refusal clear.
_UNREADABLE_MAGIC = (
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop file"),
    (b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (b"\x00\x00\x01\x00", "an icon file"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"PK\x03\x04", "a ZIP archive"),
)
# The brands of ISO/IEC 23008-12: still images coded with HEVC, which are read, and what is not.
_STILL = frozenset((b"heic", b"heix", b"heim", b"heis", b"mif1"))
_BRANDS = {b"hevc": "HEIC sequence", b"hevx": "HEIC sequence", b"msf1": "HEIF sequence"}


@dataclass(frozen=True, slots=True)
class Header:
    """The claim of a file header.

    Attributes:
        format: Pillow's name of the format.
        size: Width and height in pixels where they lie at a fixed place (PNG, WebP), else None;
            for the other formats Pillow reads them without allocating anything.
    """

    format: str
    size: tuple[int, int] | None


def read_header(data: bytes, *, name: str) -> Header:
    """Recognise the format by the magic bytes; the file's extension plays no part.

    Args:
        data: The whole file.
        name: What error messages call it.

    Raises:
        ImageError: The file is empty, too large or of a format that is not read.
    """
    if not data:
        raise ImageError(f"{name} is empty (0 bytes)")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name} has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    if data.startswith(PNG):
        return Header("PNG", struct.unpack(">II", data[16:24]) if len(data) >= 24 else None)
    if data.startswith(b"\xff\xd8\xff"):
        return Header("JPEG", None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Header("WEBP", _webp_size(data))
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return Header("TIFF", None)
    if data.startswith(b"BM"):
        return Header("BMP", None)
    if data[4:8] == b"ftyp" and data[8:12] in _STILL and b"avif" not in _brands(data):
        return Header("HEIF", None)
    raise ImageError(f"{name} is {_describe(data)}; {READABLE} photos are read")


def png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, bytes]]:
    """Kind, body and checksum of every chunk of a PNG file; the last ones may be cut off."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = at + 8
        yield (
            data[at + 4 : body],
            memoryview(data)[body : body + length],
            data[body + length : body + length + 4],
        )
        at = body + length + 4


def whole_png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG file that is as it was written, by its checksums; else None.

    Nothing is decoded.
    """
    if not data.startswith(PNG):
        return None
    kind = b""
    for kind, body, checksum in png_chunks(data):
        if zlib.crc32(body, zlib.crc32(kind)).to_bytes(4, "big") != checksum:
            return None
    width, height = struct.unpack(">II", data[16:24]) if kind == b"IEND" else (0, 0)
    return (width, height) if width and height else None


def check_size(size: tuple[int, int], *, name: str, max_pixels: int | None = None) -> None:
    """Refuse sizes that are zero or too large to decode.

    Raises:
        ImageError: A side is 0 or above `MAX_SIDE`, or there are more than ``max_pixels``, by
            default `MAX_PIXELS`.
    """
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{name} has no pixels: its header says {width}x{height}")
    most = MAX_PIXELS if max_pixels is None else max_pixels
    if max(size) > MAX_SIDE or width * height > most:
        raise ImageError(
            f"{name} is too large: its header says {width}x{height}; at most {most:,} "
            f"pixels and {MAX_SIDE:,} on a side are decoded"
        )


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """The canvas of a WebP file; the decoder would allocate it before we could look."""
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(body[4:7], "little"),
            1 + int.from_bytes(body[7:10], "little"),
        )
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _brands(data: bytes) -> set[bytes]:
    """The major and the compatible brands of an ISO base media file, from its first box."""
    box = data[8 : min(int.from_bytes(data[:4], "big"), 512)]
    return {box[at : at + 4] for at in range(0, len(box), 4)}


def _describe(data: bytes) -> str:
    for magic, description in _UNREADABLE_MAGIC:
        if data.startswith(magic):
            return description
    if data[4:8] == b"ftyp":
        kind = "AVIF" if b"avif" in _brands(data) else _BRANDS.get(data[8:12], "MP4")
        return f"a file of the {kind} family"
    head = data[:512]
    if b"\0" not in head and sum(byte < 32 and byte not in b"\t\n\r" for byte in head) == 0:
        return "text, not an image"
    return "not an image that veilface knows"
