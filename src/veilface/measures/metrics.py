"""Image similarity, in one stated variant each."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from veilface.measures.intervals import Estimate, mean_over_people


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


def stranger_level(x: Tensor, strangers: Tensor, *, seed: int = 0) -> Mapping[str, Estimate]:
    """SSIM and PSNR between photos of different people: the level to read an X' against.

    Args:
        x: (N, 3, H, W) photos, one a person, float RGB in [0, 1].
        strangers: The same shape; photo i shows somebody else than ``x`` i, as ``x.roll(1, 0)``.
        seed: Of the bootstrap over people.

    Returns:
        ``ssim`` and ``psnr`` (dB), means over pairs.
    """
    return {
        "ssim": mean_over_people(ssim(x, strangers), seed=seed),
        "psnr": mean_over_people(psnr(x, strangers), seed=seed),
    }
