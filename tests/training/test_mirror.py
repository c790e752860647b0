"""Photos that are completed by their mirror image."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from veilface.core.template import SIDE
from veilface.training.images import TrainingImages
from veilface.training.mirror import mirrored


def photos(inside: torch.Tensor) -> TrainingImages:
    size, generator = (len(inside), 3, SIDE, SIDE), Generator().manual_seed(0)
    pixels = torch.randint(256, size, generator=generator, dtype=torch.uint8)
    return TrainingImages("noise", pixels, inside, torch.arange(len(inside)))


def test_the_rows_above_a_photo_are_those_below_its_edge() -> None:
    inside = torch.ones(2, SIDE, SIDE, dtype=torch.bool)
    inside[:, :24] = False
    photo = photos(inside)
    whole = mirrored(photo)
    assert whole.inside is None
    assert whole.people is photo.people
    assert torch.equal(whole.pixels[:, :, 24:], photo.pixels[:, :, 24:])
    # The edge itself is the mirror.
    assert torch.equal(whole.pixels[:, :, :24], photo.pixels[:, :, 25:49].flip(2))
    assert mirrored(whole) is whole


@settings(max_examples=20, deadline=None)
@given(st.floats(-20, 20), st.floats(0.45, 0.7), st.floats(-10, 10), st.floats(8, 30))
def test_nothing_is_made_up(angle: float, zoom: float, right: float, down: float) -> None:
    """Of a source of any turn and place, only pixels that it shows are shown again."""
    matrix = cv2.getRotationMatrix2D((100, 100), angle, zoom)
    matrix[:, 2] += right + SIDE / 2 - 100, down + SIDE / 2 - 100
    seen = cv2.warpAffine(np.ones((200, 200), np.uint8), matrix, (SIDE, SIDE)) > 0
    inside = torch.from_numpy(seen)[None]
    photo = photos(inside)
    # No two pixels of the photo are alike, and none outside is like one inside.
    order = torch.randperm(SIDE * SIDE, generator=Generator().manual_seed(1)).view(SIDE, SIDE)
    photo.pixels[0, 0], photo.pixels[0, 1] = order // 256, order % 256
    whole = mirrored(photo).pixels[0].int()
    shown = whole[0] * 256 + whole[1]
    assert torch.equal(shown[inside[0]], order[inside[0]].int())
    assert bool(torch.isin(shown, order[inside[0]]).all())
