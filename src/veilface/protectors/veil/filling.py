"""Pruning and stochastic filling: sensitive regions stay, the rest becomes noise (Eq. 4)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from veilface.core.randomness import Draws
from veilface.core.template import SIDE

# Soft ellipses in the ArcFace 112x112 template: centre x, centre y, radius x, radius y in pixels.
Ellipse = tuple[float, float, float, float]
EYES: tuple[Ellipse, ...] = ((38.29, 51.70, 15.0, 9.0), (73.53, 51.50, 15.0, 9.0))


def feature_mask(
    regions: tuple[Ellipse, ...],
    *,
    softness: float,
    side: int = SIDE,
    device: torch.device | str = "cpu",
) -> Tensor:
    """A soft mask of the regions that are kept.

    Args:
        regions: Ellipses in pixels of the template.
        softness: Width of the edge, as a share of the radius; 0.3 fades from 0.85 to 1.15 radii.
        side: Side of the square mask in pixels.
        device: Where the mask is wanted.

    Returns:
        (1, 1, side, side) float in [0, 1]; 1 inside, with a raised-cosine edge.
    """
    at = torch.arange(side, dtype=torch.float32, device=device)
    mask = torch.zeros(side, side, device=device)
    for centre_x, centre_y, radius_x, radius_y in regions:
        radius = torch.hypot(
            (at[None, :] - centre_x) / radius_x, (at[:, None] - centre_y) / radius_y
        )
        edge = ((radius - 1.0) / softness + 0.5).clamp(0.0, 1.0)
        mask = torch.maximum(mask, 0.5 + 0.5 * torch.cos(math.pi * edge))
    return mask[None, None]


def stochastic_fill(x: Tensor, draws: Draws, *, spread: float) -> Tensor:
    """R(x, y) ~ N(μ, σ κ), with the colour statistics of the whole image (Eq. 4).

    Args:
        x: (N, 3, H, W) source images in [0, 1].
        draws: Random streams, one an image.
        spread: κ, which scales the standard deviation.

    Returns:
        (N, 3, H, W), not clamped. The paper leaves the window of μ and σ open; they are taken per
        channel over the whole image, so that the filling holds no spatial information.
    """
    mean = x.mean(dim=(2, 3), keepdim=True)
    deviation = x.std(dim=(2, 3), keepdim=True)
    return mean + spread * deviation * draws.normal(*x.shape[1:]).to(x.dtype)
