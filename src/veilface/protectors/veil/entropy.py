"""Entropy of an image's histogram, with a gradient (Eq. 8)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def soft_histogram(x: Tensor, *, bins: int) -> Tensor:
    """Histogram in which each value is shared linearly between its two nearest bin centres.

    A hard histogram has no gradient, so an entropy built on it would be silently dead.

    Args:
        x: (N, ...) values in [0, 1].
        bins: Number of bin centres, spread evenly from 0 to 1.

    Returns:
        (N, bins) non-negative, each row summing to 1.
    """
    values = x.flatten(1) * (bins - 1)
    lower = values.detach().floor().clamp(0, bins - 2)
    upper_share = values - lower
    index = lower.long()
    histogram = torch.zeros(x.shape[0], bins, dtype=x.dtype, device=x.device)
    histogram = histogram.scatter_add(1, index, 1 - upper_share)
    histogram = histogram.scatter_add(1, index + 1, upper_share)
    return histogram / values.shape[1]


def image_entropy(x: Tensor, *, bins: int = 64) -> Tensor:
    """H(X) = -Σ p log p over the soft histogram of all channels, as a share of its maximum.

    Args:
        x: (N, C, H, W) in [0, 1].
        bins: Number of bin centres.

    Returns:
        (N,) in [0, 1]; 1 for a flat histogram.

    Source:
        Paper Sec. 3.4, Eq. 8; the soft assignment and the division by log(bins) are ours.
    """
    p = soft_histogram(x, bins=bins)
    information: Tensor = -torch.special.xlogy(p, p.clamp_min(1e-12)).sum(dim=1)
    return information / math.log(bins)
