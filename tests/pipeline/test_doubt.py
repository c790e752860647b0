"""Photos that would be called done while their subject is still to be seen."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from skimage import data

from tests.detection.test_turned import Stub, face
from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import quick_protector
from veilface.cli.progress import describe
from veilface.detection.yunet import YuNet
from veilface.errors import DoubtError, ImageError, NoFaceError
from veilface.imaging.decode import Photo, decode_photo
from veilface.pipeline.faces import Face, Faces, check_replaced, find_faces
from veilface.pipeline.protector import Protector
from veilface.pipeline.run import Options, run
from veilface.types import Detection

Pixels = npt.NDArray[np.uint8]
PHOTO = Photo(np.zeros((240, 240, 3), np.uint8))


@pytest.fixture(scope="module")
def protector() -> Protector:
    return quick_protector()


@pytest.mark.parametrize(("quarters", "seed"), [(1, 132), (2, 0), (3, 46)])
def test_a_turned_face_is_replaced_where_its_eyes_are(
    protector: Protector, quarters: int, seed: int
) -> None:
    """It was done with exit 0 while a small stranger stood on the cheek.

    The strangers of the first and the last seed were once seen upside down, and refused.
    """
    pixels = np.ascontiguousarray(np.rot90(photo_pixels(1), quarters))
    (upright,) = YuNet().detect(photo_pixels(1))
    result = protector.protect_image(pixels, paste=True, seed=seed)
    assert result.pasted is not None
    back = np.rot90(np.asarray(result.pasted), -quarters)
    change = np.abs(back.astype(int) - photo_pixels(1)).max(2)
    for x, y in upright.points:
        place = change[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5]
        assert np.median(place) > 4
    (stranger,) = YuNet().detect(np.ascontiguousarray(back))
    assert np.abs(np.subtract(stranger.points, upright.points)).max() < 12


def jpeg(pixels: Pixels, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def damaged_jpeg() -> bytes:
    """A photo whose data are zeros for a while in the middle of the face."""
    broken = bytearray(jpeg(photo_pixels(1), quality=95, subsampling=0))
    middle = len(broken) // 2
    broken[middle : middle + 200] = bytes(200)
    return bytes(broken)


def test_a_damaged_middle_is_refused_and_may_be_accepted(tmp_path: Path) -> None:
    broken = damaged_jpeg()
    Image.open(io.BytesIO(broken)).load()  # Pillow has nothing against it
    with pytest.raises(DoubtError, match="x is a damaged JPEG file"):
        decode_photo(broken, name="x")
    assert decode_photo(broken, name="x", accept_damage=True).pixels.shape == (240, 260, 3)
    path = tmp_path / "x.jpg"
    path.write_bytes(broken)
    summary = run(quick_protector(), [path], tmp_path / "out", Options(paste=True))
    assert "--accept-doubt takes it all the same" in str(summary.records[0].error)
    assert not list((tmp_path / "out").glob("*.png"))


def test_damage_that_shifts_the_picture_is_seen_and_a_good_file_is_never_blamed() -> None:
    """JPEG has no checksum; other colours may pass, a face in another place must not."""
    rng = np.random.default_rng(0)
    pixels = data.astronaut()
    seen = 0
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 8}, {"quality": 95}):
        good = jpeg(pixels, **options)
        edges = np.diff(decode_photo(good, name="good").pixels.astype(int).sum(2))
        for _ in range(25):
            bad = bytearray(good)
            at = int(rng.integers(len(bad) // 4, 3 * len(bad) // 4))
            bad[at : at + 100] = bytes(100)
            try:
                photo = decode_photo(bytes(bad), name="x")
            except ImageError:
                seen += 1
            else:
                moved = np.abs(np.diff(photo.pixels.astype(int).sum(2)) - edges) > 60
                assert moved.mean() < 0.1
    assert seen > 75


def faces(*found: Detection, others: tuple[Detection, ...] = ()) -> Faces:
    crop = np.zeros(1)
    return Faces(tuple(Face(crop, one) for one in found), others)  # type: ignore[arg-type]


def check(seen: list[Detection], replaced: Faces, *, visible: bool = True) -> None:
    check_replaced(PHOTO.pixels, replaced, name="x.jpg", detector=Stub(seen), visible=visible)


def test_the_result_shows_strangers_and_nobody_else() -> None:
    check([face(0.9)], faces(face(0.95)))
    check([], faces(face(0.95)), visible=False)
    small = face(0.9, side=20.0, x=100.0)
    check([face(0.9), small], faces(face(0.95)))  # an eye taken for a face
    with pytest.raises(DoubtError, match=r"no face is seen at \(110, 110\)"):
        check([], faces(face(0.95)))
    with pytest.raises(DoubtError, match=r"x\.jpg a face is still seen at \(110, 110\)"):
        check([face(0.9), small], faces(small))  # the stranger is a small one on the cheek
    check([face(0.9), small], faces(small, others=(face(0.9),)))  # --largest leaves others


def test_a_result_that_still_shows_the_subject_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The detector finds a part first, and the whole face once the part is replaced."""
    path = tmp_path / "x.png"
    Image.fromarray(photo_pixels(1)).save(path)
    real = YuNet()
    (whole,) = real.detect(photo_pixels(1))
    x, y, w, h = whole.box
    part = replace(
        whole,
        box=(x + 5, y + h / 2, w / 4, h / 4),
        points=tuple((x + 5 + (a - x) / 4, y + h / 2 + (b - y) / 4) for a, b in whole.points),
    )

    class Fooled:
        calls = 0

        def detect(self, pixels: Pixels) -> list[Detection]:
            self.calls += 1
            return [[part], [], [], []][self.calls - 1] if self.calls < 5 else real.detect(pixels)

    protector = quick_protector()
    protector._detector = Fooled()
    summary = run(protector, [path], tmp_path / "out", Options(paste=True))
    assert "a face is still seen at" in str(summary.records[0].error)
    assert not list((tmp_path / "out").glob("*.png"))
    accepting = quick_protector()
    accepting.accept_doubt = True
    accepting._detector = Fooled()
    assert run(accepting, [path], tmp_path / "out", Options(paste=True)).ok


def test_faces_too_small_to_be_protected_are_counted(tmp_path: Path) -> None:
    tiny = face(0.9, side=7.0, x=10.0)
    found = find_faces(PHOTO, name="x", detector=Stub([face(0.9), tiny]))
    assert found.too_small == 1
    assert [one.detection for one in found.chosen] == [face(0.9)]
    with pytest.raises(NoFaceError, match="no face found in x but 1 of less than 8 pixels"):
        find_faces(PHOTO, name="x", detector=Stub([tiny]))
    with pytest.raises(DoubtError, match="in x the face at"):
        find_faces(
            PHOTO,
            name="x",
            detector=Stub([face(0.9)], [turned_quarter(face(0.905, turned=True))]),
        )


def turned_quarter(found: Detection, side: int = 240) -> Detection:
    x, y, w, h = found.box
    points = tuple((py, side - 1 - px) for px, py in found.points)
    return replace(found, box=(y, side - x - w, h, w), points=points)


def test_a_real_face_of_seven_pixels_is_mentioned(protector: Protector, tmp_path: Path) -> None:
    pixels = photo_pixels(1)
    small = Image.fromarray(data.astronaut()).resize((40, 40), Image.Resampling.LANCZOS)
    pixels[0:40, 0:40] = np.asarray(small)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    summary = run(protector, [tmp_path / "x.png"], tmp_path / "out", Options())
    assert summary.records[0].too_small == 1
    assert "1 too small to be protected" in describe(summary.records[0])
