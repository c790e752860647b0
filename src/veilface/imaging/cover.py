"""Faces made unrecognisable in the plain way: a box, a blur or large pixels over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np

from veilface.errors import UnknownNameError
from veilface.imaging.decode import Pixels

REACH = 1.3
"""Sides of the covered rectangle per side of the detected box, which ends at brow and chin."""

BLOCKS = 6
"""Large pixels across a face; eye, nose and mouth are not told apart any more."""

Region = tuple[int, int, int, int]


def cover(pixels: Pixels, box: tuple[float, float, float, float], how: str) -> Pixels:
    """Cover one face.

    Args:
        pixels: (H, W, 3) uint8 RGB photo.
        box: x, y, width, height of the face in pixels, as in `Detection.box`.
        how: ``box`` (black), ``blur`` (a mean over half the face, twice) or ``pixelate``.

    Returns:
        A new photo; pixels outside of the rectangle are bit-identical.

    Raises:
        UnknownNameError: Another name.
    """
    if how not in COVERS:
        raise UnknownNameError("cover", how, COVERS)
    left, top, right, bottom = region_of(box, pixels.shape[1], pixels.shape[0])
    result = pixels.copy()
    if right > left and bottom > top:
        result[top:bottom, left:right] = COVERS[how](pixels[top:bottom, left:right])
    return result


def region_of(box: tuple[float, float, float, float], width: int, height: int) -> Region:
    """Left, top, right and bottom of the covered rectangle, cut to the photo."""
    x, y, w, h = box
    across, down = w * (REACH - 1) / 2, h * (REACH - 1) / 2
    left, right = (int(min(max(v, 0), width)) for v in (x - across, x + w + across + 1))
    top, bottom = (int(min(max(v, 0), height)) for v in (y - down, y + h + down + 1))
    return left, top, right, bottom


def _blur(face: Pixels) -> Pixels:
    size = (max(1, face.shape[1] // 2), max(1, face.shape[0] // 2))
    once = cv2.blur(face, size, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(once, size, borderType=cv2.BORDER_REPLICATE))


def _pixelate(face: Pixels) -> Pixels:
    height, width = face.shape[:2]
    small = cv2.resize(face, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST))


COVERS: Mapping[str, Callable[[Pixels], Pixels]] = MappingProxyType(
    {"box": np.zeros_like, "blur": _blur, "pixelate": _pixelate}
)
