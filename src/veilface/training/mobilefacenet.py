"""MobileFaceNet to be trained, for any number of channels, and the maps of its stages.

Source:
    Chen et al., MobileFaceNets, CCBR 2018, Table 1; TFace, the client of DuetFace.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from veilface.core.template import SIDE
from veilface.training.ir18 import DIM
from veilface.training.unet import scaled

_STAGES = ((64, 128, 4), (128, 256, 6), (128, 512, 2))
"""Channels, expanded channels of the unit that halves the side, residual units after it."""
_RESIDUAL = 2  # expanded channels of a residual unit, in multiples of its own
_LAST = 512


class MobileFaceNet(nn.Module):
    """Maps (N, channels, 112, 112) to unit embeddings (N, 512), and to the maps on the way.

    Args:
        channels: Of the representation.
        width: Multiplies the channels of every layer.

    Attributes:
        widths: Channels of the four maps.
    """

    def __init__(self, channels: int, *, width: float = 1.0) -> None:
        super().__init__()
        stem, last = scaled(_STAGES[0][0], width), scaled(_LAST, width)
        self.first = nn.Sequential(
            *_layer(channels, stem, 3, stride=2), *_layer(stem, stem, 3, groups=stem)
        )
        self.downs, self.units = nn.ModuleList(), nn.ModuleList()
        before = stem
        for wide, expanded, count in _STAGES:
            after = scaled(wide, width)
            self.downs.append(_Unit(before, scaled(expanded, width), after, stride=2))
            residual = [_Unit(after, _RESIDUAL * after, after, stride=1) for _ in range(count)]
            self.units.append(nn.Sequential(*residual))
            before = after
        self.widths = (*(scaled(wide, width) for wide, _, _ in _STAGES), last)
        self.wide = nn.Sequential(*_layer(before, last, 1))
        self.last = nn.Sequential(
            nn.Conv2d(last, last, SIDE // 16, groups=last, bias=False),
            nn.BatchNorm2d(last),
            nn.Flatten(),
            nn.Linear(last, DIM),
            nn.BatchNorm1d(DIM),
        )

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        """(N, C, S, S) with S = 28, 14, 7, 7: what halves the side each time, and the last 1x1."""
        found = []
        x = self.first(x)
        for down, units in zip(self.downs, self.units, strict=True):
            x = down(x)
            found.append(x)
            x = units(x)
        return (*found, self.wide(x))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, 112, 112) to (N, 512) unit vectors."""
        return F.normalize(self.last(self.maps(x)[-1]), dim=1)


class _Unit(nn.Module):
    """Expand, filter each channel, project without activation; added to its input at stride 1."""

    def __init__(self, before: int, middle: int, after: int, *, stride: int) -> None:
        super().__init__()
        self.residual = stride == 1
        self.body = nn.Sequential(
            *_layer(before, middle, 1),
            *_layer(middle, middle, 3, stride=stride, groups=middle),
            nn.Conv2d(middle, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x)
        return x + result if self.residual else result


def _layer(
    before: int, after: int, side: int, *, stride: int = 1, groups: int = 1
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(
        before, after, side, stride=stride, padding=side // 2, groups=groups, bias=False
    )
    return convolution, nn.BatchNorm2d(after), nn.PReLU(after)
