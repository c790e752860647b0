"""Filters of purification against references, and the other bystanders."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage

from veilface.attacks.purification import median


def test_the_median_is_that_of_scipy() -> None:
    x = torch.rand(2, 3, 17, 13, generator=torch.Generator().manual_seed(0))
    wanted = ndimage.median_filter(x.numpy(), size=(1, 1, 3, 3), mode="mirror")
    assert np.array_equal(median(x, side=3).numpy(), wanted)


def test_the_median_takes_single_pixels_out() -> None:
    x = torch.full((1, 3, 20, 20), 0.5)
    x[0, :, 7, 9] = 1.0
    assert torch.equal(median(x, side=3), torch.full_like(x, 0.5))
