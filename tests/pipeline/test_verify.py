"""The comparison of two photos: best pair, thresholds, and what is never compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import quick_protector, tiny
from veilface.errors import NoFaceError, UncalibratedError, UnknownNameError
from veilface.imaging.encode import encode, write_atomic
from veilface.imaging.tensors import to_uint8
from veilface.pipeline import verify as module
from veilface.pipeline.verify import compare, verify, verify_all
from veilface.recognizers import get_spec


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two recognisers: `threshold(fmr)` of the tiny ones is 1 - 100 fmr."""
    table = {"a": tiny("a", seed=1), "b": tiny("b", seed=2)}

    def load(name: str, **_: object) -> object:
        if name not in table:
            raise UnknownNameError("recognizer", name, table)
        return table[name]

    monkeypatch.setattr(module, "load_recognizer", load)
    monkeypatch.setattr(module, "available", lambda: list(table))


def test_best_pair_of_several_faces_is_found_and_named() -> None:
    faces = synthetic_faces(5)
    first, second = faces[:3], torch.cat([faces[3:], faces[1:2]])
    result = compare(tiny(), first, second, fmr=1e-3)
    assert result.pair == (1, 2)
    assert result.faces == (3, 3)
    assert result.score == pytest.approx(1.0, abs=1e-5)
    assert result.match


def test_score_is_the_cosine_and_the_threshold_decides() -> None:
    x, y = synthetic_faces(2)[:, None]
    recognizer = tiny()
    expected = float((recognizer.embed(x) * recognizer.embed(y)).sum())
    gap = 1 - expected
    strict = compare(recognizer, x, y, fmr=0.5 * gap / 100)
    assert strict.score == pytest.approx(expected)
    assert strict.threshold == pytest.approx(1 - 0.5 * gap)
    assert not strict.match
    assert compare(recognizer, x, y, fmr=2 * gap / 100).match


def test_without_thresholds_there_is_a_score_and_no_decision() -> None:
    recognizer = tiny()
    recognizer.spec = replace(get_spec("facenet-casia"), name="tiny")
    result = compare(recognizer, *synthetic_faces(1)[None].expand(2, 1, 3, 112, 112), fmr=1e-3)
    assert result.score == pytest.approx(1.0, abs=1e-5)
    assert result.threshold is None
    assert result.match is None
    assert result.decision == "uncalibrated"
    assert compare(tiny(), *synthetic_faces(2)[:, None], fmr=9e-3).decision == "match"


def test_truth_is_the_decision_and_nothing_else() -> None:
    """``if verify(a, b):`` was true for everybody."""
    x, y = synthetic_faces(2)[:, None]
    assert compare(tiny(), x, x, fmr=1e-3)
    assert not compare(tiny(), x, y, fmr=1e-9)
    undecided = replace(compare(tiny(), x, x, fmr=1e-3), threshold=None, match=None)
    with pytest.raises(UncalibratedError, match=r"no decision.*\.match is None"):
        bool(undecided)


def test_same_photo_as_file_image_and_array(tmp_path: Path) -> None:
    pixels = photo_pixels(1)
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    for other in (path, str(path), Image.open(path), pixels):
        result = verify(path, other, recognizer="b")
        assert result.recognizer == "b"
        assert result.score == pytest.approx(1.0, abs=1e-5)


def test_every_recogniser_answers() -> None:
    pixels = photo_pixels(2)
    results = verify_all(pixels, photo_pixels(1, seed=9))
    assert [result.recognizer for result in results] == ["a", "b"]
    assert all(result.faces == (2, 1) for result in results)


def test_photo_without_a_face_is_never_compared(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.fromarray(photo_pixels(0)).save(path)
    with pytest.raises(NoFaceError, match=r"no face found in .*wall\.png, so there is nothing"):
        verify(photo_pixels(1), path, recognizer="a")


def test_own_output_is_the_crop_that_it_is_even_without_a_visible_face(tmp_path: Path) -> None:
    mark = quick_protector().mark
    noise = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    write_atomic(tmp_path / "marked.png", encode(noise, format="png", mark=mark))
    write_atomic(tmp_path / "plain.png", encode(noise, format="png"))
    assert verify(photo_pixels(1), tmp_path / "marked.png", recognizer="a").faces == (1, 1)
    with pytest.raises(NoFaceError):
        verify(photo_pixels(1), tmp_path / "plain.png", recognizer="a")


def test_aligned_compares_the_pixels_as_they_are() -> None:
    x = to_uint8(synthetic_faces(1)[0])
    assert verify(x, x, recognizer="a", aligned=True).score == pytest.approx(1.0, abs=1e-5)


def test_unknown_recogniser() -> None:
    with pytest.raises(UnknownNameError, match="available: a, b"):
        verify(photo_pixels(1), photo_pixels(1), recognizer="c")
