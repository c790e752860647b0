"""MATLAB files of level 5, as far as protocols need them: cells, structures, text, numbers.

Source:
    MathWorks, MAT-File Format, chapter 1 (Level 5). Oracle: ``scipy.io``, which the core does not
    depend on.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from veilface.errors import DatasetError

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR = 1, 2, 4
_NUMERIC = range(6, 16)  # classes double to uint64

# miINT8 to miUINT64, and the encodings of text, by data type
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8"}
_TYPES |= {13: "u8"}
_TEXT = {1: "utf-8", 2: "utf-8", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}


def read_matlab(path: Path) -> Mapping[str, Any]:
    """The variables of a file.

    Args:
        path: Level 5, as MATLAB's ``save`` writes by default (``-v6`` or ``-v7``).

    Returns:
        By name a tuple for cells, a mapping of fields for a structure of one element, a tuple of
        such mappings for more, text, or a flat float64 array; each by column, the order of MATLAB.

    Raises:
        DatasetError: The file cannot be read, or is no such file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror or error}") from error
    order = {b"IM": "<", b"MI": ">"}.get(data[126:_HEADER])
    if order is None:
        raise DatasetError(f"{path} is not a MATLAB file of level 5 (save it with -v7)")
    try:
        return dict(_variables(data[_HEADER:], order))
    except (struct.error, zlib.error, KeyError, StopIteration, ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is a damaged MATLAB file, or holds unusual types") from error


def _variables(data: bytes, order: str) -> Iterator[tuple[str, Any]]:
    for kind, body in _elements(data, order):
        if kind == _COMPRESSED:
            yield from _variables(zlib.decompress(body), order)
        elif kind == _MATRIX:
            yield _matrix(body, order)


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Data type and content of each element."""
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from(order + "II", data, place)
        if kind >> 16:  # a small element: both in the first four bytes, the content in the next
            kind, size = kind & 0xFFFF, kind >> 16
            start, place = place + 4, place + 8
        else:
            start = place + 8
            # Compressed elements alone are not padded to a multiple of eight.
            place = start + (size if kind == _COMPRESSED else size + -size % 8)
        if start + size > len(data):
            raise ValueError("an element is cut off")
        yield kind, data[start : start + size]


def _matrix(body: bytes, order: str) -> tuple[str, Any]:
    """Name and value of one array."""
    parts = _elements(body, order)
    flags = next(parts, None)
    if flags is None:  # an empty cell
        return "", np.empty(0)
    kind = struct.unpack_from(order + "I", flags[1])[0] & 0xFF
    next(parts)  # the dimensions: everything is flattened
    name = next(parts)[1].decode("ascii")
    if kind == _CELL:
        return name, tuple(_matrix(part, order)[1] for _, part in parts)
    if kind == _STRUCT:
        return name, _structure(parts, order)
    data_type, values = next(parts)
    if kind == _CHAR:
        codec = _TEXT[data_type]
        endings = {"utf-8": codec, "<": f"{codec}-le", ">": f"{codec}-be"}
        return name, values.decode(endings["utf-8" if codec == "utf-8" else order])
    if kind not in _NUMERIC:
        raise ValueError(f"class {kind} is not read")
    return name, np.frombuffer(values, order + _TYPES[data_type]).astype(np.float64)


def _structure(parts: Iterator[tuple[int, bytes]], order: str) -> Any:  # noqa: ANN401
    width = struct.unpack_from(order + "I", next(parts)[1])[0]
    text = next(parts)[1]
    names = [
        text[start : start + width].split(b"\0")[0].decode("ascii")
        for start in range(0, len(text), width)
    ]
    values = [_matrix(part, order)[1] for _, part in parts]
    records = tuple(
        dict(zip(names, values[start : start + len(names)], strict=True))
        for start in range(0, len(values), len(names))
    )
    return records[0] if len(records) == 1 else records
