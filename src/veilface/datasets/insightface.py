"""InsightFace's ``.bin`` files: encoded images and labels, pickled.

A pickle may run any code when it is loaded. Here no name in it is ever looked up: bytes, lists and
booleans need none, and what stands for a NumPy array becomes an `_Inert` description, from which
the bytes are taken.

Source:
    github.com/deepinsight/insightface: ``pickle.dump((images, same))``, where images 2i and 2i + 1
    are pair i; written by Python 2 or 3, an image as bytes or as the uint8 array of
    ``cv2.imencode``. The ten folds are consecutive.
"""

from __future__ import annotations

import contextlib
import io
import pickle
from pathlib import Path
from typing import Any

from veilface.datasets.base import FacePair, FacePairs, FaceRecord, FaceSet
from veilface.datasets.files import tenth
from veilface.errors import DatasetError

# NumPy renamed its core in version 2.
_ARRAY = {(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")}
_BUFFER = {(f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")}  # protocol 5
_DTYPE = ("numpy", "dtype")
_ENCODE = ("_codecs", "encode")  # how Python 3 writes bytes for Python 2
_KNOWN = frozenset({*_ARRAY, *_BUFFER, _DTYPE, _ENCODE, ("numpy", "ndarray")})


def load_bin(path: Path) -> FaceSet:
    """Read the images and pairs of a ``.bin`` file.

    Args:
        path: Such as ``lfw.bin`` or ``agedb_30.bin``; its name becomes that of the set.

    Returns:
        The images in memory, numbered from ``000000``; the file does not say whom they show.

    Raises:
        DatasetError: The file cannot be read, is damaged, or holds anything but two images of
            bytes for each boolean.
    """
    content = _unpickle(path)
    if not isinstance(content, list | tuple) or len(content) != 2:
        raise DatasetError(f"{path} does not hold two lists, images and labels")
    images, labels = content
    if not isinstance(images, list | tuple) or not isinstance(labels, list | tuple):
        raise DatasetError(f"{path} does not hold two lists, images and labels")
    if not labels or len(images) != 2 * len(labels):
        raise DatasetError(
            f"{path} holds {len(images)} images and {len(labels)} labels; a label needs two images"
        )
    for index, label in enumerate(labels):
        if not isinstance(label, bool):
            raise DatasetError(f"label {index} of {path} is not a boolean")
    records = tuple(
        FaceRecord(f"{index:06d}", None, _image(path, index, image))
        for index, image in enumerate(images)
    )
    pairs = [
        FacePair(f"{2 * i:06d}", f"{2 * i + 1:06d}", same, tenth(i, len(labels)))
        for i, same in enumerate(labels)
    ]
    protocol = FacePairs.of(path.stem, pairs, records, listed_in=path)
    return FaceSet(path.stem, path, records, protocol)


class _Inert:
    """What a pickle asks to be called or built, written down instead of done."""

    __slots__ = ("arguments", "name", "state")

    def __init__(self, name: tuple[str, str], arguments: tuple[Any, ...] = ()) -> None:
        self.name = name
        self.arguments = arguments
        self.state: Any = None

    def __call__(self, *arguments: Any) -> _Inert:  # noqa: ANN401 - whatever the pickle holds
        return _Inert(self.name, arguments)

    def __setstate__(self, state: Any) -> None:  # noqa: ANN401 - as above
        self.state = state


class _Unpickler(pickle._Unpickler):
    """The unpickler in Python: the one in C reserves gigabytes when a damaged file asks for it."""

    def find_class(self, module: str, name: str) -> _Inert:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _Inert((module, name))


def _unpickle(path: Path) -> object:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        # Strings of Python 2 are bytes.
        return _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except pickle.UnpicklingError as error:
        raise DatasetError(
            f"{path} is refused: {error}, and only lists, bytes, booleans and uint8 arrays are read"
        ) from error
    except Exception as error:  # a damaged pickle raises anything at all
        raise DatasetError(f"{path} is a damaged .bin file") from error


def _image(path: Path, index: int, value: object) -> bytes:
    data = _bytes(value)
    if data is None and isinstance(value, _Inert):
        data = _array(value)
    if data is None:
        raise DatasetError(f"image {index} of {path} is neither bytes nor a uint8 array")
    return data


def _bytes(value: object) -> bytes | None:
    match value:
        case bytes() | bytearray():
            return bytes(value)
        case _Inert(name=name, arguments=(str() as text, "latin1" | b"latin1")) if name == _ENCODE:
            with contextlib.suppress(UnicodeEncodeError):
                return text.encode("latin1")
    return None


def _array(value: _Inert) -> bytes | None:
    """The content of a described array of one long side, whose order cannot matter."""
    match value:
        case _Inert(name=name, state=(_, tuple() as shape, dtype, _, content)) if name in _ARRAY:
            pass
        case _Inert(name=name, arguments=(content, dtype, tuple() as shape, _)) if name in _BUFFER:
            pass
        case _:
            return None
    match dtype:
        case _Inert(name=name, arguments=("u1" | b"u1", *_)) if name == _DTYPE:
            data = _bytes(content)
            return data if data is not None and len(data) in shape else None
    return None
