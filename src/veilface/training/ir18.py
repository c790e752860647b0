"""IR-18, the recogniser that the frequency methods are published with, for any number of channels.

Source:
    TFace, the backbone of DuetFace, PartialFace and MinusFace: two improved residual units in each
    of four stages, of which the first of every stage halves the side.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.core.template import SIDE
from veilface.training.unet import scaled

STAGES = (64, 128, 256, 512)
_UNITS = 2  # in a stage
DIM = 512


class Ir18(nn.Module):
    """Maps (N, channels, 112, 112) to unit embeddings (N, 512).

    The first layer is what fits it to a representation: 3x3 convolution, batch norm, PReLU. Values
    come raw, the batch norm absorbs their scale.

    Args:
        channels: Of the representation.
        width: Multiplies the channels of every stage.
    """

    def __init__(self, channels: int, *, width: float = 1.0) -> None:
        super().__init__()
        widths = [scaled(wide, width) for wide in STAGES]
        first = widths[0]
        self.first = nn.Sequential(
            nn.Conv2d(channels, first, 3, padding=1, bias=False),
            nn.BatchNorm2d(first),
            nn.PReLU(first),
        )
        units: list[nn.Module] = []
        for before, after in zip([first, *widths[:-1]], widths, strict=True):
            units += [_Unit(before, after, stride=2)]
            units += [_Unit(after, after, stride=1) for _ in range(_UNITS - 1)]
        self.units = nn.Sequential(*units)
        flat = widths[-1] * (SIDE // 2 ** len(STAGES)) ** 2
        self.last = nn.Sequential(
            nn.BatchNorm2d(widths[-1]),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(flat, DIM),
            nn.BatchNorm1d(DIM, affine=False),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def stages(self) -> Iterator[nn.Sequential]:
        """The units of each stage."""
        for start in range(0, len(self.units), _UNITS):
            yield nn.Sequential(*list(self.units)[start : start + _UNITS])

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, 112, 112) to (N, 512) unit vectors."""
        return F.normalize(self.last(self.units(self.first(x))), dim=1)


class _Unit(nn.Module):
    def __init__(self, before: int, after: int, *, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.PReLU(after),
            nn.Conv2d(after, after, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut: nn.Module = (
            nn.MaxPool2d(1, stride)
            if before == after
            else nn.Sequential(
                nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x) + self.shortcut(x)
        return result


class ArcFace(nn.Module):
    """Cross-entropy with an angular margin between an embedding and its person's direction.

    Args:
        people: Number of classes.
        dim: Of the embeddings.

    Source:
        Deng et al., ArcFace, CVPR 2019, with s = 64 and m = 0.5.
    """

    SCALE = 64.0
    MARGIN = 0.5

    def __init__(self, people: int, *, dim: int = DIM) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.empty(people, dim).normal_(std=0.01))

    def forward(self, embeddings: Tensor, people: Tensor) -> Tensor:
        """Mean loss of (N, D) unit embeddings of (N,) people."""
        cosines = embeddings @ F.normalize(self.directions, dim=1).T
        own = cosines.gather(1, people[:, None])
        # The root has an infinite slope at 1, where an embedding lies on its direction.
        sine = (1 - own.square()).clamp_min(1e-6).sqrt()
        margin = torch.tensor(self.MARGIN)
        turned = own * margin.cos() - sine * margin.sin()
        # Past pi - m the cosine would rise again; there the margin is taken off linearly.
        far = own <= -margin.cos()
        turned = torch.where(far, own - self.MARGIN * margin.sin(), turned)
        logits = self.SCALE * cosines.scatter(1, people[:, None], turned)
        return F.cross_entropy(logits, people)
