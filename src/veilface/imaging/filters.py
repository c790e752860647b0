"""Filters of images that the objective and the measures share; all differentiable."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def luma(x: Tensor) -> Tensor:
    """(N, 1, H, W) luma of (N, 3, H, W) RGB."""
    # Written out: a tensor of the weights would be copied to the device in every step.
    return LUMA[0] * x[:, 0:1] + LUMA[1] * x[:, 1:2] + LUMA[2] * x[:, 2:3]


def gaussian_blur(x: Tensor, *, sigma: float) -> Tensor:
    """Separable Gaussian blur with reflected borders; (N, C, H, W) in and out.

    Args:
        x: Images.
        sigma: Standard deviation in pixels; 0 returns ``x``.
    """
    if sigma == 0:
        return x
    radius = max(1, round(3 * sigma))
    at = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
    kernel = torch.softmax(-(at**2) / (2 * sigma**2), dim=0)
    channels = x.shape[1]
    padded = F.pad(x, (radius,) * 4, mode="reflect")
    rows = F.conv2d(padded, kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(rows, kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def coarse_luma(x: Tensor, *, sigma: float) -> Tensor:
    """(N, H*W) blurred luma, centred and of unit length: its dot product is the NCC."""
    flat = gaussian_blur(luma(x), sigma=sigma).flatten(1)
    return F.normalize(flat - flat.mean(dim=1, keepdim=True), dim=1)


def oriented_gradients(x: Tensor, *, sigma: float, bins: int = 9, cell: int = 8) -> Tensor:
    """A differentiable histogram of oriented gradients of the blurred luma.

    Args:
        x: (N, 3, H, W) in [0, 1].
        sigma: Blur before the gradients, in pixels.
        bins: Unsigned orientations, linearly shared.
        cell: Side of a cell in pixels.

    Returns:
        (N, bins * cells) centred unit vectors.
    """
    field = gaussian_blur(luma(x), sigma=sigma)
    padded = F.pad(field, (1, 1, 1, 1), mode="replicate")
    dx = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    dy = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    magnitude = torch.sqrt(dx**2 + dy**2 + 1e-8)
    angle = torch.atan2(dy, dx + 1e-12) % torch.pi
    centres = torch.arange(bins, device=x.device, dtype=x.dtype) * (torch.pi / bins)
    distance = (angle - centres[None, :, None, None]).abs()
    distance = torch.minimum(distance, torch.pi - distance)
    share = F.relu(1 - distance * (bins / torch.pi))
    cells = F.normalize(F.avg_pool2d(magnitude * share, cell), dim=1, eps=1e-3)
    flat = cells.flatten(1)
    return F.normalize(flat - flat.mean(dim=1, keepdim=True), dim=1)
