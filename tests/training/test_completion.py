"""Photos that are completed by their mirror image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from veilface.core.template import SIDE
from veilface.errors import DatasetError
from veilface.training.completion import completed
from veilface.training.images import TrainingImages


def photos(inside: torch.Tensor) -> TrainingImages:
    """Photos whose pixels say where they are."""
    order = torch.arange(SIDE * SIDE).view(SIDE, SIDE)
    pixels = torch.stack([order // 256, order % 256, order % 2]).to(torch.uint8)
    people = torch.arange(len(inside))
    return TrainingImages("places", pixels.expand(len(inside), -1, -1, -1), inside, people)


def places(images: TrainingImages) -> torch.Tensor:
    """(N, 112, 112) where each pixel is from."""
    return images.pixels[:, 0].int() * 256 + images.pixels[:, 1].int()


def masks(*hidden: slice) -> torch.Tensor:
    inside = torch.ones(len(hidden), SIDE, SIDE, dtype=torch.bool)
    for mask, rows in zip(inside, hidden, strict=True):
        mask[rows] = False
    return inside


def test_the_rows_above_a_photo_are_those_below_its_edge() -> None:
    photo = photos(masks(slice(24), slice(0)))
    whole = completed(photo)
    assert whole.inside is None
    assert whole.people is photo.people
    assert torch.equal(whole.pixels[0, :, 24:], photo.pixels[0, :, 24:])
    # The edge itself is the mirror.
    assert torch.equal(whole.pixels[0, :, :24], photo.pixels[0, :, 25:49].flip(1))
    assert torch.equal(whole.pixels[1], photo.pixels[1])
    assert completed(whole) is whole


def test_behind_the_edge_of_the_template_the_nearest_pixel_stands() -> None:
    photo = photos(masks(slice(80)))
    rows = places(completed(photo))[0] // SIDE
    assert rows[79, 0] == 81
    assert rows[49, 0] == 111
    assert torch.equal(rows[:49], torch.full((49, SIDE), 80).int())


def test_a_photo_that_shows_nothing_is_an_error() -> None:
    with pytest.raises(DatasetError, match="photo 1 of places"):
        completed(photos(masks(slice(10), slice(None))))


@settings(max_examples=20, deadline=None)
@given(st.floats(-20, 20), st.floats(0.45, 0.7), st.floats(-10, 10), st.floats(8, 30))
def test_nothing_is_made_up(angle: float, zoom: float, right: float, down: float) -> None:
    """Of a source of any turn and place, only pixels that it shows stand anywhere, and near."""
    matrix = cv2.getRotationMatrix2D((100, 100), angle, zoom)
    matrix[:, 2] += right + SIDE / 2 - 100, down + SIDE / 2 - 100
    seen = cv2.warpAffine(np.ones((200, 200), np.uint8), matrix, (SIDE, SIDE)) > 0
    inside = torch.from_numpy(seen)
    found = places(completed(photos(inside[None])))[0]
    everywhere = torch.arange(SIDE * SIDE).view(SIDE, SIDE)
    assert torch.equal(found[inside], everywhere[inside].int())
    assert bool(inside.flatten()[found.long()].all())
    # No further than twice the way to the nearest, which OpenCV finds to a few hundredths.
    way = torch.stack([found // SIDE - everywhere // SIDE, found % SIDE - everywhere % SIDE])
    nearest = torch.from_numpy(distance_transform_edt(~seen))
    assert bool((way.double().norm(dim=0) <= 2.1 * nearest + 1e-6).all())
