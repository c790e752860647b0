"""From the aligned 112x112 face to the square that a network reads.

Cropping and resizing an axis-aligned square is linear and separable, so it is two small matrix
products: fast, differentiable, and the same bits on every run, which ``grid_sample`` does not
promise on a GPU.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from veilface.core.template import SIDE


def resampling_matrix(start: float, length: float, *, source: int, target: int) -> Tensor:
    """Weights of bilinear sampling along one axis.

    Args:
        start: Where the sampled stretch begins, in source pixels; pixel k covers k to k + 1.
        length: Its length in source pixels.
        source: Number of source pixels.
        target: Number of samples.

    Returns:
        (target, source) float64; each row sums to 1 and has at most two entries. Sample j lies at
        start + (j + 0.5) / target · length; beyond the border the last pixel counts.

    Source:
        ``grid_sample`` with ``align_corners=False`` and border padding, which is the oracle.
    """
    centres = start + (torch.arange(target, dtype=torch.float64) + 0.5) * (length / target) - 0.5
    centres = centres.clamp(0, source - 1)
    lower = centres.floor().clamp(max=max(source - 2, 0))
    weight = centres - lower
    matrix = torch.zeros(target, source, dtype=torch.float64)
    rows = torch.arange(target)
    matrix[rows, lower.long()] = 1 - weight
    if source > 1:
        matrix[rows, lower.long() + 1] = weight
    return matrix


class CropResize(nn.Module):
    """Resamples a square of the aligned face.

    Args:
        crop: Left, top and side of the square in pixels of the aligned face.
        side: Side of the result in pixels.
    """

    across: Tensor
    down: Tensor

    def __init__(self, crop: tuple[float, float, float], side: int) -> None:
        super().__init__()
        left, top, length = crop
        across = resampling_matrix(left, length, source=SIDE, target=side).T.contiguous()
        down = resampling_matrix(top, length, source=SIDE, target=side)
        self.register_buffer("across", across.to(torch.get_default_dtype()), persistent=False)
        self.register_buffer("down", down.to(torch.get_default_dtype()), persistent=False)
        self.identity = tuple(crop) == (0.0, 0.0, float(side)) and side == SIDE

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, 112, 112) to (N, C, side, side)."""
        if self.identity:
            return x
        return self.down @ (x @ self.across)
