"""Between uint8 pixel arrays and float image tensors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from veilface.errors import ShapeError

_SLACK = 1e-3
"""How far a value may lie outside [0, 1] by rounding before it counts as a mistake."""


def to_tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """8-bit RGB pixels as a float image.

    Args:
        pixels: (H, W, 3) or (N, H, W, 3) uint8.

    Returns:
        (3, H, W) or (N, 3, H, W) float32 in [0, 1].

    Raises:
        ShapeError: Another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or pixels.shape[-1] != 3:
        raise ShapeError(
            f"pixels must be (H, W, 3) or (N, H, W, 3) uint8, got {pixels.shape} of {pixels.dtype}"
        )
    # A copy: a tensor over a read-only array would be undefined behaviour when written to.
    planes = torch.from_numpy(np.array(pixels, copy=True)).movedim(-1, -3)
    return planes.to(torch.float32).div_(255).contiguous()


def to_uint8(images: Tensor) -> npt.NDArray[np.uint8]:
    """A float image as 8-bit RGB pixels, rounded half to even.

    Args:
        images: (3, H, W) or (N, 3, H, W) float in [0, 1], on any device.

    Returns:
        (H, W, 3) or (N, H, W, 3) uint8; inverse of `to_tensor`.

    Raises:
        ShapeError: Another shape, or values that are not finite or outside [0, 1].
    """
    if images.ndim not in (3, 4) or images.shape[-3] != 3 or not images.is_floating_point():
        raise ShapeError(
            f"images must be (3, H, W) or (N, 3, H, W) float, "
            f"got {tuple(images.shape)} of {images.dtype}"
        )
    values = (
        images.detach().cpu().to(torch.float64 if images.dtype == torch.float64 else torch.float32)
    )
    # Written so that NaN fails as well.
    if not bool(((values >= -_SLACK) & (values <= 1 + _SLACK)).all()):
        raise ShapeError("images must be finite and in [0, 1]")
    levels = (values.clamp(0, 1) * 255).round().to(torch.uint8)
    pixels: npt.NDArray[np.uint8] = levels.movedim(-3, -1).contiguous().numpy()
    return pixels
