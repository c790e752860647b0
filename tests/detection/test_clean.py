"""Findings become a clean list."""

from __future__ import annotations

import math

import pytest

from veilface.detection.base import clean, is_part, is_plausible, same_face
from veilface.types import Detection


def _face(x: float, y: float, side: float, score: float = 0.9) -> Detection:
    """A square box with landmarks where a face has them."""
    places = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    points = tuple((x + side * u, y + side * v) for u, v in places)
    return Detection(box=(x, y, side, side), points=points, score=score)


def test_faces_are_sorted_by_size() -> None:
    small, large = _face(10, 10, 20, 0.95), _face(100, 100, 80, 0.8)
    assert clean([small, large], width=300, height=300) == [large, small]
    assert clean([], width=300, height=300) == []


def test_of_two_findings_of_a_face_the_more_certain_stays() -> None:
    good, bad = _face(100, 100, 80, 0.95), _face(106, 97, 84, 0.8)
    for order in ([good, bad], [bad, good]):
        assert clean(order, width=300, height=300) == [good]


def test_boxes_of_other_size_around_the_same_landmarks_are_one_face() -> None:
    face = _face(100, 100, 80)
    tight = Detection(box=(125, 130, 35, 35), points=face.points, score=0.8)
    assert same_face(face, tight)
    assert clean([face, tight], width=300, height=300) == [face]


def test_neighbours_stay_apart() -> None:
    faces = [_face(10, 10, 50), _face(62, 10, 50), _face(40, 45, 30)]
    assert len(clean(faces, width=300, height=300)) == 3
    assert not same_face(faces[0], faces[1])


def test_a_part_of_a_face_is_dropped_but_never_the_face() -> None:
    face, eye = _face(100, 100, 80, 0.9), _face(120, 122, 24, 0.75)
    assert is_part(eye, face)
    assert not is_part(face, eye)
    assert clean([eye, face], width=300, height=300) == [face]
    # The larger finding is the less certain one here: nothing says which is wrong, both stay.
    certain = _face(120, 122, 24, 0.99)
    assert clean([certain, face], width=300, height=300) == [face, certain]


@pytest.mark.parametrize(
    "face",
    [
        _face(10, 10, 4),
        _face(10, 10, 0),
        _face(10, 10, -20),
        _face(math.nan, 10, 30),
        _face(10, math.inf, 30),
        _face(-200, 10, 30),
        _face(10, 400, 30),
        Detection(box=(10, 10, 30, 30), points=((20.0, 20.0),) * 5, score=0.9),
        Detection(box=(10, 10, 30, 30), points=_face(10, 10, 30).points, score=math.nan),
    ],
)
def test_degenerate_findings_are_dropped(face: Detection) -> None:
    assert not is_plausible(face, width=300, height=300)
    assert clean([face], width=300, height=300) == []


def test_faces_may_reach_over_the_border() -> None:
    assert is_plausible(_face(-10, 270, 40), width=300, height=300)
