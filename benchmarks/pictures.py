"""Grids of faces, for looking at."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor

from veilface.imaging.tensors import to_uint8


def to_picture(images: Tensor, *, columns: int) -> Image.Image:
    """A grid of (N, 3, H, W) images, ``columns`` wide."""
    count, _, height, width = images.shape
    rows = -(-count // columns)
    padded = torch.ones(rows * columns, 3, height, width)
    padded[:count] = images
    grid = padded.view(rows, columns, 3, height, width).permute(2, 0, 3, 1, 4)
    return Image.fromarray(to_uint8(grid.reshape(3, rows * height, columns * width)))
