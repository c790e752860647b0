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


@dataclass(frozen=True, slots=True)
class Diversity:
    """Ranges of the random view, each drawn evenly and anew for every image and step.

    Attributes:
        scale: Zoom in [1 - scale, 1 + scale].
        rotation: In degrees, ±.
        shift: In pixels, ±, in each direction.
        brightness: Factor in [1 - brightness, 1 + brightness].
        noise: Standard deviation of additive Gaussian noise, in units of the range [0, 1]. Off:
            it makes the gradient paint features that people see, and unseen recognisers follow
            less (docs/method.md).
    """

    scale: float = 0.2
    rotation: float = 12.0
    shift: float = 10.0
    brightness: float = 0.3
    noise: float = 0.0

    def view(self, x: Tensor, draws: Draws) -> Tensor:
        """One random view of each image, differentiable to the input.

        Args:
            x: (N, 3, H, W) in [0, 1].
            draws: Random streams, one an image.

        Returns:
            (N, 3, H, W), not clamped, so that no gradient is lost; borders are reflected.
        """
        unit = draws.uniform(5, low=-1.0).to(x.dtype)
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
        moved = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
        bright = moved * (1 + self.brightness * unit[:, 4])[:, None, None, None]
        if self.noise == 0:
            return bright
        return bright + self.noise * draws.normal(*x.shape[1:]).to(x.dtype)
