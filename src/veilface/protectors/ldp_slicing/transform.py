"""LDP-Slicing: the fine detail of a face in bits, each told truthfully or not by chance.

Two steps. The first takes the coarse structure away and is public; the second is randomised
response on every bit, and alone carries the guarantee.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.imaging.ycbcr import from_centred_ycbcr, to_centred_ycbcr

BITS = 8
PLANE_WEIGHTS = (4, 1, 1)  # of Y, Cb, Cr in the budget


def bit_budgets(epsilon: float) -> Tensor:
    """The privacy budget of each bit of a pixel.

    Args:
        epsilon: That of a whole pixel; the budgets add up to it.

    Returns:
        (3, 8) float64: plane Y, Cb, Cr by bit, the lowest first; proportional to the square root
        of the bit's weight, which is ``PLANE_WEIGHTS * 2^bit``.

    Source:
        LDP-Slicing, arXiv 2603.03711: the closed form that gives its table of probabilities.
    """
    weights = torch.tensor(PLANE_WEIGHTS, dtype=torch.float64)[:, None] * 2.0 ** torch.arange(BITS)
    shares = weights.sqrt()
    return epsilon * shares / shares.sum()


def keep_probabilities(epsilon: float) -> Tensor:
    """(3, 8) float64: with which probability each bit is told as it is, e^b / (1 + e^b)."""
    return torch.sigmoid(bit_budgets(epsilon))


def fine_levels(x: Tensor) -> Tensor:
    """The image without the low band of a Haar transform, as 8-bit levels of YCbCr.

    The low band of one level holds a mean for each block of 2x2 pixels, so that removing it is
    subtracting those means. Public and deterministic: no part of the guarantee.

    Args:
        x: (N, 3, H, W) float RGB in [0, 1], H and W even.

    Returns:
        (N, 3, H, W) int64 in [0, 255]; truncated, 128 where nothing is left.
    """
    planes = to_centred_ycbcr(x)
    coarse = F.interpolate(F.avg_pool2d(planes, 2), scale_factor=2.0, mode="nearest")
    return (planes - coarse + 128).clamp(0, 255).to(torch.int64)


def randomised_response(levels: Tensor, words: Tensor, *, epsilon: float) -> Tensor:
    """Keep each bit with its probability, else flip it.

    Args:
        levels: (N, 3, H, W) int64 in [0, 255], YCbCr.
        words: (N, 3, 8, H, W) int64, uniform in [0, 2^32), one for every bit.
        epsilon: Budget of a pixel.

    Returns:
        (N, 3, H, W) int64 in [0, 255].
    """
    flips = (1 - keep_probabilities(epsilon)) * 2**32
    below = flips.round().to(levels.device, torch.int64)[:, :, None, None]
    places = (2 ** torch.arange(BITS, device=levels.device))[:, None, None]
    return levels ^ ((words < below) * places).sum(dim=2)


def from_levels(levels: Tensor) -> Tensor:
    """(N, 3, H, W) levels of YCbCr as float32 RGB, not clamped."""
    planes = levels.to(torch.float32)
    return from_centred_ycbcr(planes - 128)
