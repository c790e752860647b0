"""Faces that lie on their side or head: found where they are, or doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.fixtures.photos import photo_pixels
from veilface.core.template import TEMPLATE
from veilface.detection.base import landmarks_agree
from veilface.detection.turned import MAX_MISFIT, look, misfit
from veilface.detection.yunet import YuNet
from veilface.types import Detection

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def yunet() -> YuNet:
    return YuNet()


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("enlarge", [1, 4])
def test_a_turned_photo_has_the_same_faces(yunet: YuNet, quarters: int, enlarge: int) -> None:
    pixels = photo_pixels(2, seed=1).repeat(enlarge, 0).repeat(enlarge, 1)
    height, width = pixels.shape[:2]
    looks = look(yunet, np.ascontiguousarray(np.rot90(pixels, quarters)))
    assert not looks.doubts
    expected = sorted(yunet.detect(pixels), key=lambda face: face.points)
    assert len(looks.faces) == len(expected) == 2

    def upright(face: Detection) -> Detection:
        points = face.points
        for turn in range(quarters, 0, -1):
            before = (width, height)[(turn - 1) % 2]
            points = tuple((before - 1 - y, x) for x, y in points)
        return replace(face, points=points)

    for found, known in zip(
        sorted(map(upright, looks.faces), key=lambda face: face.points), expected, strict=True
    ):
        assert np.abs(np.subtract(found.points, known.points)).max() < 3 * enlarge


def face(score: float, *, turned: bool = False, side: float = 100.0, x: float = 60.0) -> Detection:
    """A face with perfect landmarks, at a place of a 240x240 photo."""
    points = TEMPLATE.numpy() * side / 112
    if turned:
        points = side - points
    points = points + np.array([x, 60.0])
    return Detection((x, 60.0, side, side), tuple(map(tuple, points.tolist())), score)


class Stub:
    """Answers by how often the photo was turned; the turned answers are in turned coordinates."""

    def __init__(self, *answers: list[Detection]) -> None:
        self.answers = list(answers)

    def detect(self, pixels: Pixels) -> list[Detection]:
        return self.answers.pop(0) if self.answers else []


def turned_half(found: Detection, side: int = 240) -> Detection:
    x, y, w, h = found.box
    points = tuple((side - 1 - px, side - 1 - py) for px, py in found.points)
    return replace(found, box=(side - x - w, side - y - h, w, h), points=points)


def assert_same(found: Detection, expected: Detection) -> None:
    assert found.score == expected.score
    assert np.allclose(found.points, expected.points)
    assert np.allclose(found.box, expected.box)


PHOTO = np.zeros((240, 240, 3), np.uint8)


def test_the_surer_of_two_readings_counts() -> None:
    wrong, right = face(0.85), face(0.94, turned=True)
    (found,) = look(Stub([wrong], [], [turned_half(right)]), PHOTO).faces
    assert_same(found, right)
    (kept,) = look(Stub([face(0.94)], [], [turned_half(face(0.85, turned=True))]), PHOTO).faces
    assert kept == face(0.94)


def test_equally_sure_readings_are_a_doubt() -> None:
    looks = look(Stub([face(0.9)], [], [turned_half(face(0.91, turned=True))]), PHOTO)
    assert looks.faces == (face(0.9),)
    assert looks.doubts == ("the face at (110, 110) may be upright or turned",)


def test_a_small_stranger_on_the_cheek_gives_way_to_the_face() -> None:
    cheek = face(0.75, side=25.0, x=80.0)
    (found,) = look(Stub([cheek], [], [turned_half(face(0.93, turned=True))]), PHOTO).faces
    assert_same(found, face(0.93, turned=True))


@pytest.mark.parametrize(("score", "count"), [(0.79, 0), (0.81, 1)])
def test_a_face_that_only_a_turned_photo_shows_has_to_be_sure(score: float, count: int) -> None:
    looks = look(Stub([], [], [turned_half(face(score, turned=True))]), PHOTO)
    assert len(looks.faces) == count
    assert not looks.doubts


def test_the_same_face_in_two_looks_is_one() -> None:
    assert landmarks_agree(face(0.8), face(0.95))
    assert look(Stub([face(0.8)], [], [turned_half(face(0.95))]), PHOTO).faces == (face(0.95),)
    assert look(Stub([face(0.95)], [], [turned_half(face(0.8))]), PHOTO).faces == (face(0.95),)


def test_a_face_is_as_sure_as_the_surest_look_at_it() -> None:
    """A stranger on their side was read upside down: seen upright, in the right way, at .82, then
    in the turned photo at .95, then wrongly at .90, which is surer than the first look."""
    right, wrong = face(0.82), face(0.90, turned=True)
    looks = look(Stub([right], [], [turned_half(wrong), turned_half(face(0.95))]), PHOTO)
    assert looks.faces == (face(0.95),)
    assert not looks.doubts


def test_landmarks_that_are_no_faces_are_a_doubt() -> None:
    odd = face(0.9)
    points = (odd.points[3], odd.points[1], odd.points[4], odd.points[0], odd.points[2])
    mixed = replace(odd, points=points)
    assert misfit(face(0.9)) < 1e-6
    assert misfit(mixed) > MAX_MISFIT
    assert "do not lie like those of a face" in look(Stub([mixed]), PHOTO).doubts[0]
