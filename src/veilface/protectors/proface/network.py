"""The embedder of PRO-Face: two dense U-Nets that meet at the bottom and at every level above.

One sees the original, the other its obfuscated version; the sum of their outputs is an image that
looks like the second and that a recogniser takes for the first.

Source:
    Yuan et al., "PRO-Face", ACM Multimedia 2022, DOI 10.1145/3503161.3548202. 216,732 parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_FIRST = 16
_GROWTH = 4
_LAYERS = 3  # dense layers in a block
_BLOCKS = 3
_SIDES = (4, 2, 1)  # enlargement of the side output of each decoder level


class Embedder(nn.Module):
    """Maps an original and its obfuscated version to the protected image."""

    def __init__(self) -> None:
        super().__init__()
        self.original = _DenseUNet()
        self.obfuscated = _DenseUNet()

    def forward(self, original: Tensor, obfuscated: Tensor) -> Tensor:
        """Protected images, not yet clamped.

        Args:
            original: (N, 3, H, W) in [-1, 1], sides divisible by 8.
            obfuscated: The same shape.

        Returns:
            (N, 3, H, W), meant for [-1, 1].
        """
        nets = (self.original, self.obfuscated)
        skips, x = [], torch.zeros(())
        for net, image in zip(nets, (original, obfuscated), strict=True):
            own, bottom = net.encode(image)
            skips.append(own)
            x = x + bottom
        result = torch.zeros(())
        for level in range(_BLOCKS):
            decoded = [net.decode(level, x, own) for net, own in zip(nets, skips, strict=True)]
            for net, part in zip(nets, decoded, strict=True):
                result = result + net.side[level](part)
            x = decoded[0] + decoded[1]
        return result


class _DenseUNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, _FIRST, 3, padding=1, bias=False), *_active(_FIRST))
        blocks, shrinks, widths = [], [], [_FIRST]
        for _ in range(_BLOCKS):
            block = _Dense(widths[-1])
            widths.append(block.channels)
            blocks.append(block)
            shrinks.append(
                nn.Sequential(
                    *_active(block.channels),
                    nn.Conv2d(block.channels, block.channels, 1, bias=False),
                    nn.MaxPool2d(2),
                )
            )
        self.blocks, self.shrinks = nn.ModuleList(blocks), nn.ModuleList(shrinks)
        width = widths[-1]
        self.bottom = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), *_active(width)
        )
        grows, merges, sides = [], [], []
        for skip, factor in zip(widths[:0:-1], _SIDES, strict=True):
            half = width // 2
            grows.append(
                nn.Sequential(*_active(width), nn.ConvTranspose2d(width, half, 2, stride=2))
            )
            merge = _Dense(half + skip)
            width = merge.channels
            merges.append(merge)
            sides.append(
                nn.Sequential(
                    nn.Conv2d(width, 3, 3, padding=1, bias=False),
                    nn.LeakyReLU(),
                    nn.ConvTranspose2d(3, 3, factor, stride=factor),
                )
            )
        self.grows, self.merges = nn.ModuleList(grows), nn.ModuleList(merges)
        self.side = nn.ModuleList(sides)

    def encode(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """The outputs of the blocks, and the bottom."""
        x, kept = self.first(x), []
        for block, shrink in zip(self.blocks, self.shrinks, strict=True):
            kept.append(block(x))
            x = shrink(kept[-1])
        return kept, self.bottom(x)

    def decode(self, level: int, x: Tensor, kept: list[Tensor]) -> Tensor:
        """One level up, beside what this net has encoded there."""
        grown = self.grows[level](x)
        merged: Tensor = self.merges[level](torch.cat([grown, kept[-1 - level]], dim=1))
        return merged


class _Dense(nn.Module):
    """Three layers, each of which adds four channels to all before it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers = []
        for _ in range(_LAYERS):
            layers.append(
                nn.Sequential(
                    *_active(channels),
                    nn.Conv2d(channels, _FIRST, 1, bias=False),
                    *_active(_FIRST),
                    nn.Conv2d(_FIRST, _GROWTH, 3, padding=1, bias=False),
                    nn.Dropout(0.25),
                )
            )
            channels += _GROWTH
        self.layers = nn.ModuleList(layers)
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


def _active(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.LeakyReLU()
