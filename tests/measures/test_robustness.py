from __future__ import annotations

import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from veilface.imaging.filters import gaussian_blur
from veilface.measures.metrics import psnr
from veilface.measures.robustness import DISTURBANCES, blurred, half_size, jpeg, mirrored, noisy
from veilface.protectors.base import quantise


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    rough = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(3))
    return quantise(0.2 + 0.6 * gaussian_blur(rough, sigma=2.0))


@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_disturbance_changes_an_8_bit_image_and_keeps_it_one(
    name: str, pictures: Tensor
) -> None:
    before = pictures.clone()
    after = DISTURBANCES[name](pictures)
    assert after.shape == pictures.shape
    assert after.dtype == pictures.dtype
    torch.testing.assert_close(after, quantise(after))
    assert bool((after != pictures).any())
    assert torch.equal(pictures, before)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_an_image_alone_is_disturbed_as_in_a_batch(name: str, pictures: Tensor) -> None:
    alone = DISTURBANCES[name](pictures[:1])
    torch.testing.assert_close(DISTURBANCES[name](pictures)[:1], alone)


def test_coarser_jpeg_loses_more(pictures: Tensor) -> None:
    worse = psnr(pictures, jpeg(pictures, quality=30, subsampling="4:2:0"))
    better = psnr(pictures, jpeg(pictures, quality=95, subsampling="4:4:4"))
    assert bool((better > worse + 3).all())


def test_chroma_subsampling_loses_colour() -> None:
    stripes = torch.zeros(1, 3, 112, 112)
    stripes[:, 0, :, ::2] = 0.8
    stripes[:, 2, :, 1::2] = 0.8
    full = jpeg(stripes, quality=75, subsampling="4:4:4")
    half = jpeg(stripes, quality=75, subsampling="4:2:0")
    assert float(psnr(stripes, full)) > float(psnr(stripes, half)) + 3


def test_the_blur_is_that_of_scipy(pictures: Tensor) -> None:
    expected = gaussian_filter(pictures[0, 0].numpy(), 1.0, mode="mirror", truncate=3.0)
    assert abs(blurred(pictures, sigma=1.0)[0, 0] - torch.from_numpy(expected)).max() < 0.6 / 255


def test_noise_has_the_stated_spread_and_repeats(pictures: Tensor) -> None:
    spread = (noisy(pictures, sigma=0.05) - pictures).std()
    assert float(spread) == pytest.approx(0.05, rel=0.05)
    assert torch.equal(noisy(pictures, sigma=0.05), noisy(pictures, sigma=0.05))


def test_half_size_keeps_what_is_coarse_and_drops_what_is_fine() -> None:
    rows = torch.arange(112.0)
    for period, kept in ((16, True), (2, False)):
        wave = 0.5 + 0.4 * torch.cos(2 * torch.pi * rows / period)
        image = quantise(wave.expand(1, 3, 112, 112).contiguous())
        change = float((half_size(image) - image).abs().mean())
        assert (change < 0.02) is kept


def test_mirrored_twice_is_the_image(pictures: Tensor) -> None:
    assert torch.equal(mirrored(mirrored(pictures)), pictures)
