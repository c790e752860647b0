"""Input diversity: random views of X_t, without which the images do not transfer.

Not in the paper. With its formulas alone unseen recognisers accept about one image in four; with
a random geometric and photometric view in each step nearly all (docs/method.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.protectors.veil.randomness import Draws

WIDEST = 2.0  # σ in pixels that the kernels of `blur_each` hold
_SHARP = 0.05  # its kernel is 1 at the centre and 0 beside it


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
    blur: float = 1.25
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
        zoom = 1 + self.scale * unit[:, 0]
        angle = math.radians(self.rotation) * unit[:, 1]
        offset = 2 * self.shift / x.shape[-1] * unit[:, 2:4]
        cos, sin = zoom * angle.cos(), zoom * angle.sin()
        theta = torch.stack(
            [
                torch.stack([cos, -sin, offset[:, 0]], dim=1),
                torch.stack([sin, cos, offset[:, 1]], dim=1),
            ],
            dim=1,
        )
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        soft = blur_each(x, self.blur * (unit[:, 5] + 1) / 2) if self.blur else x
        moved = F.grid_sample(soft, grid, padding_mode="reflection", align_corners=False)
        bright = moved * (1 + self.brightness * unit[:, 4])[:, None, None, None]
        if self.noise == 0:
            return bright
        return bright + self.noise * draws.normal(*x.shape[1:]).to(x.dtype)


def blur_each(x: Tensor, sigmas: Tensor) -> Tensor:
    """Gaussian blur of every image by its own σ, differentiable, with reflected borders.

    Args:
        x: (N, C, H, W).
        sigmas: (N,) standard deviations in pixels, at most `WIDEST`; 0 leaves an image as it is.

    Returns:
        (N, C, H, W).
    """
    count, channels, height, width = x.shape
    reach = math.ceil(3 * WIDEST)
    at = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    spread = sigmas.to(x.dtype).clamp_min(_SHARP)[:, None]
    kernels = torch.softmax(-(at**2) / (2 * spread**2), dim=1).repeat_interleave(channels, dim=0)
    # Each plane is a group of its own, so that one convolution blurs the whole batch.
    planes = F.pad(x, (reach,) * 4, mode="reflect").view(
        1, count * channels, height + 2 * reach, -1
    )
    rows = F.conv2d(planes, kernels[:, None, :, None], groups=count * channels)
    both = F.conv2d(rows, kernels[:, None, None, :], groups=count * channels)
    return both.view(count, channels, height, width)
