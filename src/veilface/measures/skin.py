"""The tone of the skin of a face, as dermatology measures it.

Source:
    Chardon, Cretois and Hourseau, Skin colour typology and suntanning pathways, Int. J. Cosmetic
    Science 13, 1991: the individual typology angle. CIELAB is that of CIE 15, D65, from sRGB (IEC
    61966-2-1). In a photo the light counts as skin: the angle is that of the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor

CHEEKS = ((slice(66, 80), slice(30, 44)), (slice(66, 80), slice(68, 82)))
"""Rows and columns of the aligned face: below the eyes, beside the nose, above the mouth."""

_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE = (0.95047, 1.0, 1.08883)
_EDGE = 6 / 29


def to_lab(x: Tensor) -> Tensor:
    """CIELAB of sRGB.

    Args:
        x: (N, 3, ...) in [0, 1].

    Returns:
        (N, 3, ...) float64: L* in [0, 100], a*, b*. Oracle: skimage.color.rgb2lab.
    """
    rgb = x.double()
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    matrix = torch.tensor(_TO_XYZ, dtype=torch.float64)
    white = torch.tensor(_WHITE, dtype=torch.float64)
    ratio = torch.einsum("ij,nj...->ni...", matrix / white[:, None], linear)
    root = ratio.clamp_min(1e-12) ** (1 / 3)
    f = torch.where(ratio > _EDGE**3, root, ratio / (3 * _EDGE**2) + 4 / 29)
    return torch.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], dim=1
    )


def typology_angle(faces: Tensor) -> Tensor:
    """The individual typology angle arctan((L* - 50) / b*) of the cheeks.

    Args:
        faces: (N, 3, 112, 112) float RGB in [0, 1].

    Returns:
        (N,) degrees, of the medians over both cheeks: above 55 very light, below -30 dark skin.
        Where b* is negative, which skin is not, the angle goes on to 180 and -180.
    """
    lab = to_lab(torch.cat([faces[..., rows, columns] for rows, columns in CHEEKS], dim=3).cpu())
    middle = lab.flatten(2).median(dim=2).values
    return torch.rad2deg(torch.atan2(middle[:, 0] - 50, middle[:, 2]))
