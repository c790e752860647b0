"""LDP-Slicing: the public step against a Haar transform, the private one against its table."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard

from tests.fixtures.faces import synthetic_faces
from veilface.imaging.ycbcr import to_centred_ycbcr
from veilface.protectors.ldp_slicing.protector import LdpSlicing
from veilface.protectors.ldp_slicing.transform import (
    bit_budgets,
    fine_levels,
    from_levels,
    keep_probabilities,
    randomised_response,
)


def words(levels: torch.Tensor, seed: int = 0) -> torch.Tensor:
    count, planes, *sides = levels.shape
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(2**32, (count, planes, 8, *sides), generator=generator)


def test_first_step_is_a_haar_transform_without_its_low_band() -> None:
    """It is off by default in the original, whose guarantee does not need it."""
    x = synthetic_faces(2).double()
    planes = to_centred_ycbcr(x).numpy()
    haar = np.kron(np.eye(56), hadamard(2) / np.sqrt(2))
    bands = haar @ planes @ haar.T
    bands[:, :, ::2, ::2] = 0
    wanted = np.clip(haar.T @ bands @ haar + 128, 0, 255)
    found = fine_levels(x).numpy()
    assert found.dtype == np.int64
    assert np.abs(found - np.floor(wanted)).max() <= 1, "rounding at whole numbers"
    assert (found == np.floor(wanted)).mean() > 0.999


def test_nothing_coarse_is_left() -> None:
    flat = torch.full((1, 3, 8, 8), 0.37)
    assert fine_levels(flat).unique().tolist() == [128]


def test_a_dark_face_is_taken_as_dark() -> None:
    """The original guesses the range from the greatest value, and takes this one for 0..255."""
    x = torch.zeros(1, 3, 4, 4)
    x[..., ::2] = 1 / 255
    levels = fine_levels(x)
    assert int(levels.min()) >= 127
    assert int(levels.max()) <= 128


def test_budgets_add_up_and_follow_the_table() -> None:
    """Published for a budget of 20: two digits, so that rounding may differ in the second."""
    budgets = bit_budgets(20.0)
    assert float(budgets.sum()) == pytest.approx(20)
    assert float(budgets[0].sum()) == pytest.approx(10)
    assert float(budgets[0, 3]) == pytest.approx(10 * 2**1.5 * (2**0.5 - 1) / 15)
    assert torch.equal(budgets[1], budgets[2])
    luma = keep_probabilities(20.0)[0].tolist()
    published = [0.57, 0.60, 0.64, 0.69, 0.75, 0.83, 0.90, 0.96]
    assert luma == pytest.approx(published, abs=0.006)
    chroma = keep_probabilities(20.0)[1].tolist()
    assert (chroma[0], chroma[-1]) == pytest.approx((0.53, 0.83), abs=0.006)


@pytest.mark.parametrize("epsilon", [1.0, 20.0])
def test_each_bit_is_kept_as_often_as_promised(epsilon: float) -> None:
    levels = torch.randint(256, (1, 3, 112, 112), generator=torch.Generator().manual_seed(5))
    told = randomised_response(levels, words(levels), epsilon=epsilon)
    same = ~(levels ^ told)
    for plane in range(3):
        for bit in range(8):
            kept = float((same[0, plane] >> bit & 1).double().mean())
            wanted = float(keep_probabilities(epsilon)[plane, bit])
            assert kept == pytest.approx(wanted, abs=4.5 * (0.25 / 112**2) ** 0.5)


def test_a_budget_without_end_tells_the_truth_and_none_tells_nothing() -> None:
    levels = torch.arange(256).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert torch.equal(randomised_response(levels, words(levels), epsilon=1e6), levels)
    half = keep_probabilities(1e-9)
    torch.testing.assert_close(half, torch.full_like(half, 0.5))


def test_one_pixel_of_the_photo_is_four_of_what_is_told() -> None:
    """The guarantee is for a pixel after the first step: four times its budget before it."""
    x = synthetic_faces(1)
    other = x.clone()
    other[:, :, 40, 40] = 1 - other[:, :, 40, 40]
    changed = (fine_levels(x) != fine_levels(other)).any(dim=1).nonzero()
    assert len(changed) == 4
    assert changed[:, 1:].min() == 40
    assert changed[:, 1:].max() == 41


def test_levels_there_and_back() -> None:
    x = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    levels = (to_centred_ycbcr(x) + 128).round().clamp(0, 255).to(torch.int64)
    assert float((from_levels(levels) - x).abs().max()) < 1.5 / 255


def test_budget_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be positive, not 0"):
        LdpSlicing(epsilon=0)
