"""What a face detector is, and how its raw findings become a clean list."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from veilface.types import Detection

MIN_SIDE = 8.0
"""Smallest box side in pixels that counts as a face: less than that identifies nobody."""

MAX_OVERLAP = 0.3
"""Intersection over union from which two boxes are one face (OpenCV's default for YuNet)."""


MAX_INSIDE = 0.75
"""Part of a box inside of a larger, more certain one from which it is a part of that face: in large
photos the network takes an eye or a mouth for a small face now and then."""


class FaceDetector(Protocol):
    """Finds faces with five landmarks."""

    def detect(self, pixels: npt.NDArray[np.uint8]) -> list[Detection]:
        """Find every face.

        Args:
            pixels: (H, W, 3) uint8 RGB photo, upright.

        Returns:
            The faces, largest first; empty when there is none.
        """
        ...


def clean(
    found: Iterable[Detection], *, width: int, height: int, smallest: float = MIN_SIDE
) -> list[Detection]:
    """Drop degenerate findings and duplicates, and sort the rest.

    Args:
        found: Findings of one or several passes over the same photo, in its coordinates.
        width: Width of the photo.
        height: Height of the photo.
        smallest: Least side of a box in pixels.

    Returns:
        The faces, largest box first: of findings of the same face the most certain one, and no
        parts of faces.
    """
    kept: list[Detection] = []
    for candidate in sorted(found, key=lambda face: -face.score):
        if is_plausible(candidate, width=width, height=height, smallest=smallest) and not any(
            same_face(candidate, other) or is_part(candidate, other) for other in kept
        ):
            kept.append(candidate)
    return sorted(kept, key=lambda face: (-_area(face), face.box))


def is_plausible(face: Detection, *, width: int, height: int, smallest: float = MIN_SIDE) -> bool:
    """Whether a finding is finite, large enough, centred in the photo, and has spread landmarks."""
    x, y, w, h = face.box
    values = itertools.chain(face.box, *face.points, (face.score,))
    if not all(math.isfinite(value) for value in values) or min(w, h) < smallest:
        return False
    # The alignment divides by the spread of the landmarks.
    spread = max(math.dist(a, b) for a, b in itertools.combinations(face.points, 2))
    return 0 <= x + w / 2 <= width and 0 <= y + h / 2 <= height and spread > 0.1 * max(w, h)


def same_face(a: Detection, b: Detection) -> bool:
    """Whether two findings show one face.

    Boxes of one face from two scales may differ, but its landmarks coincide: so either the boxes
    overlap by more than `MAX_OVERLAP`, or the landmarks lie on average within a quarter of the
    smaller box's side of each other.
    """
    return _overlap(a, b) > MAX_OVERLAP or landmarks_agree(a, b)


def landmarks_agree(a: Detection, b: Detection) -> bool:
    """Whether the landmarks lie on average within a quarter of the smaller box's side."""
    distance = sum(map(math.dist, a.points, b.points)) / len(a.points)
    return distance < 0.25 * min(max(a.box[2:]), max(b.box[2:]))


def is_part(small: Detection, large: Detection) -> bool:
    """Whether a finding is a part of a larger face rather than a face of its own."""
    area = _area(small)
    return area < _area(large) and _shared(small, large) > MAX_INSIDE * area


def _overlap(a: Detection, b: Detection) -> float:
    """Intersection over union of two boxes."""
    shared = _shared(a, b)
    return shared / (_area(a) + _area(b) - shared)


def _area(face: Detection) -> float:
    return face.box[2] * face.box[3]


def _shared(a: Detection, b: Detection) -> float:
    """Area of the intersection of two boxes."""
    ax, ay, aw, ah = a.box
    bx, by, bw, bh = b.box
    width = min(ax + aw, bx + bw) - max(ax, bx)
    height = min(ay + ah, by + bh) - max(ay, by)
    return max(0.0, width) * max(0.0, height)
