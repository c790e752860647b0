"""Image similarity, in one stated variant each."""

from __future__ import annotations

from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity of each pair, ssim[gauss11,rgb,range1].

    Args:
        x: (N, 3, H, W) float RGB in [0, 1].
        y: The same shape.

    Returns:
        (N,) in [-1, 1]; Gaussian window of 11 pixels with σ 1.5, mean over channels.
    """
    value = structural_similarity_index_measure(
        x, y, gaussian_kernel=True, sigma=1.5, kernel_size=11, reduction="none", data_range=1.0
    )
    assert isinstance(value, Tensor)  # noqa: S101 - the full image is not asked for
    return value.reshape(-1)


def psnr(x: Tensor, y: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each pair in dB, never pooled over a batch.

    Args:
        x: (N, 3, H, W) float RGB in [0, 1].
        y: The same shape.

    Returns:
        (N,) in dB; infinite for equal images.
    """
    return peak_signal_noise_ratio(x, y, data_range=1.0, reduction="none", dim=(1, 2, 3))
