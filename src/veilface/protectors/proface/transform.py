"""The two obfuscators of PRO-Face that need no weights of others: blur and pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from veilface.imaging.filters import gaussian_blur


def blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (N, 3, H, W) images; sigma 5 has the authors' 31 taps."""
    return gaussian_blur(x, sigma=sigma)


def pixelate(x: Tensor, block: float) -> Tensor:
    """Blocks of about ``block`` pixels: bilinear to H // block, and back by nearest neighbours."""
    rows, columns = (side // round(block) for side in x.shape[2:])
    small = F.interpolate(x, size=(rows, columns), mode="bilinear", align_corners=False)
    return F.interpolate(small, size=x.shape[2:], mode="nearest")


@dataclass(frozen=True, slots=True)
class Obfuscator:
    """What a person is shown instead of a face.

    Attributes:
        summary: In words.
        apply: Obfuscates (N, 3, H, W) images with a strength.
        strength: When faces are protected.
        low: Least strength in training.
        high: Greatest strength in training.
        whole: Whether strengths are whole numbers.
    """

    summary: str
    apply: Callable[[Tensor, float], Tensor]
    strength: float
    low: float
    high: float
    whole: bool

    def __call__(self, x: Tensor) -> Tensor:
        """The obfuscated images, as faces are protected."""
        return self.apply(x, self.strength)

    def varied(self, x: Tensor, generator: Generator) -> Tensor:
        """The same with one random strength for the batch, as in training."""
        if self.whole:
            drawn = torch.randint(int(self.low), int(self.high) + 1, (), generator=generator)
            return self.apply(x, float(drawn))
        share = float(torch.rand((), generator=generator))
        return self.apply(x, self.low + (self.high - self.low) * share)


OBFUSCATORS: Mapping[str, Obfuscator] = MappingProxyType(
    {
        # Strengths of the authors' code; the paper names no others.
        "blur": Obfuscator("Gaussian blur, sigma 5 pixels", blur, 5, 2, 8, whole=False),
        "pixelate": Obfuscator("blocks of 7x7 pixels", pixelate, 7, 4, 10, whole=True),
    }
)
"""By the second part of the method's name."""
