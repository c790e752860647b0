"""Input diversity: random views of X_t, without which the images do not transfer.

Not in the paper. With its formulas alone unseen recognisers accept about one image in four; with
a random geometric and photometric view in each step nearly all (docs/method.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.core.randomness import Draws

_SHARP = 0.05  # σ in pixels at which a neighbour weighs nothing


@dataclass(frozen=True, slots=True)
class Diversity:
    """Ranges of the random view, each drawn evenly and anew for every image and step.

    Attributes:
        scale: Zoom in [1 - scale, 1 + scale].
        rotation: In degrees, ±.
        shift: In pixels, ±, in each direction.
        brightness: Factor in [1 - brightness, 1 + brightness].
        blur: σ of a Gaussian blur in [0, blur], in pixels. What survives it is what recognisers
            have in common, and what a resized or blurred copy keeps (docs/method.md).
        noise: Standard deviation of additive Gaussian noise, in units of the range [0, 1]. Off:
            it makes the gradient paint features that people see, and unseen recognisers follow
            less (docs/method.md).
    """

    scale: float = 0.12
    rotation: float = 6.0
    shift: float = 5.0
    brightness: float = 0.2
    blur: float = 0.6
    noise: float = 0.0

    def view(self, x: Tensor, draws: Draws) -> Tensor:
        """One random view of each image, differentiable to the input.

        Args:
            x: (N, 3, H, W) in [0, 1].
            draws: Random streams, one an image.

        Returns:
            (N, 3, H, W), not clamped, so that no gradient is lost; borders are reflected.
        """
        unit = draws.uniform(6, low=-1.0).to(x.dtype)
        soft = blur_each(x, self.blur * (unit[:, 5] + 1) / 2) if self.blur else x
        moved = moved_each(
            soft,
            zoom=1 + self.scale * unit[:, 0],
            angle=math.radians(self.rotation) * unit[:, 1],
            offset=self.shift * unit[:, 2:4],
        )
        bright = moved * (1 + self.brightness * unit[:, 4])[:, None, None, None]
        if self.noise == 0:
            return bright
        return bright + self.noise * draws.normal(*x.shape[1:]).to(x.dtype)


def moved_each(x: Tensor, *, zoom: Tensor, angle: Tensor, offset: Tensor) -> Tensor:
    """Turn, scale and shift every image by its own amounts, differentiable; borders are reflected.

    Args:
        x: (N, C, H, W).
        zoom: (N,) how much of the image is seen: above 1 it gets smaller.
        angle: (N,) in radians.
        offset: (N, 2) in pixels, right and down.

    Returns:
        (N, C, H, W).
    """
    shift = 2 * offset / x.shape[-1]
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    theta = torch.stack(
        [
            torch.stack([cos, -sin, shift[:, 0]], dim=1),
            torch.stack([sin, cos, shift[:, 1]], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def blur_each(x: Tensor, sigmas: Tensor) -> Tensor:
    """Gaussian blur of every image by its own σ, differentiable, with reflected borders.

    Two products with a matrix an image: at this size faster than a convolution whose kernels
    differ from image to image.

    Args:
        x: (N, C, H, W).
        sigmas: (N,) standard deviations in pixels, small beside the image; 0 leaves it as it is.

    Returns:
        (N, C, H, W).
    """
    channels, height, width = x.shape[1:]
    spread = sigmas.to(x.dtype)
    rows = _smoothing(spread, height).repeat_interleave(channels, dim=0)
    columns = (
        rows if width == height else _smoothing(spread, width).repeat_interleave(channels, dim=0)
    )
    return rows.bmm(x.flatten(0, 1)).bmm(columns.mT).view_as(x)


def _smoothing(sigmas: Tensor, side: int) -> Tensor:
    """(N, side, side): row i holds the weights of all pixels in the blurred pixel i."""
    at = torch.arange(side, dtype=sigmas.dtype, device=sigmas.device)
    weights = torch.exp(-((at / sigmas.clamp_min(_SHARP)[:, None]) ** 2) / 2)
    weights = weights / (2 * weights.sum(dim=1, keepdim=True) - 1)
    padded = F.pad(weights, (0, side))
    direct, before, after = _distances(side, sigmas.device)
    return padded[:, direct] + padded[:, before] + padded[:, after]


@cache
def _distances(side: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(side, side) each: from every pixel to every other, and to its reflections at both ends."""
    at = torch.arange(side, device=device)
    before = at[:, None] + at
    after = 2 * (side - 1) - before
    # A border pixel is its own reflection and counts once; no pixel is as far as 2 side - 1.
    before[:, 0] = after[:, -1] = 2 * side - 1
    return (at[:, None] - at).abs(), before, after
