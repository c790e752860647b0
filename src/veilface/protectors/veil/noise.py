"""Multi-scale gradient noise that modulates the steps of the optimiser (Eq. 5-6)."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from veilface.core.randomness import Draws
from veilface.core.template import SIDE


@lru_cache(maxsize=32)
def _lattice(side: int, wavelength: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """What the lattice points weigh in the pixels along one axis.

    They are kept on the device: a copy in every step would wait for it.

    Returns:
        (side, points) each: the smooth fade of the two points around a pixel, and that fade times
        the pixel's offset from the point.
    """
    at = (torch.arange(side, dtype=torch.float32) + 0.5) / wavelength
    cell = at.floor()
    part = at - cell
    later = part**3 * (part * (part * 6 - 15) + 10)
    rows, left = torch.arange(side), cell.long()
    fade = torch.zeros(side, int(cell[-1]) + 2)
    fade[rows, left], fade[rows, left + 1] = 1 - later, later
    slope = fade.clone()
    slope[rows, left] *= part
    slope[rows, left + 1] *= part - 1
    return fade.to(device), slope.to(device)


def gradient_noise(draws: Draws, *, side: int, wavelength: float) -> Tensor:
    """One level: N(x, y, σ) = Σ h(i, j, σ) · φ(x - i, y - j) (Eq. 5).

    φ is a product of one function of x and one of y, so that the sum over all lattice points is
    two products of matrices.

    Args:
        draws: Random streams, one an image; they play the part of the temporal seed σ.
        side: Side of the square field in pixels.
        wavelength: Distance of the lattice points in pixels.

    Returns:
        (N, side, side), zero at the lattice points, within ±0.71.
    """
    fade, slope = _lattice(side, wavelength, draws.device)
    points = fade.shape[1]
    angle = draws.uniform(points * points, high=2 * math.pi).view(-1, points, points)
    return fade @ angle.cos() @ slope.T + slope @ angle.sin() @ fade.T


def multi_scale_noise(
    draws: Draws,
    *,
    side: int = SIDE,
    wavelength: float = 28.0,
    octaves: int = 4,
    persistence: float = 0.5,
    lacunarity: float = 2.0,
) -> Tensor:
    """N'(x, y, σ) = Σ ε^k N(τ^k x/λ, τ^k y/λ, σ) (Eq. 6).

    Args:
        draws: Random streams, one an image.
        side: Side of the square field in pixels.
        wavelength: λ in pixels.
        octaves: Number of levels, n + 1.
        persistence: ε, the weight ratio of one level to the next coarser one.
        lacunarity: τ, the frequency ratio.

    Returns:
        (N, side, side), of about zero mean.
    """
    levels = (
        persistence**k * gradient_noise(draws, side=side, wavelength=wavelength / lacunarity**k)
        for k in range(octaves)
    )
    return torch.stack(list(levels)).sum(dim=0)


def positive_field(noise: Tensor, *, amplitude: float = 0.5) -> Tensor:
    """Shift and scale noise so that it can multiply a step without turning it round.

    Half of the values of Eq. 6 are negative; as a factor in Eq. 9 they would let half of the
    pixels descend the objective.

    Args:
        noise: (N, H, W) of any scale.
        amplitude: Largest deviation from 1, in (0, 1).

    Returns:
        (N, 1, H, W) in [1 - amplitude, 1 + amplitude] with mean 1 for each image.
    """
    centred = noise - noise.mean(dim=(1, 2), keepdim=True)
    peak = centred.abs().amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    return (1 + amplitude * centred / peak)[:, None]
