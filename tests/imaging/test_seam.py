"""Where a pasted face ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from veilface.core.template import SIDE
from veilface.imaging.seam import BAND, cut_weight, depth, template_depth
from veilface.imaging.tone import Plane

DEPTH = template_depth()
SKIN = np.array([0.6, 0.45, 0.37], np.float32)


def _flat(colour: Plane = SKIN) -> Plane:
    return np.tile(colour, (SIDE, SIDE, 1)).astype(np.float32)


def _noise(seed: int) -> Plane:
    return np.random.default_rng(seed).random((SIDE, SIDE, 3), np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_whatever_the_pictures_are(seed: int) -> None:
    weight = cut_weight(_noise(seed), _noise(seed + 10), DEPTH)
    assert weight.min() >= 0
    assert weight.max() <= 1
    assert not weight[DEPTH <= 0].any()
    assert (weight[DEPTH >= BAND] == 1).all()
    # A soft edge: nowhere from nothing to everything within two pixels.
    for axis in (0, 1):
        assert np.abs(np.diff(weight, axis=axis)).max() < 0.6


def test_the_photos_inner_face_plays_no_part() -> None:
    photo = _noise(1)
    other = np.where(DEPTH[:, :, None] >= BAND, _noise(2), photo)
    assert np.array_equal(cut_weight(_noise(3), photo, DEPTH), cut_weight(_noise(3), other, DEPTH))


def test_the_seam_runs_where_face_and_photo_agree() -> None:
    """They agree along one line of equal depth: most of the edge lies there."""
    for line in (4.5, 7.5):
        photo = np.where(np.abs(DEPTH - line)[:, :, None] < 1.0, _flat(), _flat() * 0.4)
        weight = cut_weight(_flat(), photo.astype(np.float32), DEPTH)
        edge = (weight > 0.3) & (weight < 0.7)
        assert abs(float(np.median(DEPTH[edge])) - line) < 1.5


def test_hair_and_background_of_the_faces_picture_stay_out() -> None:
    face = _flat()
    face[:, :20] = (0.1, 0.3, 0.8)
    weight = cut_weight(face, _flat(), DEPTH)
    middle = weight[50]
    assert middle[:18].max() < 0.3
    assert weight[50, ::-1][:22].max() == 1  # on the other side skin is taken from the band


def test_depth_is_the_distance_to_the_edge() -> None:
    assert DEPTH[56, 10] == pytest.approx(0.5)
    assert DEPTH[56, 30] == pytest.approx(20.5)
    assert DEPTH[0, 0] < 0
    assert np.array_equal(DEPTH, DEPTH[::-1])
    assert np.array_equal(DEPTH, DEPTH[:, ::-1])
    double = torch.tensor([[2.0, 0, 0], [0, 2.0, 0]], dtype=torch.float64)
    assert np.allclose(depth(double, (2 * SIDE, 2 * SIDE)).numpy()[::2, ::2], DEPTH, atol=1e-5)
