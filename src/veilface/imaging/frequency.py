"""High-pass filter in the Fourier domain: the fine local structures of a face (Eq. 1-3)."""

from __future__ import annotations

import torch
from torch import Tensor


def radial_frequency(height: int, width: int, *, device: torch.device | str = "cpu") -> Tensor:
    """Distance of every `rfft2` bin from zero frequency.

    Returns:
        (height, width // 2 + 1) float, in cycles per image: sqrt(u² + v²) with signed integers
        u, v (Eq. 2).
    """
    v = torch.fft.fftfreq(height, d=1.0 / height, device=device)
    u = torch.fft.rfftfreq(width, d=1.0 / width, device=device)
    return torch.hypot(v[:, None], u[None, :])


def high_pass(x: Tensor, *, cutoff: float) -> Tensor:
    """Remove every component of up to ``cutoff`` cycles per image.

    Args:
        x: (N, C, H, W) float images.
        cutoff: ω_C in cycles per image; the components with sqrt(u² + v²) > ω_C stay.

    Returns:
        (N, C, H, W) real, of zero mean for every ``cutoff`` >= 0.

    Source:
        Paper Sec. 3.2, Eq. 1-3. u and v are read as signed integer frequencies.
    """
    height, width = x.shape[-2:]
    keep = radial_frequency(height, width, device=x.device) > cutoff
    spectrum = torch.fft.rfft2(x)
    fine: Tensor = torch.fft.irfft2(spectrum * keep, s=(height, width))
    return fine
