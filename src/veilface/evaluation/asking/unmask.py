"""What somebody with an image editor sees of X': its fine half alone, stretched to grey."""

from __future__ import annotations

from torch import Tensor

from veilface.imaging.filters import luma
from veilface.imaging.frequency import high_pass
from veilface.protectors.base import quantise

CUTOFF = 10.0
"""Cycles per image: below the change that a stranger hides, above what makes up the stranger."""

_SHOWN = 0.99  # share of the pixels within the range; an editor's "auto contrast" clips the rest


def unmask(images: Tensor) -> Tensor:
    """High-pass the luma and stretch it around mid-grey.

    Args:
        images: (N, 3, 112, 112) in [0, 1].

    Returns:
        (N, 3, 112, 112) grey, rounded to 8 bits; an image without fine structure is mid-grey.
    """
    fine = high_pass(luma(images), cutoff=CUTOFF)
    reach = fine.abs().flatten(1).quantile(_SHOWN, dim=1).clamp_min(1 / 255)
    return quantise((0.5 + fine / (2 * reach.view(-1, 1, 1, 1))).expand(-1, 3, -1, -1))
