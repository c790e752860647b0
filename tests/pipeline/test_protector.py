"""The facade: files and images in, protected photos out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import quick_protector, tiny
from veilface.errors import ImageError, NoFaceError, UnknownNameError, WeightsError
from veilface.pipeline import ensemble
from veilface.pipeline.photos import photo_of
from veilface.pipeline.protector import Protector
from veilface.types import ProtectedPhoto


@pytest.fixture(scope="module")
def protector() -> Protector:
    return quick_protector()


def pixels_of(photo: ProtectedPhoto) -> list[bytes]:
    return [face.image.tobytes() for face in photo.faces]


def save(path: Path, faces: int = 1) -> Path:
    Image.fromarray(photo_pixels(faces)).save(path)
    return path


def test_every_face_is_protected_and_says_where_it_was(
    protector: Protector, tmp_path: Path
) -> None:
    photo = protector.protect_file(save(tmp_path / "a.png", 3))
    assert len(photo.faces) == 3
    assert photo.pasted is None
    for face in photo.faces:
        assert face.image.size == (112, 112)
        assert face.image.mode == "RGB"
        assert set(face.similarity) == {"a", "b", "c"}
        assert face.detection is not None
    areas = [f.detection.box[2] * f.detection.box[3] for f in photo.faces if f.detection]
    assert areas == sorted(areas, reverse=True)


def test_largest_face_only(protector: Protector, tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", 3)
    (face,) = protector.protect_file(path, largest=True).faces
    assert face.detection == protector.protect_file(path).faces[0].detection


def test_no_face_names_the_file(protector: Protector, tmp_path: Path) -> None:
    path = save(tmp_path / "wall.png", 0)
    with pytest.raises(NoFaceError, match=r"no face found in .*wall\.png"):
        protector.protect_file(path)


def test_aligned_takes_a_crop_as_it_is(protector: Protector) -> None:
    crop = photo_pixels(1)[40:152, 60:172]
    (face,) = protector.protect_image(crop, aligned=True).faces
    assert face.detection is None
    with pytest.raises(ImageError, match="the image is 260x240; an aligned crop is 112x112"):
        protector.protect_image(photo_pixels(1), aligned=True)


def test_paste_replaces_faces_and_nothing_else(protector: Protector) -> None:
    source = photo_pixels(2)
    photo = protector.protect_image(source, paste=True)
    assert photo.pasted is not None
    pasted = np.asarray(photo.pasted)
    assert pasted.shape == source.shape
    changed = (pasted != source).any(axis=2)
    for face in photo.faces:
        assert face.detection is not None
        x, y, w, h = (round(value) for value in face.detection.box)
        assert changed[y + h // 4 : y + 3 * h // 4, x + w // 4 : x + 3 * w // 4].mean() > 0.9
    assert not changed[:, :20].any()


def test_same_seed_same_pixels_whatever_the_batch(protector: Protector, tmp_path: Path) -> None:
    one, two = save(tmp_path / "one.png", 1), save(tmp_path / "two.png", 2)
    alone = protector.protect_file(two, seed=5)
    together = protector.protect_files([one, two], seed=5)[1]
    assert pixels_of(alone) == pixels_of(together)
    assert pixels_of(alone) == pixels_of(quick_protector(batch_size=1).protect_file(two, seed=5))
    assert pixels_of(alone) != pixels_of(protector.protect_file(two, seed=6))


def test_without_a_seed_every_result_is_another(protector: Protector, tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    assert pixels_of(protector.protect_file(path)) != pixels_of(protector.protect_file(path))


def test_turned_photo_gives_the_face_of_the_upright_one(
    protector: Protector, tmp_path: Path
) -> None:
    upright = save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise, so stored after one the other way
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(photo_pixels(1))))
    turned.save(tmp_path / "turned.png", exif=exif)
    first = protector.protect_file(upright, seed=1)
    second = protector.protect_file(tmp_path / "turned.png", seed=1)
    assert first.faces[0].detection == second.faces[0].detection
    assert pixels_of(first) == pixels_of(second)
    third = protector.protect_image(Image.open(tmp_path / "turned.png"), seed=1)
    assert pixels_of(third) == pixels_of(first)


def test_grey_stays_grey_and_alpha_stays(protector: Protector) -> None:
    grey = Image.fromarray(photo_pixels(1)).convert("L")
    photo = protector.protect_image(grey, paste=True)
    assert photo.pasted is not None
    assert photo.pasted.mode == "L"
    assert photo.faces[0].image.mode == "L"
    alpha = np.full(grey.size[::-1], 255, np.uint8)
    alpha[:50] = 7
    rgba = Image.fromarray(np.dstack([photo_pixels(1), alpha]))
    pasted = protector.protect_image(rgba, paste=True).pasted
    assert pasted is not None
    assert pasted.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(pasted)[:, :, 3], alpha)


def test_similarity_of_grey_faces_is_that_of_the_grey_image(protector: Protector) -> None:
    crop = photo_pixels(1)[40:152, 60:172].copy()
    crop[:] = crop[:, :, :1]
    (face,) = protector.protect_image(crop, aligned=True).faces
    grey = np.repeat(np.asarray(face.image)[:, :, None], 3, axis=2)
    x, y = (photo_of(picture).pixels for picture in (crop, grey))
    first = protector.prepare(photo_of(x), name="x", aligned=True).faces[0].crop[None]
    second = protector.prepare(photo_of(y), name="y", aligned=True).faces[0].crop[None]
    assert protector.engine.similarity(first, second)[0] == pytest.approx(dict(face.similarity))


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4), float), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_arrays_of_another_kind_are_refused(protector: Protector, bad: np.ndarray) -> None:
    with pytest.raises(ImageError, match="the image"):
        protector.protect_image(bad)


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'persona'"):
        Protector(preset="personna", recognizers=[tiny()])
    with pytest.raises(UnknownNameError, match="unknown recognizer 'sfacee'"):
        Protector(recognizers=["sfacee"])


def test_default_ensemble_is_what_is_present_of_the_verified_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ensemble, "available", lambda: ["faceres", "fr_feature", "sface", "dlib"])
    assert ensemble.choose() == ["dlib", "sface", "fr_feature"]
    assert ensemble.choose(["faceres", "dlib", "faceres"]) == ["faceres", "dlib"]
    monkeypatch.setattr(ensemble, "available", lambda: ["faceres"])
    with pytest.raises(WeightsError, match="no recogniser is present"):
        ensemble.choose()


def test_small_ensembles_are_told_what_to_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "available", lambda: ["dlib", "sface"])
    note = ensemble.coverage_note(["dlib", "sface"])
    assert note is not None
    assert "others may not match" in note
    assert "veilface recognizers fetch mobilefacenet" in note
    assert ensemble.coverage_note(["dlib", "sface", "mobilefacenet"]) is None
