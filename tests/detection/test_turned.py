"""Faces that lie on their side or head: found where they are, or doubted."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

from tests.fixtures.photos import photo_pixels
from veilface.core.template import TEMPLATE
from veilface.detection.base import landmarks_agree
from veilface.detection.turned import COARSE, MAX_MISFIT, look, misfit
from veilface.detection.yunet import YuNet
from veilface.types import Detection

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def yunet() -> YuNet:
    return YuNet()


def turned_back(found: Detection, quarters: int, size: tuple[int, int]) -> Detection:
    """The landmarks in the photo of ``size``, width and height, before it was turned."""
    points = found.points
    for turn in range(quarters, 0, -1):
        before = size[(turn - 1) % 2]
        points = tuple((before - 1 - y, x) for x, y in points)
    return replace(found, points=points)


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("enlarge", [1, 4])
def test_a_turned_photo_has_the_same_faces(yunet: YuNet, quarters: int, enlarge: int) -> None:
    pixels = photo_pixels(2, seed=1).repeat(enlarge, 0).repeat(enlarge, 1)
    height, width = pixels.shape[:2]
    looks = look(yunet, np.ascontiguousarray(np.rot90(pixels, quarters)))
    assert not looks.doubts
    expected = sorted(yunet.detect(pixels), key=lambda face: face.points)
    assert len(looks.faces) == len(expected) == 2

    upright = [turned_back(face, quarters, (width, height)) for face in looks.faces]
    for found, known in zip(sorted(upright, key=lambda face: face.points), expected, strict=True):
        assert np.abs(np.subtract(found.points, known.points)).max() < 3 * enlarge


@pytest.mark.parametrize("tilt", [-35, -20, 20, 25, 35])
def test_a_tilted_face_is_read_the_same_in_every_turn(yunet: YuNet, tilt: float) -> None:
    """Rough landmarks of a first look once hid the exact ones of a surer look."""
    upright = np.ascontiguousarray(data.astronaut()[:260, 80:360])
    (known,) = yunet.detect(upright)
    height, width = upright.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1.0)
    tilted = cv2.warpAffine(upright, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    expected = np.array(known.points) @ matrix[:, :2].T + matrix[:, 2]
    for quarters in range(4):
        looks = look(yunet, np.ascontiguousarray(np.rot90(tilted, quarters)))
        surest = max(looks.faces, key=lambda face: face.score)  # once the border looks like one
        found = turned_back(surest, quarters, (width, height))
        assert np.abs(np.array(found.points) - expected).max() < 12


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
    (found,) = look(Stub([face(0.8)], [], [turned_half(face(0.95))]), PHOTO).faces
    assert_same(found, face(0.95))
    assert look(Stub([face(0.95)], [], [turned_half(face(0.8))]), PHOTO).faces == (face(0.95),)
    close = look(Stub([face(0.94)], [], [turned_half(face(0.95))]), PHOTO)
    assert close.faces == (face(0.94),)
    assert not close.doubts


def enlarged(found: Detection, by: float) -> Detection:
    x, y, w, h = found.box
    points = tuple((by * (px + 0.5) - 0.5, by * (py + 0.5) - 0.5) for px, py in found.points)
    return replace(found, box=(by * x, by * y, by * w, by * h), points=points)


def shifted(found: Detection, by: float) -> Detection:
    return replace(found, points=tuple((x + by, y) for x, y in found.points))


def test_the_surest_look_counts_where_several_agree() -> None:
    """A stranger on their side was read upside down: seen roughly at .82, then exactly in the
    turned photo at .95, then wrongly at .90, which is surer than the first look."""
    rough, right, wrong = shifted(face(0.82), 20), face(0.95), face(0.90, turned=True)
    assert landmarks_agree(rough, right)
    looks = look(Stub([rough], [], [turned_half(wrong), turned_half(right)]), PHOTO)
    (found,) = looks.faces
    assert_same(found, right)
    assert not looks.doubts


def test_a_large_photo_is_decided_by_the_first_look_at_it() -> None:
    """At full size a face may be less sure than in the small photo that it was found in."""
    large = np.zeros((960, 960, 3), np.uint8)
    full = enlarged(face(0.82), 960 / COARSE)
    small = [turned_half(one, COARSE) for one in (face(0.90, turned=True), face(0.95))]
    (found,) = look(Stub([], [], small, [], [turned_half(full, 960)]), large).faces
    assert_same(found, replace(full, score=0.95))


def test_landmarks_that_are_no_faces_are_a_doubt() -> None:
    odd = face(0.9)
    points = (odd.points[3], odd.points[1], odd.points[4], odd.points[0], odd.points[2])
    mixed = replace(odd, points=points)
    assert misfit(face(0.9)) < 1e-6
    assert misfit(mixed) > MAX_MISFIT
    assert "do not lie like those of a face" in look(Stub([mixed]), PHOTO).doubts[0]
