"""Aligned faces back into the photo, with a soft edge."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from veilface.errors import ShapeError
from veilface.imaging.align import SIDE, square_region
from veilface.imaging.decode import Pixels
from veilface.imaging.similarity import invert, scale_of, shifted
from veilface.imaging.tensors import to_tensor
from veilface.imaging.warp import resample, strips

HALF = (46.0, 56.0)
"""Half width and half height of the oval that is pasted, in template pixels: the face with its
chin and hairline, without the background beside it."""

RADIUS = 44.0
"""Radius of the oval's rounded corners, in template pixels."""

FEATHER = 12.0
"""Width in template pixels over which the face fades into the photo, inside of the oval."""


def paste_face(pixels: Pixels, face: Tensor, matrix: Tensor) -> Pixels:
    """Put an aligned face back where it was cut out.

    Args:
        pixels: (H, W, 3) uint8 RGB photo.
        face: (3, 112, 112) float RGB in [0, 1].
        matrix: (2, 3) transform from the photo to the aligned face, from `matrix_of`.

    Returns:
        A new (H, W, 3) uint8 photo. Pixels outside of the aligned square are bit-identical; what
        of the square lies outside of the photo is cut off.

    Raises:
        ShapeError: Other shapes, or values of the face outside [0, 1].
    """
    if face.shape != (3, SIDE, SIDE) or matrix.shape != (2, 3):
        raise ShapeError(
            f"paste takes a (3, {SIDE}, {SIDE}) face and a (2, 3) matrix, "
            f"got {tuple(face.shape)} and {tuple(matrix.shape)}"
        )
    if not bool(((face >= 0) & (face <= 1)).all()):
        raise ShapeError("the face must be finite and in [0, 1]")
    face = face.detach().to("cpu", torch.float32)
    matrix = matrix.detach().to("cpu", torch.float64)
    result = pixels.copy()
    left, top, right, bottom = square_region(matrix, pixels.shape[1], pixels.shape[0])
    back = shifted(invert(matrix), -left, -top)  # from the face to the region
    samples = (right - left) * math.ceil(float(scale_of(matrix))) ** 2
    for start, stop in strips(bottom - top, max(samples, 1)):
        part = shifted(back, 0.0, -start)
        size = (stop - start, right - left)
        weight = edge_weight(part, size).to(torch.float32)
        rows = result[top + start : top + stop, left:right]
        photo = to_tensor(rows)
        blend = photo + weight * (resample(face, part, size) - photo)
        mixed = (blend.clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, -1).numpy()
        rows[...] = np.where(weight.numpy()[:, :, None] > 0, mixed, rows)
    return result


def edge_weight(matrix: Tensor, size: tuple[int, int]) -> Tensor:
    """How much of the face each pixel takes.

    Args:
        matrix: (2, 3) similarity transform from the aligned face to the pixels.
        size: Height and width of the grid of pixels.

    Returns:
        (*size) float in [0, 1]: 0 outside of the oval, 1 from `FEATHER` template pixels inward,
        in between a smoothstep of the distance to its edge.
    """
    back = invert(matrix)
    y, x = torch.meshgrid(*(torch.arange(side, dtype=back.dtype) for side in size), indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1) @ back.mT
    # Signed distance to a rounded rectangle: negative inside.
    reach = (places - (SIDE - 1) / 2).abs() - (places.new_tensor(HALF) - RADIUS)
    outside = reach.clamp(min=0).square().sum(-1).sqrt()
    distance = RADIUS - outside - reach.amax(-1).clamp(max=0)
    ramp = (distance / FEATHER).clamp(0, 1)
    return ramp.square() * (3 - 2 * ramp)
