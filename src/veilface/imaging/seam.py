"""Where a pasted face ends: in a band around the inner features, where it shows least."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from veilface.core.template import SIDE
from veilface.imaging.tone import Plane, alike, blur, logarithms, skin_colour
from veilface.imaging.transforms import invert

HALF = (46.0, 56.0)
"""Half width and half height of the rounded rectangle that a face may cover, in template pixels:
the face with its chin and hairline, without the background beside it."""

RADIUS = 44.0
"""Radius of its rounded corners, in template pixels."""

BAND = 12.0
"""Width in template pixels of the band, inside of that rectangle, in which a face ends. Further
inside are eyes, brows, nose and mouth, which are covered whatever is there."""

_MARGIN = 3.0  # room for the soft edge on either side of the seam
_MOUTH = 88  # row of the template; below, what is not skin may be a beard, which stays


def depth(matrix: Tensor, size: tuple[int, int]) -> Tensor:
    """How far inside of the rounded rectangle the pixels of a grid lie.

    Args:
        matrix: (2, 3) similarity transform from the aligned face to the pixels.
        size: Height and width of the grid of pixels.

    Returns:
        (*size) in template pixels: negative outside, `BAND` and more in the inner face.
    """
    back = invert(matrix)
    y, x = torch.meshgrid(*(torch.arange(side, dtype=back.dtype) for side in size), indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1) @ back.mT
    reach = (places - (SIDE - 1) / 2).abs() - (places.new_tensor(HALF) - RADIUS)
    outside = reach.clamp(min=0).square().sum(-1).sqrt()
    return RADIUS - outside - reach.amax(-1).clamp(max=0)


def template_depth() -> Plane:
    """(112, 112) `depth` of the pixels of the aligned face itself."""
    identity = torch.eye(2, 3, dtype=torch.float64)
    return depth(identity, (SIDE, SIDE)).numpy().astype(np.float32)


def cut_weight(face: Plane, photo: Plane, inside: Plane) -> Plane:
    """Cut a face out of its picture where the cut shows least in the photo.

    The seam runs through the band where face and photo differ least, colours and gradients
    considered (the graph cut of OpenCV's panoramas). Hair and background of the face's own picture
    are left out of the band, so that those of the photo stay.

    Args:
        face: (112, 112, 3) aligned face in [0, 1], in the light of the photo.
        photo: (112, 112, 3) what the photo shows in the same square.
        inside: `template_depth`.

    Returns:
        (112, 112) in [0, 1], how much of the face each pixel takes: 0 outside of the rounded
        rectangle, 1 in the inner face; the photo's inner face plays no part.

    Source:
        V. Kwatra et al., "Graphcut textures", SIGGRAPH 2003.
    """
    rows = np.arange(SIDE)[:, None]
    colours = logarithms(blur(face, 1.0))
    other = (alike(colours - skin_colour(face), 0.5, 0.2) < 0.25) & (rows < _MOUTH)
    must = inside >= BAND - _MARGIN
    masks = [must | ((inside > _MARGIN) & ~other), ~must]
    finder: Any = cv2.detail.GraphCutSeamFinder("COST_COLOR_GRAD")
    kept = finder.find(
        [(image * 255).astype(np.float32) for image in (face, photo)],
        [(0, 0), (0, 0)],
        [mask.astype(np.uint8) * 255 for mask in masks],
    )[0]
    hard = kept.get() > 0
    soft = cv2.blur(cv2.blur(hard.astype(np.float32), (3, 3)), (3, 3))
    return np.where(inside >= BAND, 1, np.where(inside > 0, soft, 0)).astype(np.float32)
