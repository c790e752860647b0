"""Folders of aligned faces as training sets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from veilface.errors import DatasetError
from veilface.imaging.encode import encode
from veilface.imaging.tensors import to_uint8
from veilface.training.images import INDEX, load_images


def write(folder: Path, names: list[str], *, side: int = 112) -> torch.Tensor:
    faces = synthetic_faces(len(names))[..., :side, :side]
    for name, face in zip(names, faces, strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(to_uint8(face), format="png"))
    return faces


def test_a_flat_folder_is_read_in_order(tmp_path: Path) -> None:
    faces = write(tmp_path, ["b.png", "a.png", "c.png"])
    images = load_images(tmp_path)
    batch = images.batch(torch.tensor([1, 0, 2]))
    assert torch.allclose(batch.faces, faces, atol=1 / 255)
    assert images.people is None
    assert batch.inside.min() == 1
    assert len(load_images(tmp_path, limit=2)) == 2


def test_people_are_numbered_by_folder(tmp_path: Path) -> None:
    write(tmp_path, ["x/1.png", "x/2.png", "y/1.png"])
    images = load_images(tmp_path)
    assert images.people is not None
    assert images.people.tolist() == [0, 0, 1]


def test_the_index_says_what_lies_outside_of_the_source(tmp_path: Path) -> None:
    write(tmp_path, ["a.png"])
    # Half size, moved 40 down: the source's 200 rows become rows 40 to 112, its 200 columns 0-100.
    matrix = "0.5,0.0,0.0,0.0,0.5,40.0"
    (tmp_path / INDEX).write_text(
        f"file,source,m00,m01,m02,m10,m11,m12\na.png,s,{matrix}\n", encoding="utf-8"
    )
    inside = load_images(tmp_path).batch(torch.tensor([0])).inside[0, 0]
    assert inside[45:, :95].min() == 1
    assert inside[:39].max() == 0
    assert inside[:, 101:].max() == 0
    (tmp_path / INDEX).write_text("file,m00\nb.png,1\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"a\.png"):
        load_images(tmp_path)


def test_a_mirrored_batch_mirrors_the_mask_too(tmp_path: Path) -> None:
    write(tmp_path, ["a.png"])
    (tmp_path / INDEX).write_text(
        "file,m00,m01,m02,m10,m11,m12\na.png,0.5,0,0,0,0.5,40\n", encoding="utf-8"
    )
    images = load_images(tmp_path)
    plain = images.batch(torch.tensor([0]))
    mirrored = images.batch(torch.tensor([0]), flipped=torch.tensor([True]))
    assert torch.equal(mirrored.faces, plain.faces.flip(-1))
    assert torch.equal(mirrored.inside, plain.inside.flip(-1))


def test_draws_repeat_under_one_generator(tmp_path: Path) -> None:
    write(tmp_path, [f"{k}.png" for k in range(5)])
    images = load_images(tmp_path)
    first, again, other = (images.draw(8, torch.Generator().manual_seed(k)) for k in (1, 1, 2))
    assert torch.equal(first.faces, again.faces)
    assert not torch.equal(first.faces, other.faces)
    assert set(first.indices.tolist()) <= set(range(5))


def test_the_last_images_are_for_validation(tmp_path: Path) -> None:
    write(tmp_path, [f"{k}.png" for k in range(5)])
    train, rest = load_images(tmp_path).split(2)
    assert (len(train), len(rest)) == (3, 2)
    with pytest.raises(DatasetError, match="cannot be kept"):
        load_images(tmp_path).split(5)


def test_what_is_no_aligned_face_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no image"):
        load_images(tmp_path)
    write(tmp_path, ["a.png"], side=100)
    with pytest.raises(DatasetError, match="112x112"):
        load_images(tmp_path)
