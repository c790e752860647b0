"""YuNet on a public-domain photo; on real crops where they are there."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

from veilface.core.template import TEMPLATE
from veilface.detection import FaceDetector, YuNet, refine, yunet
from veilface.errors import ShapeError, WeightsError
from veilface.imaging.align import matrix_of
from veilface.imaging.decode import load_photo
from veilface.types import Detection

Pixels = npt.NDArray[np.uint8]

# Centres of the pupils, tip of the nose and corners of the mouth in skimage.data.astronaut(), read
# off by eye in a fivefold enlargement.
ASTRONAUT = ((204.3, 101.0), (247.0, 102.7), (220.5, 125.5), (203.5, 139.5), (242.5, 141.5))


@pytest.fixture(scope="module")
def detector() -> YuNet:
    return YuNet()


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    pixels: Pixels = data.astronaut()
    return pixels


def _error(face: Detection, *, scale: float = 1.0, shift: tuple[float, float] = (0, 0)) -> float:
    """Mean distance of the landmarks from the true ones, in units of the distance of the eyes."""
    truth = [
        ((x + 0.5) * scale - 0.5 + shift[0], (y + 0.5) * scale - 0.5 + shift[1])
        for x, y in ASTRONAUT
    ]
    return sum(map(math.dist, face.points, truth)) / 5 / (42.7 * scale)


def test_finds_the_astronaut(detector: FaceDetector, astronaut: Pixels) -> None:
    (face,) = detector.detect(astronaut)
    assert _error(face) < 0.08
    assert 0.9 < face.score <= 1
    x, y, width, height = face.box
    assert all(x < px < x + width and y < py < y + height for px, py in face.points)
    assert all(isinstance(v, float) for v in (*face.box, face.score, *face.points[0]))


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0, 6.0])
def test_coordinates_follow_the_size(detector: YuNet, astronaut: Pixels, scale: float) -> None:
    size = round(512 * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    (face,) = detector.detect(cv2.resize(astronaut, (size, size), interpolation=how))
    assert _error(face, scale=scale) < 0.1


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_a_face_that_fills_the_frame(detector: YuNet, astronaut: Pixels, scale: float) -> None:
    tight = astronaut[70:185, 178:275]
    tight = cv2.resize(tight, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    faces = detector.detect(tight)
    shift = (-178 * scale, -70 * scale)
    assert _error(faces[0], scale=scale, shift=shift) < 0.1
    assert len(faces) == 1


def test_the_coarse_pass_is_needed_and_used(detector: YuNet, astronaut: Pixels) -> None:
    """The fine pass alone misses a face of 1,200 pixels; the whole finds it."""
    tight = cv2.resize(
        astronaut[60:190, 165:285], None, fx=12, fy=12, interpolation=cv2.INTER_CUBIC
    )
    alone = list(detector._pass(tight, longest=yunet.FINE_SIDE, margin=0.0))
    assert not [face for face in alone if _error(face, scale=12, shift=(-1980, -720)) < 0.2]
    (face,) = detector.detect(tight)
    assert _error(face, scale=12, shift=(-165 * 12, -60 * 12)) < 0.1


def test_every_face_once_and_largest_first(detector: YuNet, astronaut: Pixels) -> None:
    photo = np.full((700, 1100, 3), 128, np.uint8)
    photo[100:612, 50:562] = astronaut
    photo[50:306, 600:856] = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    photo[350:606, 700:956] = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)[
        :, ::-1
    ]
    faces = detector.detect(photo)
    assert len(faces) == 3
    areas = [face.box[2] * face.box[3] for face in faces]
    assert areas == sorted(areas, reverse=True)
    assert _error(faces[0], shift=(50, 100)) < 0.08


def test_an_upright_turn_is_undone_for_the_landmarks(detector: YuNet, astronaut: Pixels) -> None:
    turn = cv2.getRotationMatrix2D((225, 120), 25, 1.0)
    turned = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    (face,) = detector.detect(turned)
    truth = np.array(ASTRONAUT) @ turn[:, :2].T + turn[:, 2]
    assert np.linalg.norm(np.array(face.points) - truth, axis=1).mean() < 0.1 * 42.7


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (40, 40), (300, 300)])
def test_no_face(detector: YuNet, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert detector.detect(noise) == []
    assert detector.detect(np.zeros((*shape, 3), np.uint8)) == []


def test_the_photo_is_not_changed_and_may_be_read_only(detector: YuNet, astronaut: Pixels) -> None:
    photo = astronaut.copy()
    photo.setflags(write=False)
    assert len(detector.detect(photo)) == 1
    assert np.array_equal(photo, astronaut)
    assert detector.detect(photo) == detector.detect(photo)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (0, 8, 3)])
def test_shapes_are_checked(detector: YuNet, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="pixels must be"):
        detector.detect(np.zeros(shape, np.uint8))
    with pytest.raises(ShapeError, match="pixels must be"):
        detector.detect(np.zeros((8, 8, 3), np.float32))


def test_the_threshold_is_used(astronaut: Pixels) -> None:
    assert YuNet(score_threshold=0.99).detect(astronaut) == []


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "yunet.onnx"
    fake.write_bytes(b"something else")
    monkeypatch.setattr(yunet, "package_file", lambda *_: fake)
    with pytest.raises(WeightsError) as caught:
        YuNet()
    assert f"sha256 is {hashlib.sha256(b'something else').hexdigest()}" in str(caught.value)
    assert str(fake) in str(caught.value)
    assert f"expected {yunet.SHA256}" in str(caught.value)


def test_absent_weights_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yunet, "DISTRIBUTION", "no-such-distribution")
    with pytest.raises(WeightsError, match="no-such-distribution is not installed"):
        YuNet()


def test_an_opencv_that_cannot_load_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:  # noqa: ANN401
        raise cv2.error("layer not supported")

    monkeypatch.setattr(cv2.FaceDetectorYN, "create", refuse)
    with pytest.raises(WeightsError, match="does not load the detector"):
        YuNet()


def test_refining_keeps_a_face_that_the_second_look_misses(astronaut: Pixels) -> None:
    face = Detection(box=(180, 70, 90, 110), points=ASTRONAUT, score=0.9)
    assert refine.refine(astronaut, face, lambda _: []) == face
    elsewhere = Detection(
        box=(0, 0, 90, 90), points=tuple((x - 190, y - 90) for x, y in ASTRONAUT), score=0.99
    )
    assert refine.refine(astronaut, face, lambda _: [elsewhere]) == face


def test_refining_maps_points_back_and_undoes_the_mirror(astronaut: Pixels) -> None:
    """A network that sees the exact template in the frame must give the photo's own points."""
    face = Detection(box=(180, 70, 90, 110), points=ASTRONAUT, score=0.9)
    frames: list[Pixels] = []

    def exact(frame: Pixels) -> list[Detection]:
        points = (TEMPLATE.numpy() - 55.5) * refine.ENLARGE + (refine.FRAME - 1) / 2
        if frames:  # the second call sees the mirrored frame
            points = points[[1, 0, 2, 4, 3]]
            points[:, 0] = refine.FRAME - 1 - points[:, 0]
        frames.append(frame)
        return [Detection((0, 0, 9, 9), tuple(map(tuple, points.tolist())), 0.9)]

    found = np.array(refine.refine(astronaut, face, exact).points)
    assert np.array_equal(frames[0], frames[1][:, ::-1])
    matrix = matrix_of(face.points).numpy()
    assert np.allclose(found @ matrix[:, :2].T + matrix[:, 2], TEMPLATE.numpy())


@pytest.mark.data
def test_every_lfw_crop_has_its_face(detector: YuNet, lfw: Path) -> None:
    """Measured on 193 crops: all found, one face each, landmarks 3.0 px off on average."""
    errors, extra = [], 0
    files = sorted(lfw.glob("*/*.jpg"))[::130]
    for path in files:
        faces = detector.detect(load_photo(path).pixels)
        assert faces, path.name
        extra += len(faces) > 1
        points = np.array(faces[0].points)
        errors.append(np.linalg.norm(points - TEMPLATE.numpy(), axis=1).mean())
    assert len(files) >= 50
    assert np.mean(errors) < 3.6
    assert np.max(errors) < 8
    assert extra <= 1
