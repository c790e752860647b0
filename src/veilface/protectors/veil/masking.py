"""Where a change is hidden by what is there already: ε by the contrast around a pixel.

The eye misses a stroke in hair, a beard or beside the edge of an eye that it would see on a cheek
(contrast masking: Legge and Foley 1980, DOI 10.1364/JOSA.70.001458). A budget that follows it keeps
smooth skin clean and gives more where recognisers look anyway.
"""

from __future__ import annotations

from torch import Tensor

from veilface.imaging.filters import gaussian_blur, luma

SCALE = 2.0  # σ in pixels, both of what counts as contrast and of how far around it masks
COMMON = 0.02  # contrast at which ε is the radius: that of a tenth of a portrait is higher
MOST = 3.0  # times the radius, in the strongest contrast


def masked_radius(start: Tensor, *, radius: float, masking: float) -> Tensor:
    """ε for every pixel.

    Args:
        start: X_0, (N, 3, H, W) in [0, 1].
        radius: ε at the common contrast, in units of the range.
        masking: Share of ε that follows the contrast, in [0, 1]; 0 is ``radius`` everywhere.

    Returns:
        (N, 1, H, W), in [(1 - masking) radius, (1 + 2 masking) radius].
    """
    y = luma(start)
    contrast = gaussian_blur((y - gaussian_blur(y, sigma=SCALE)).abs(), sigma=SCALE)
    return radius * (1 - masking + masking * (contrast / COMMON).clamp_max(MOST))
