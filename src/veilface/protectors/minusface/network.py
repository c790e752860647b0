"""MinusFace's generator: what it regenerates of the coefficients is taken away from them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from veilface.protectors.dct.front_end import CHANNELS, encode
from veilface.training.unet import UNet

STEP = 255.0
"""Coefficients in one unit of the U-Net's output: what a contrast of 1/8 has as DC."""

_LEAST = 0.05  # scale below which a channel holds rounding errors only


class Generator(nn.Module):
    """Maps the 192 coefficients of a face to others that look like the same face.

    The U-Net says what is added, in units of `STEP`, so that an untrained one regenerates nearly
    everything; the authors' says everything, and has to learn that first.

    Args:
        width: Multiplies the channels of the U-Net; 1 has the authors' 34,634,624 parameters.

    Source:
        MinusFace (CVPR 2024), Sec. 3.2, and its code.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        self.unet = UNet(CHANNELS, CHANNELS, width=width)
        self.register_buffer("mean", torch.zeros(1, CHANNELS, 1, 1))
        self.register_buffer("scale", torch.ones(1, CHANNELS, 1, 1))

    def measure(self, faces: Tensor) -> None:
        """Take the scale of each channel from (N, 3, 112, 112) faces in [0, 1]."""
        channels = encode(faces)
        self.mean.copy_(channels.mean(dim=(0, 2, 3), keepdim=True))
        self.scale.copy_(channels.std(dim=(0, 2, 3), keepdim=True).clamp_min(_LEAST))

    def forward(self, channels: Tensor) -> Tensor:
        """(N, 192, 112, 112) to the same shape."""
        added: Tensor = self.unet((channels - self.mean) / self.scale)
        return channels + STEP * added
