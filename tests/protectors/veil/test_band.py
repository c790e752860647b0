"""The fine band: what it removes, and that X' is its start below the cut-off."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.imaging.frequency import high_pass, radial_frequency
from veilface.protectors.base import quantise
from veilface.protectors.veil.band import FineBand


def images(count: int, side: int = 112, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def coarse(x: Tensor, cutoff: float) -> Tensor:
    return x - high_pass(x, cutoff=cutoff)


@pytest.mark.parametrize("cutoff", [0.0, 3.0, 8.5, 14.0, 40.0, 56.0])
@pytest.mark.parametrize("side", [112, 111])
def test_hard_edge_is_the_transform_of_the_paper(cutoff: float, side: int) -> None:
    x = images(2, side)
    band = FineBand(cutoff=cutoff, edge=0.0, side=side)
    torch.testing.assert_close(band(x), high_pass(x, cutoff=cutoff), atol=2e-6, rtol=0)


def test_soft_edge_rises_as_a_raised_cosine() -> None:
    x = images(1)
    band = FineBand(cutoff=10.0, edge=4.0, side=112)
    gain = torch.fft.rfft2(band(x)).abs() / torch.fft.rfft2(x).abs()
    radius = radial_frequency(112, 112)
    expected = (1 - torch.cos(torch.pi * ((radius - 10) / 4).clamp(0, 1))) / 2
    torch.testing.assert_close(gain, expected.expand_as(gain), atol=1e-3, rtol=0)


def test_linear_symmetric_and_differentiable() -> None:
    band = FineBand(cutoff=9.0, edge=3.0, side=32)
    x, y = images(2, 32, seed=1).double().chunk(2)
    torch.testing.assert_close((band(x) * y).sum(), (x * band(y)).sum())
    torch.testing.assert_close(band(2 * x - y), 2 * band(x) - band(y))
    small = FineBand(cutoff=2.0, edge=1.0, side=8)
    point = images(1, 8).double().requires_grad_(True)
    assert torch.autograd.gradcheck(small, point)


@settings(max_examples=25, deadline=None)
@given(
    cutoff=st.floats(1, 40),
    edge=st.sampled_from([0.0, 2.0]),
    radius=st.floats(0.01, 0.3),
    dark=st.floats(0, 1),
    seed=st.integers(0, 999),
)
def test_below_the_cutoff_an_image_is_its_start(
    cutoff: float, edge: float, radius: float, dark: float, seed: int
) -> None:
    """To one grey level, also where the start is black."""
    start = (synthetic_faces(2, seed=seed) - dark / 2).clamp(0, 1)
    band = FineBand(cutoff=cutoff, edge=edge, side=112)
    moved = start + band(radius * (2 * images(2, seed=seed) - 1))
    settled = band.settle(moved, start)
    assert 0 <= float(settled.min()) <= float(settled.max()) <= 1
    assert float(coarse(quantise(settled) - start, cutoff).abs().max()) <= 1 / 255
