"""The U-Net that MinusFace generates with and that reconstruction attacks are made of."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.errors import ShapeError

LEVELS = (64, 128, 256, 512, 1024)

_QUIET = 0.3  # of the scale, for what comes from below


class UNet(nn.Module):
    """Five levels of two 3x3 convolutions with ReLU, no normalisation, skips by concatenation.

    Args:
        inputs: Channels in.
        outputs: Channels out; no activation follows.
        width: Multiplies the channels of every level.

    Source:
        MinusFace (CVPR 2024), code: 34,634,624 parameters at 192 channels in and out.
    """

    def __init__(self, inputs: int, outputs: int, *, width: float = 1.0) -> None:
        super().__init__()
        levels = [scaled(channels, width) for channels in LEVELS]
        self.down = nn.ModuleList(
            _double(before, after)
            for before, after in zip([inputs, *levels[:-1]], levels, strict=True)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(below, above, 3, stride=2, padding=1, output_padding=1)
            for below, above in zip(levels[:0:-1], levels[-2::-1], strict=True)
        )
        self.merge = nn.ModuleList(_double(2 * channels, channels) for channels in levels[-2::-1])
        self.head = nn.Conv2d(levels[0], outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W).

        Raises:
            ShapeError: A side is not divisible by 16.
        """
        if x.shape[-1] % 16 or x.shape[-2] % 16:
            raise ShapeError(f"a U-Net of five levels needs sides divisible by 16, not {x.shape}")
        skips: list[Tensor] = []
        for level in self.down:
            x = level(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, skips[-2::-1], strict=True):
            x = merge(torch.cat([skip, up(x)], dim=1))
        result: Tensor = self.head(x)
        return result


@torch.no_grad()
def keep_scale(network: nn.Module) -> None:
    """First weights with which values keep their scale through convolutions and ReLUs.

    With PyTorch's own a sixth of a signal's power is left after each layer, and deep ones learn
    nothing for hundreds of steps. What comes from a lower level of a U-Net starts quieter, so that
    the network begins with what is near.

    Source:
        He et al., Delving deep into rectifiers, ICCV 2015, Eq. 10.
    """
    for module in network.modules():
        if isinstance(module, nn.ConvTranspose2d):
            # At stride 2 a pixel is the sum of a quarter of the taps, on average.
            taps = module.in_channels * module.weight[0, 0].numel() / 4
            module.weight.normal_(std=_QUIET * taps**-0.5)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        else:
            continue
        assert module.bias is not None  # noqa: S101
        module.bias.zero_()


def scaled(channels: int, width: float) -> int:
    """Channels under a width multiplier, at least 4."""
    return max(4, round(channels * width))


def _double(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, 3, padding=1),
        nn.ReLU(inplace=True),
    )
