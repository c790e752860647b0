"""The tone of the skin against references and by hand."""

from __future__ import annotations

import pytest
import torch
from skimage import color

from tests.fixtures.faces import synthetic_faces
from veilface.errors import ShapeError
from veilface.measures.skin import CHEEKS, to_lab, typology_angle
from veilface.measures.visibility import skin_error


def test_lab_is_that_of_scikit_image() -> None:
    x = torch.rand(2, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    x[0, :, 0, 0], x[0, :, 0, 1], x[0, :, 0, 2] = 0, 1, 0.01
    wanted = torch.from_numpy(color.rgb2lab(x.double().numpy(), channel_axis=1))
    # Its matrix is rounded to six digits.
    torch.testing.assert_close(to_lab(x), wanted, atol=0.01, rtol=0)


def test_skin_is_ordered_from_light_to_dark_and_only_cheeks_count() -> None:
    tones = torch.tensor([[241, 205, 186], [198, 145, 110], [90, 56, 37]]) / 255
    faces = torch.zeros(3, 3, 112, 112)
    for rows, columns in CHEEKS:
        faces[..., rows, columns] = tones[:, :, None, None]
    light, tanned, dark = typology_angle(faces).tolist()
    assert light > 55 > tanned > 10 > -30 > dark


def test_a_few_hairs_on_a_cheek_change_nothing() -> None:
    faces = torch.full((1, 3, 112, 112), 0.5)
    faces[:, 2] = 0.3
    hairy = faces.clone()
    hairy[..., ::3, :] = 0
    torch.testing.assert_close(typology_angle(hairy), typology_angle(faces))


def test_the_error_is_that_around_the_circle_beside_chance() -> None:
    found = skin_error(torch.tensor([170.0, 10.0]), torch.tensor([-170.0, 14.0]))
    assert found["skin_error"].value == pytest.approx((20 + 4) / 2)
    assert found["skin_error_chance"].value == pytest.approx((180 + 156) / 2)
    faces = synthetic_faces(3)
    tones = typology_angle(faces)
    assert skin_error(tones, tones)["skin_error"].value == 0
    with pytest.raises(ShapeError, match="no pairs"):
        skin_error(tones, tones[:2])
