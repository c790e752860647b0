"""Cheats that an attacker who learns must find out: weak protection that looks strong.

A table of failed attacks says something only when the same attacker, with as many pairs and as
many steps, recovers from both of these. `LIMIT` is where that counts as done. One is linear, and is
undone by least squares before anything is learnt; the other is not, and has to be learnt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from veilface.core.template import SIDE
from veilface.protectors.base import check_faces, quantise
from veilface.types import Protected

LIMIT = 0.9
"""Mean SSIM of what is recovered of each, below which an attack that fails says nothing."""


@dataclass(frozen=True, slots=True)
class AddedPattern:
    """The same stripes over every photo.

    Attributes:
        share: Of the photo in the mean of both.
    """

    share: float = 0.5
    name: str = "planted"

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`."""
        check_faces(x)
        return Protected(quantise(self.share * x + (1 - self.share) * pattern().to(x)), {})


@dataclass(frozen=True, slots=True)
class FoldedPattern:
    """The negative of every photo under the same stripes, at half the contrast.

    No convolution undoes it: what is bright has to be told from what was dark by where it lies.
    """

    name: str = "folded"

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`."""
        check_faces(x)
        stripes = pattern().to(x)
        folded = torch.where(stripes > 0.5, x, 1 - x)
        return Protected(quantise(0.5 * folded + 0.25 * (1 - stripes)), {})


def pattern() -> Tensor:
    """(3, 112, 112) coloured stripes in [0, 1], of 4 to 6 pixels in three directions."""
    at = torch.arange(SIDE, dtype=torch.float32)
    down, right = torch.meshgrid(at, at, indexing="ij")
    waves = [
        torch.sin(2 * math.pi * (down * dy + right * dx) / period)
        for dy, dx, period in ((1.0, 0.0, 4.0), (0.0, 1.0, 5.0), (0.7, 0.7, 6.0))
    ]
    return 0.5 + 0.5 * torch.stack(waves)


CHEATS = (AddedPattern(), FoldedPattern())
