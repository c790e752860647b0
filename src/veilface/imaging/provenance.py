"""The provenance mark of an output: which tool made it, in which version, with which preset.

The mark is one line of JSON in a PNG text chunk or a JPEG comment. It holds no seed, identity or
path. Reading it walks over the container only: nothing is decompressed or decoded, so that a
hostile file can at worst have no mark.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from veilface.core.files import read_bytes
from veilface.imaging.headers import PNG, png_chunks

KEYWORD = "veilface"
"""Keyword of the PNG text chunk and first word of the JPEG comment."""

_MAX_FIELD = 64
_MAX_TEXT = 1024
_PREFIX = f"{KEYWORD} ".encode()


@dataclass(frozen=True, slots=True)
class Mark:
    """Where an image comes from.

    Attributes:
        tool: Name of the program, at most 64 printable characters, as the other two.
        version: Its version.
        preset: Name of the protection.
        recognizers: Those of the registry that it was made against, which therefore prove little
            about it.
    """

    tool: str
    version: str
    preset: str
    recognizers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for value in (self.tool, self.version, self.preset, *self.recognizers):
            # Checked on reading too: a stranger's mark is printed on terminals.
            if not isinstance(value, str) or not value.isprintable() or len(value) > _MAX_FIELD:
                raise ValueError(f"a mark holds printable text of at most {_MAX_FIELD} characters")

    def to_json(self) -> str:
        """One line of ASCII with sorted keys, the same for equal marks."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def read_mark(source: bytes | str | os.PathLike[str]) -> Mark | None:
    """The provenance mark of an image.

    Args:
        source: A path, or the bytes of a file.

    Returns:
        The first valid mark, or None when there is none; a mark that is damaged, oversized or
        not ours counts as none.

    Raises:
        ImageError: The path cannot be read.
    """
    data = source if isinstance(source, bytes) else read_bytes(source)
    texts: Iterator[bytes] = iter(())
    if data.startswith(PNG):
        texts = _png_texts(data)
    elif data.startswith(b"\xff\xd8"):
        texts = _jpeg_texts(data)
    return next((mark for mark in map(_parse, texts) if mark is not None), None)


def _parse(text: bytes) -> Mark | None:
    if len(text) > _MAX_TEXT:
        return None
    try:
        fields = json.loads(text)
        texts = {key: fields[key] for key in ("tool", "version", "preset")}
        return Mark(**texts, recognizers=tuple(fields.get("recognizers", ())))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _png_texts(data: bytes) -> Iterator[bytes]:
    keyword = KEYWORD.encode() + b"\0"
    for kind, body, _ in png_chunks(data):
        if kind == b"tEXt" and body[: len(keyword)] == keyword:
            yield bytes(body[len(keyword) : len(keyword) + _MAX_TEXT + 1])


def _jpeg_texts(data: bytes) -> Iterator[bytes]:
    at = 2
    # Every segment before the first scan has a length; comments behind it are not looked for.
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        if data[at + 1] == 0xFF:  # a fill byte
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if data[at + 1] == 0xFE and body.startswith(_PREFIX):
            yield body[len(_PREFIX) :]
        at += 2 + length
