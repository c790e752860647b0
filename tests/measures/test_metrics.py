"""SSIM and PSNR against scikit-image in the stated variant."""

from __future__ import annotations

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tests.fixtures.faces import synthetic_faces
from veilface.measures.metrics import psnr, ssim, stranger_level


def test_metrics_equal_scikit_image_per_image() -> None:
    x, y = synthetic_faces(6).double().chunk(2)
    y = 0.7 * x + 0.3 * y
    for index, (a, b) in enumerate(zip(x.numpy(), y.numpy(), strict=True)):
        # The two treat the 5-pixel border differently, hence the tolerance.
        _, full = structural_similarity(
            a,
            b,
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
            full=True,
        )
        assert abs(float(ssim(x, y)[index]) - full.mean()) < 1e-3
        assert abs(float(psnr(x, y)[index]) - peak_signal_noise_ratio(a, b, data_range=1.0)) < 1e-4


def test_metrics_of_an_image_with_itself() -> None:
    x = synthetic_faces(2)
    torch.testing.assert_close(ssim(x, x), torch.ones(2))
    assert bool(torch.isinf(psnr(x, x)).all())


def test_images_are_scored_one_by_one() -> None:
    x = synthetic_faces(2)
    y = torch.stack([x[0], 1 - x[1]])
    assert float(ssim(x, y)[0]) > 0.999
    assert float(psnr(x, y)[1]) < 12


def test_level_of_a_stranger_is_the_mean_over_pairs() -> None:
    x = synthetic_faces(6)
    found = stranger_level(x, x.roll(1, 0))
    pairs = list(zip(x.numpy(), x.roll(1, 0).numpy(), strict=True))
    expected = np.mean([peak_signal_noise_ratio(a, b, data_range=1.0) for a, b in pairs])
    assert abs(found["psnr"].value - expected) < 1e-4
    assert abs(found["ssim"].value - float(ssim(x, x.roll(1, 0)).mean())) < 1e-6
    assert found["ssim"].low < found["ssim"].value < found["ssim"].high < 1
    assert found["ssim"].n == 6
