"""The block DCT of an enlarged image, and its inverse, as two matrices.

Enlarging, cosine transform and shrinking are linear and separable, so that each way is one product
from the left and one from the right: ``F = A Y Aᵀ`` and ``Y ≈ B F Bᵀ``. With S = 112 and R = 8::

    A = P (I ⊗ C) U      (896, 112)      U  bilinear enlargement by R, corners aligned
    B = D (I ⊗ Cᵀ) Pᵀ    (112, 896)      D  bilinear shrinking by R, corners aligned
                                         C  orthonormal DCT-II of 8 values
                                         P  sorts by frequency, then by block
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 8
"""Side of a block; images are enlarged as much, so that there is a block for each pixel."""


@cache
def analysis(side: int) -> Tensor:
    """A: (8 side, side) float64; row ``side u + b`` is frequency u of block b."""
    return _by_frequency(side) @ _resampling(side, BLOCK * side)


@cache
def synthesis(side: int) -> Tensor:
    """B: (side, 8 side) float64, from coefficients to the shrunk image."""
    return _resampling(BLOCK * side, side) @ _by_frequency(side).T


def frequency_rows(side: int, u: int) -> Tensor:
    """A_u: (side, side) float64, the rows of A for one frequency.

    Channel ``8u + v`` of a plane Y is ``A_u Y A_vᵀ``: what an attacker inverts.
    """
    return analysis(side)[u * side : (u + 1) * side]


def _by_frequency(side: int) -> Tensor:
    """P (I ⊗ C): (8 side, 8 side), orthonormal."""
    blocks = torch.kron(torch.eye(side, dtype=torch.float64), _cosines())
    return blocks.view(side, BLOCK, -1).transpose(0, 1).reshape(BLOCK * side, -1)


def _cosines() -> Tensor:
    """C: row k holds the cosine of frequency k at 8 places, of unit length."""
    at = torch.arange(BLOCK, dtype=torch.float64)
    waves = torch.cos(math.pi / BLOCK * (at[None] + 0.5) * at[:, None])
    return waves / waves.square().sum(dim=1, keepdim=True).sqrt()


def _resampling(size: int, wanted: int) -> Tensor:
    """(wanted, size): what linear interpolation does to each unit vector."""
    units = torch.eye(size, dtype=torch.float64)[None]
    return F.interpolate(units, size=wanted, mode="linear", align_corners=True)[0].T
