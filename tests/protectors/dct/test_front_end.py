"""The front end against scipy, against convolutions, and what the papers' numbers rest on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.fft import dctn
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.imaging.ycbcr import from_centred_ycbcr, to_centred_ycbcr
from veilface.protectors.dct.front_end import decode, encode, pick, place
from veilface.protectors.dct.matrices import analysis, frequency_rows, synthesis

SIDE = 24


def pictures(count: int = 2) -> Tensor:
    """(count, 3, 24, 24) noise, in which every channel holds something."""
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3)).double()


def enlarged(planes: Tensor) -> Tensor:
    return F.interpolate(planes, scale_factor=8, mode="bilinear", align_corners=True)


def test_every_channel_is_the_dct_of_its_block() -> None:
    x = pictures()
    found = encode(x)
    assert found.shape == (2, 192, SIDE, SIDE)
    levels = enlarged(to_centred_ycbcr(x)).numpy()
    blocks = levels.reshape(2, 3, SIDE, 8, SIDE, 8).transpose(0, 1, 2, 4, 3, 5)
    wanted = dctn(blocks, axes=(4, 5), norm="ortho")
    for u, v in ((0, 0), (0, 1), (1, 0), (3, 5), (7, 7)):
        for plane in range(3):
            channel = found[:, 64 * plane + 8 * u + v].numpy()
            np.testing.assert_allclose(channel, wanted[:, plane, :, :, u, v], atol=1e-9)


def test_equals_a_convolution_with_64_waves() -> None:
    x = pictures()
    impulses = np.eye(64).reshape(64, 8, 8)
    waves = np.stack([dctn(impulse, norm="ortho") for impulse in impulses])  # pixel, u, v
    kernels = torch.from_numpy(waves.reshape(64, 64).T.reshape(64, 1, 8, 8).copy())
    planes = enlarged(to_centred_ycbcr(x)).reshape(6, 1, 8 * SIDE, 8 * SIDE)
    wanted = F.conv2d(planes, kernels, stride=8).reshape(2, 192, SIDE, SIDE)
    torch.testing.assert_close(encode(x), wanted, atol=1e-9, rtol=0)


def test_single_precision_is_enough() -> None:
    x = synthetic_faces(2)
    exact = encode(x.double())
    assert float((encode(x) - exact).abs().max()) < 1e-3, "of up to 1024"


def test_there_and_back_is_nearly_the_face() -> None:
    """The page states 58.4 dB on photographs, and .10 at most on noise."""
    x = synthetic_faces(4)
    back = decode(encode(x)).clamp(0, 1)
    psnr = -10 * (back - x).square().mean(dim=(1, 2, 3)).log10()
    assert bool((psnr > 55).all())
    noise = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    error = (decode(encode(noise)).clamp(0, 1) - noise).abs()
    assert 0.02 < float(error.max()) < 0.15, "it is an approximation, not the identity"


def test_back_and_there_is_not_the_identity() -> None:
    """192 channels hold 64 times as many values as the picture: 1.08 for Gaussian ones."""
    channels = torch.randn(1, 192, 112, 112, generator=torch.Generator().manual_seed(0))
    again = encode(decode(channels))
    assert float((again - channels).norm() / channels.norm()) == pytest.approx(1.08, abs=0.02)


def test_nothing_is_mid_grey() -> None:
    assert torch.allclose(decode(torch.zeros(1, 192, 112, 112)), torch.tensor(128 / 255))


def test_dc_of_luma_spans_1024() -> None:
    black_and_white = torch.stack([torch.zeros(3, SIDE, SIDE), torch.ones(3, SIDE, SIDE)])
    channels = encode(black_and_white)
    assert float(channels[0, 0].mean()) == pytest.approx(-1024, abs=1e-2)
    assert float(channels[1, 0].mean()) == pytest.approx(8 * 127, abs=1e-2)
    channels[:, 0] = 0
    assert float(channels.abs().max()) < 1e-2


def test_the_linear_pieces_are_the_channels() -> None:
    x = pictures(1)
    plane = to_centred_ycbcr(x)[0, 1]
    wanted = encode(x)[0, 64 + 8 * 2 + 5]
    torch.testing.assert_close(frequency_rows(SIDE, 2) @ plane @ frequency_rows(SIDE, 5).T, wanted)


def test_ba_is_enlarging_and_shrinking() -> None:
    x = pictures(1)
    wanted = F.interpolate(enlarged(x), size=SIDE, mode="bilinear", align_corners=True)
    both = synthesis(SIDE) @ analysis(SIDE)
    torch.testing.assert_close(both @ x @ both.T, wanted)


def test_colours_there_and_back() -> None:
    x = pictures()
    torch.testing.assert_close(from_centred_ycbcr(to_centred_ycbcr(x)), x, atol=1e-6, rtol=0)
    grey = to_centred_ycbcr(torch.full((1, 3, 2, 2), 0.25, dtype=torch.float64))
    torch.testing.assert_close(grey[:, 1:], torch.zeros(1, 2, 2, 2, dtype=torch.float64))


def test_gradients() -> None:
    x = torch.rand(1, 3, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(lambda x: decode(encode(x)), x.requires_grad_())


def test_picked_channels_go_back_to_their_places() -> None:
    channels = torch.arange(2 * 192.0).view(2, 192, 1, 1).expand(-1, -1, 3, 3)
    mine = torch.tensor([[5, 0, 63], [7, 9, 8]])
    part = pick(channels, mine)
    assert part[1, :, 0, 0].tolist() == [192 + p * 64 + k for p in range(3) for k in (7, 9, 8)]
    whole = place(part, mine)
    torch.testing.assert_close(pick(whole, mine), part)
    kept = (whole != 0).any(dim=(2, 3))
    assert int(kept[1].sum()) == 9
    assert torch.equal(whole[1, kept[1]], channels[1, kept[1]])
