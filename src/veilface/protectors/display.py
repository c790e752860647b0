"""The protected image of a method that does not send one: one rule for every table.

The picture of what is transmitted has a standard deviation of a fourth of a grey level for
DuetFace: unstretched it is a grey card in every measure. So both rules stand in the tables.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from veilface.protectors.base import quantise

Stretch = Literal["none", "minmax"]

FLAT = 1e-6
"""A range of a picture below which there is nothing to stretch."""


def to_image(picture: Tensor, *, stretch: Stretch) -> tuple[Tensor, Tensor]:
    """What a holder would look at, and store in a file.

    Args:
        picture: (N, 3, H, W) float, before any clamping; its own image, or the inverse transform
            of what is transmitted with zeros for what is not.
        stretch: ``none`` clamps to [0, 1]; ``minmax`` maps the least and the greatest of an
            image's values, all channels together, to 0 and 1, which keeps ratios of colours.

    Returns:
        (N, 3, H, W) in [0, 1], rounded to 8 bits, and (N,) bool: whether the picture was flat.
        A flat picture is stretched to mid-grey.
    """
    least, greatest = picture.amin(dim=(1, 2, 3)), picture.amax(dim=(1, 2, 3))
    flat = greatest - least < FLAT
    if stretch == "minmax":
        low, span = least[:, None, None, None], (greatest - least)[:, None, None, None]
        grey = flat[:, None, None, None]
        picture = ((picture - low) / span.clamp_min(FLAT)).masked_fill(grey, 0.5)
    return quantise(picture), flat
