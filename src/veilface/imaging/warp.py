"""Resampling of images under similarity transforms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.errors import ShapeError
from veilface.imaging.transforms import invert, refined, scale_of, shifted

_MAX_SAMPLES = 2**21
"""Samples that are taken at once, so that a huge face does not need a huge amount of memory."""


def warp(
    images: Tensor,
    matrices: Tensor,
    size: tuple[int, int],
    *,
    mode: Literal["bilinear", "bicubic"] = "bilinear",
) -> Tensor:
    """Sample images under similarity transforms; differentiable to both.

    One sample a pixel, so that strong shrinking aliases: `resample` does that well.

    Args:
        images: (N, C, H, W) float.
        matrices: (N, 2, 3) similarity transforms from pixels of the images to pixels of the
            result, centres at whole numbers.
        size: Height and width of the result.
        mode: Interpolation.

    Returns:
        (N, C, *size); places outside of the images take the nearest border pixel.

    Raises:
        ShapeError: Other shapes.
    """
    if images.ndim != 4 or matrices.shape != (len(images), 2, 3):
        raise ShapeError(
            f"warp takes (N, C, H, W) images and (N, 2, 3) matrices, "
            f"got {tuple(images.shape)} and {tuple(matrices.shape)}"
        )
    back = invert(matrices)
    y, x = torch.meshgrid(
        torch.arange(size[0], dtype=back.dtype, device=back.device),
        torch.arange(size[1], dtype=back.dtype, device=back.device),
        indexing="ij",
    )
    places = torch.stack([x, y, torch.ones_like(x)], -1) @ back.mT[:, None]
    sides = places.new_tensor([images.shape[3], images.shape[2]])
    # grid_sample with align_corners=False puts the outer edges of the border pixels at ±1.
    grid = (2 * places + 1) / sides - 1
    return F.grid_sample(
        images, grid.to(images), mode=mode, padding_mode="border", align_corners=False
    )


def resample(image: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
    """Sample one image under a similarity transform, without aliasing where it shrinks.

    Where it shrinks, every pixel of the result is the mean over its area of bilinear samples that
    lie at most one image pixel apart; where it enlarges, the interpolation is bicubic, clipped to
    the range of the image.

    Args:
        image: (C, H, W) float.
        matrix: (2, 3) similarity transform from pixels of the image to pixels of the result.
        size: Height and width of the result.

    Returns:
        (C, *size).
    """
    height, width = size
    shrink = max(1, math.ceil(1 / float(scale_of(matrix)) - 1e-6))
    mode: Literal["bilinear", "bicubic"] = "bilinear" if shrink > 1 else "bicubic"
    rows = []
    for start, stop in strips(height, width * shrink**2):
        part = refined(shifted(matrix, 0.0, -start), shrink)
        fine = warp(image[None], part[None], ((stop - start) * shrink, width * shrink), mode=mode)
        rows.append(F.avg_pool2d(fine, shrink)[0])
    result = torch.cat(rows, 1)
    return result.clamp(image.min(), image.max())


def strips(rows: int, samples: int) -> Iterator[tuple[int, int]]:
    """Cut rows of so many samples each into runs [start, stop) that fit into the memory."""
    step = max(1, _MAX_SAMPLES // max(1, samples))
    for start in range(0, rows, step):
        yield start, min(start + step, rows)
