"""A budget that follows what the start hides."""

from __future__ import annotations

import torch

from tests.fixtures.faces import synthetic_faces
from veilface.protectors.veil.masking import COMMON, MOST, masked_radius


def test_without_masking_the_budget_is_the_radius_everywhere() -> None:
    budget = masked_radius(synthetic_faces(2), radius=0.1, masking=0.0)
    assert budget.shape == (2, 1, 112, 112)
    torch.testing.assert_close(budget, torch.full_like(budget, 0.1))


def test_a_smooth_place_gets_the_rest_and_a_rough_one_the_most() -> None:
    rough = (torch.arange(112) % 2).float().expand(1, 3, 112, 112).clone()
    rough[..., :56] = 0.5
    budget = masked_radius(rough, radius=0.1, masking=0.7)[0, 0]
    torch.testing.assert_close(budget[:, :40], torch.full((112, 40), 0.03))
    torch.testing.assert_close(budget[:, 70:], torch.full((112, 42), 0.1 * (0.3 + 0.7 * MOST)))


def test_a_face_has_both() -> None:
    budget = masked_radius(synthetic_faces(4), radius=1.0, masking=1.0)
    assert float(budget.min()) < 0.2
    assert 1 < float(budget.max()) <= MOST
    assert 0.005 < COMMON * float(budget.median()) < 0.03
