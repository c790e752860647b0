"""YCbCr of JPEG files (full range, ITU-R BT.601), centred: 8-bit levels minus 128."""

from __future__ import annotations

import torch
from torch import Tensor

_FORWARD = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
_BACKWARD = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def to_centred_ycbcr(x: Tensor) -> Tensor:
    """Luma minus 128 and the two chroma planes.

    Args:
        x: (N, 3, H, W) float RGB in [0, 1].

    Returns:
        (N, 3, H, W) in [-128, 127.5]; grey has a chroma of zero.

    Source:
        JFIF 1.02, p. 3 (ITU-T T.871).
    """
    planes = _mixed(255 * x, _FORWARD)
    return torch.cat([planes[:, :1] - 128, planes[:, 1:]], dim=1)


def from_centred_ycbcr(planes: Tensor) -> Tensor:
    """Inverse of `to_centred_ycbcr`, up to the six digits of the standard; not clamped.

    Zeros become 128/255, mid-grey: the inverse is affine, not linear.
    """
    return _mixed(torch.cat([planes[:, :1] + 128, planes[:, 1:]], dim=1), _BACKWARD) / 255


def _mixed(x: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    return torch.einsum("ck,nkhw->nchw", x.new_tensor(matrix), x)
