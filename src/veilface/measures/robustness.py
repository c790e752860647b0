"""What pictures go through between a sender and a matcher, as functions of 8-bit images."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from veilface.imaging.filters import gaussian_blur
from veilface.imaging.tensors import to_tensor, to_uint8
from veilface.protectors.base import quantise

Disturbance = Callable[[Tensor], Tensor]
"""Maps (N, 3, H, W) RGB in [0, 1] to the same shape and range, rounded to 8 bits."""


def jpeg(x: Tensor, *, quality: int, subsampling: str) -> Tensor:
    """Through a JPEG file and back.

    Args:
        x: (N, 3, H, W) in [0, 1].
        quality: Of libjpeg, 1 to 95.
        subsampling: Of the chroma, "4:4:4" or "4:2:0".
    """
    images = []
    for pixels in to_uint8(x):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=subsampling)
        images.append(np.asarray(Image.open(file)))
    return to_tensor(np.stack(images)).to(x)


def half_size(x: Tensor) -> Tensor:
    """Shrunk to half of each side and enlarged again, both with an antialiased bicubic filter."""
    resize = partial(F.interpolate, mode="bicubic", align_corners=False, antialias=True)
    return quantise(resize(resize(x, scale_factor=0.5), size=x.shape[-2:]))


def noisy(x: Tensor, *, sigma: float, seed: int = 0) -> Tensor:
    """With Gaussian noise of standard deviation ``sigma`` in units of [0, 1] added."""
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    return quantise(x + sigma * noise.to(x))


def blurred(x: Tensor, *, sigma: float) -> Tensor:
    """Blurred by a Gaussian of ``sigma`` pixels."""
    return quantise(gaussian_blur(x, sigma=sigma))


def mirrored(x: Tensor) -> Tensor:
    """Left and right exchanged."""
    return x.flip(-1)


DISTURBANCES: Mapping[str, Disturbance] = MappingProxyType(
    {
        "JPEG 75, 4:4:4": partial(jpeg, quality=75, subsampling="4:4:4"),
        "JPEG 75, 4:2:0": partial(jpeg, quality=75, subsampling="4:2:0"),
        "half size": half_size,
        "blur σ1": partial(blurred, sigma=1.0),
        "noise σ.05": partial(noisy, sigma=0.05),
        "mirror": mirrored,
    }
)
"""Name in tables to function."""
