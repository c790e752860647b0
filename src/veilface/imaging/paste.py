"""Aligned faces back into the photo: in its light, and without a visible edge."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from veilface.core.template import SIDE
from veilface.errors import ShapeError
from veilface.imaging.align import cut, square_region
from veilface.imaging.decode import Pixels
from veilface.imaging.seam import BAND, cut_weight, template_depth
from veilface.imaging.tensors import to_tensor
from veilface.imaging.tone import match_tone
from veilface.imaging.transforms import invert, scale_of, shifted
from veilface.imaging.warp import resample, strips, warp

_RING = 6.0  # template pixels around the face that show its surroundings as well
_INNER = 4.0  # template pixels from the band to where the light of the edge has faded


def paste_face(pixels: Pixels, face: Tensor, matrix: Tensor) -> Pixels:
    """Put an aligned face back where it was cut out.

    The coarse band of the face takes the light of the photo (`tone.match_tone`), its fine band is
    kept; it ends in a seam around the inner features (`seam.cut_weight`). Of the photo's inner face
    nothing enters but the colour of the cheeks.

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
    toned, edge = in_the_light_of(pixels, face, matrix)
    result = pixels.copy()
    left, top, right, bottom = square_region(matrix, pixels.shape[1], pixels.shape[0])
    back = shifted(invert(matrix), -left, -top)  # from the face to the region
    samples = (right - left) * math.ceil(float(scale_of(matrix))) ** 2
    for start, stop in strips(bottom - top, max(samples, 1)):
        part = shifted(back, 0.0, -start)
        size = (stop - start, right - left)
        weight = warp(edge[None, None], part[None], size)[0]
        rows = result[top + start : top + stop, left:right]
        photo = to_tensor(rows)
        blend = photo + weight * (resample(toned, part, size) - photo)
        mixed = (blend.clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, -1).numpy()
        rows[...] = np.where(weight[0].numpy()[:, :, None] > 0, mixed, rows)
    return result


def in_the_light_of(pixels: Pixels, face: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """What of a face is pasted into a photo.

    Args:
        pixels: (H, W, 3) uint8 RGB photo.
        face: (3, 112, 112) float32 RGB in [0, 1].
        matrix: (2, 3) float64 transform from the photo to the aligned face.

    Returns:
        (3, 112, 112) the face in the photo's light, and (112, 112) how much of it each pixel takes,
        both float32 in [0, 1].
    """
    inside = template_depth()
    photo = cut(pixels, matrix, SIDE).movedim(0, -1).numpy()
    ring = (inside < BAND) & (inside > -_RING) & _covered(pixels, matrix)
    toned = match_tone(
        face.movedim(0, -1).numpy(),
        photo,
        ring.astype(np.float32),
        (inside > BAND + _INNER).astype(np.float32),
    )
    edge = cut_weight(toned, photo, inside)
    return torch.from_numpy(toned).movedim(-1, 0), torch.from_numpy(edge)


def _covered(pixels: Pixels, matrix: Tensor) -> NDArray[np.bool_]:
    """(112, 112) which pixels of the aligned square lie in the photo."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    places = np.stack([x, y, np.ones_like(x)], -1) @ invert(matrix).numpy().T
    last = np.array(pixels.shape[1::-1]) - 0.5
    covered: NDArray[np.bool_] = ((places >= -0.5) & (places <= last)).all(-1)
    return covered
