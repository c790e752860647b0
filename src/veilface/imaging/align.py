"""Alignment of faces to the 112×112 ArcFace template by their five landmarks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import torch
from torch import Tensor

from veilface.core.template import SIDE, TEMPLATE
from veilface.errors import ShapeError
from veilface.imaging.decode import Pixels
from veilface.imaging.tensors import to_tensor
from veilface.imaging.transforms import invert, scale_of, similarity_from_points
from veilface.imaging.warp import resample

Points = Sequence[Sequence[float]] | Tensor


def matrix_of(points: Points) -> Tensor:
    """The transform from a photo to the aligned face.

    Args:
        points: Five (x, y) landmarks in photo pixels, in the template's order.

    Returns:
        (2, 3) float64; `paste_face` takes it to put the face back.

    Raises:
        ShapeError: Not five finite points, or all of them coincide.
    """
    landmarks = torch.as_tensor(points, dtype=torch.float64)
    if landmarks.shape != TEMPLATE.shape or not bool(landmarks.isfinite().all()):
        raise ShapeError("a face has five finite (x, y) landmarks")
    return similarity_from_points(landmarks, TEMPLATE)


def align_face(pixels: Pixels, points: Points) -> Tensor:
    """Cut a face out of a photo in the ArcFace template.

    Faces larger than the template are averaged over the area of each pixel, so that no detail
    aliases; where the square reaches over the photo, the border pixels are repeated.

    Args:
        pixels: (H, W, 3) uint8 RGB photo.
        points: Five (x, y) landmarks, as in `Detection.points`.

    Returns:
        (3, 112, 112) float32 in [0, 1].

    Raises:
        ShapeError: Another shape of the pixels, or points that define no face.
    """
    return cut(pixels, matrix_of(points), SIDE)


def cut(pixels: Pixels, matrix: Tensor, side: int) -> Tensor:
    """Cut a square out of a photo, without aliasing, repeating the photo's border pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB photo.
        matrix: (2, 3) similarity transform from the photo to the square.
        side: Side of the square in pixels.

    Returns:
        (3, side, side) float32 in [0, 1].
    """
    left, top, right, bottom = square_region(matrix, pixels.shape[1], pixels.shape[0], side=side)
    region = pixels[top:bottom, left:right]
    # The region starts at (left, top): photo = region + (left, top).
    local = matrix.clone()
    local[:, 2] += matrix[:, :2] @ matrix.new_tensor([left, top])
    # Faces much larger than the square are averaged over whole blocks first: the same filter,
    # without a float copy of a huge region.
    block = int(0.5 / float(scale_of(matrix)))
    if block > 1:
        region = _block_mean(region, block)
        centre = (block - 1) / 2
        local[:, 2] += local[:, :2] @ matrix.new_tensor([centre, centre])
        local[:, :2] *= block
    return resample(to_tensor(region), local, (side, side))


def _block_mean(pixels: Pixels, block: int) -> Pixels:
    """Means over blocks of `block` x `block` pixels; the last ones repeat the border pixels."""
    height, width = pixels.shape[:2]
    bottom, right = -height % block, -width % block
    padded = cv2.copyMakeBorder(pixels, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    size = (padded.shape[1] // block, padded.shape[0] // block)
    means: Pixels = cv2.resize(padded, size, interpolation=cv2.INTER_AREA)
    return means


def square_region(
    matrix: Tensor, width: int, height: int, *, side: int = SIDE
) -> tuple[int, int, int, int]:
    """The part of a photo that a square, such as the aligned face, is made of.

    Args:
        matrix: (2, 3) similarity transform from the photo to the square.
        width: Width of the photo.
        height: Height of the photo.
        side: Side of the square in pixels.

    Returns:
        Left, top, right and bottom of the smallest upright rectangle that holds the square and
        the pixels that interpolation looks at, cut to the photo, never empty.
    """
    low, high = -0.5, side - 0.5
    corners = matrix.new_tensor([(low, low), (high, low), (high, high), (low, high)])
    back = invert(matrix)
    places = corners @ back[:, :2].mT + back[:, 2]
    start = (places.amin(0).floor() - 2).tolist()
    stop = (places.amax(0).ceil() + 3).tolist()
    left, top = (int(min(max(s, 0), n - 1)) for s, n in zip(start, (width, height), strict=True))
    right = int(min(max(stop[0], left + 1), width))
    bottom = int(min(max(stop[1], top + 1), height))
    return left, top, right, bottom
