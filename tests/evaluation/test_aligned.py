"""Records to aligned faces: crops as they are, photos by detection, bad files by name."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from tests.fixtures.faces import synthetic_faces
from veilface.datasets import FaceRecord, load_faces
from veilface.evaluation.aligned import FaceReader, aligned_faces, prominence
from veilface.imaging.tensors import to_uint8
from veilface.types import Detection


def png(image: Tensor) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(image)).save(buffer, "PNG")
    return buffer.getvalue()


def record(name: str, data: bytes) -> FaceRecord:
    return FaceRecord(name, None, data)


def photo(face: Tensor, *, size: tuple[int, int], place: tuple[int, int], scale: int = 1) -> Tensor:
    """A grey (3, H, W) photo with an enlarged face whose top left corner is at (x, y)."""
    canvas = torch.full((3, *size), 0.5)
    return paste(canvas, face, place=place, scale=scale)


def paste(canvas: Tensor, face: Tensor, *, place: tuple[int, int], scale: int = 1) -> Tensor:
    side = 112 * scale
    large = F.interpolate(face[None], size=(side, side), mode="bilinear")[0]
    x, y = place
    canvas[:, y : y + side, x : x + side] = large
    return canvas


def test_crops_are_taken_as_they_are_and_in_order(tmp_path: Path) -> None:
    faces = synthetic_faces(3)
    (tmp_path / "b.png").write_bytes(png(faces[1]))
    records = [
        record("a", png(faces[0])),
        FaceRecord("b.png", "Bob", tmp_path / "b.png"),
        record("c", png(faces[2])),
    ]
    told: list[tuple[int, int]] = []
    found = aligned_faces(records, progress=lambda done, of: told.append((done, of)))
    assert found.faces.dtype == torch.float32
    assert np.array_equal(to_uint8(found.faces), to_uint8(faces))
    assert found.records == tuple(records)
    assert not found.failures
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_bad_file_costs_its_own_record_only(tmp_path: Path) -> None:
    face = synthetic_faces(1)[0]
    records = [
        record("empty", b""),
        record("text", b"no image at all, but long enough to be looked at"),
        record("fine", png(face)),
        record("nobody", png(torch.full((3, 100, 150), 0.5))),
        FaceRecord("gone.jpg", "Ann", tmp_path / "gone.jpg"),
    ]
    found = aligned_faces(records)
    assert [one.name for one in found.records] == ["fine"]
    assert found.faces.shape == (1, 3, 112, 112)
    assert list(found.failures) == ["empty", "text", "nobody", "gone.jpg"]
    assert found.failures["nobody"] == "no face found in nobody"
    assert all(name in sentence for name, sentence in found.failures.items())


def test_nothing_but_bad_files_is_an_empty_batch() -> None:
    found = aligned_faces([record("empty", b"")])
    assert found.faces.shape == (0, 3, 112, 112)
    assert found.records == ()


def test_the_face_of_a_photo_is_found_and_put_into_the_template() -> None:
    face = synthetic_faces(1)[0]
    picture = photo(face, size=(420, 380), place=(70, 90), scale=2)
    found = FaceReader().read(record("photo", png(picture)))
    # Within a pixel or two of the template: the middle matches the face, a shifted one does not.
    inner = slice(24, 88)
    error = (found - face)[:, inner, inner].abs().mean()
    shifted = (found.roll(12, -1) - face)[:, inner, inner].abs().mean()
    assert error < 0.05
    assert error < shifted / 2


def test_of_several_faces_the_subject_counts() -> None:
    middle, corner = synthetic_faces(2, seed=3)
    picture = photo(middle, size=(600, 600), place=(200, 200), scale=2)
    picture = paste(picture, corner, place=(0, 0))
    found = FaceReader().read(record("group", png(picture)))
    inner = slice(24, 88)
    errors = [(found - face)[:, inner, inner].abs().mean() for face in (middle, corner)]
    assert errors[0] < errors[1] / 2


def test_a_central_face_outweighs_a_slightly_larger_one_at_the_border() -> None:
    def box(x: float, y: float, side: float) -> Detection:
        return Detection((x, y, side, side), ((0.0, 0.0),) * 5, 0.9)

    def weight(face: Detection) -> float:
        return prominence(face, width=250, height=250)

    central, border, huge = box(75, 75, 100), box(0, 0, 110), box(0, 0, 240)
    assert weight(central) == pytest.approx(100 * 100)
    assert weight(border) == pytest.approx(110 * 110 - 2 * 2 * 70**2)
    assert weight(border) < weight(central) < weight(huge)


@pytest.mark.data
def test_crops_of_lfw_align_to_themselves(lfw: Path) -> None:
    """Enlarged and framed, a crop is a photo; detection and alignment bring the crop back."""
    records = load_faces("lfw", lfw).records[::1500][:5]
    crops = aligned_faces(records)
    assert crops.records == records
    framed = [
        record(one.name, png(photo(face, size=(300, 300), place=(38, 38), scale=2)))
        for one, face in zip(records, crops.faces, strict=True)
    ]
    found = aligned_faces(framed)
    assert not found.failures
    inner = slice(24, 88)
    # (photo, crop) distances; the landmarks of two detectors differ by a few pixels.
    distances = (found.faces[:, None] - crops.faces[None])[..., inner, inner].abs().mean((2, 3, 4))
    assert distances.argmin(1).tolist() == list(range(5))
    assert distances.diag().max() < 0.1
