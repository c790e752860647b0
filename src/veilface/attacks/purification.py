"""Purification: filters that take an adversarial signal out and leave what people see.

A recogniser that no longer sees the person then says that the match lived in fine structure alone;
one that sees the stranger says whose face is left.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from veilface.attacks.base import Fitted, Setting
from veilface.imaging.filters import gaussian_blur
from veilface.measures.robustness import jpeg
from veilface.protectors.base import quantise

SIGMA, QUALITY, WINDOW = 1.5, 50, 3


def blurred(setting: Setting) -> Fitted:
    """A Gaussian of 1.5 pixels."""
    return Fitted(lambda protected: gaussian_blur(protected.images, sigma=SIGMA))


def recompressed(setting: Setting) -> Fitted:
    """JPEG of quality 50 with halved chroma."""
    return Fitted(
        lambda protected: jpeg(quantise(protected.images), quality=QUALITY, subsampling="4:2:0")
    )


def median_filtered(setting: Setting) -> Fitted:
    """The median of each 3x3 neighbourhood."""
    return Fitted(lambda protected: median(protected.images, side=WINDOW))


def median(x: Tensor, *, side: int) -> Tensor:
    """The median around each pixel of (N, C, H, W) images; borders are reflected.

    Args:
        x: Images.
        side: Of the square neighbourhood, odd. Oracle: scipy.ndimage.median_filter, mode mirror.
    """
    padded = F.pad(x, (side // 2,) * 4, mode="reflect")
    windows = padded.unfold(2, side, 1).unfold(3, side, 1)
    return windows.flatten(4).median(dim=4).values
