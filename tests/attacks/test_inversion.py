"""Embedding inversion: its eigenfaces and least squares, the descent, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load
from sklearn.linear_model import Ridge
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.attacks import eigenfaces, inversion
from veilface.attacks.base import Setting
from veilface.attacks.eigenfaces import FaceSpace
from veilface.attacks.inversion import descend, invert_embedding
from veilface.attacks.victim import Victim
from veilface.errors import DatasetError
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import Job
from veilface.recognizers.embedding import Vectors, embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import available, load_recognizer
from veilface.training.images import TrainingImages


def photos(seed: int) -> TrainingImages:
    pixels = torch.from_numpy(to_uint8(synthetic_faces(20, seed=seed))).movedim(-1, 1)
    return TrainingImages("drawn", pixels)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    if not available(["sface"]):
        pytest.skip("the package with the weights of sface is not installed")
    return Setting(Victim(Job("clean"), tmp_path), tmp_path, photos(1))


@pytest.fixture
def space(setting: Setting) -> FaceSpace:
    invert_embedding(setting)
    return kept(setting)


def kept(setting: Setting) -> FaceSpace:
    (file,) = setting.folder.glob("embedding-*.safetensors")
    return FaceSpace(**load(file.read_bytes()))


def cosine(recognizer: Recognizer, found: Tensor, vectors: Tensor) -> Tensor:
    return (torch.from_numpy(embed_faces(recognizer, found)) * vectors).sum(dim=1)


def test_photos_are_embedded_once(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded: list[int] = []

    def counted(recognizer: Recognizer, faces: Tensor) -> Vectors:
        embedded.append(len(faces))
        return embed_faces(recognizer, faces)

    monkeypatch.setattr(eigenfaces, "embed_faces", counted)
    invert_embedding(setting)
    invert_embedding(replace(setting, minutes=20, width=1.0))
    assert embedded == [20]
    invert_embedding(replace(setting, faces=photos(2)))
    assert embedded == [20, 20]


def test_eigenfaces_hold_what_singular_vectors_hold(setting: Setting, space: FaceSpace) -> None:
    assert setting.faces is not None
    pixels = (setting.faces.pixels.float() / 255 - space.mean).flatten(1)
    lengths = np.linalg.svd(pixels.numpy(), compute_uv=False)
    assert len(space.basis) == 19
    spread = torch.from_numpy(lengths[: len(space.basis)] / len(pixels) ** 0.5)
    torch.testing.assert_close(space.basis.norm(dim=1), spread, rtol=1e-3, atol=1e-4)


def test_an_embedding_points_where_a_ridge_regression_says(
    setting: Setting, space: FaceSpace
) -> None:
    assert setting.faces is not None
    faces = setting.faces.pixels.float() / 255
    vectors = embed_faces(load_recognizer("sface"), faces)
    lengths = space.basis.norm(dim=1)
    coefficients = (faces - space.mean).flatten(1) @ (space.basis / lengths[:, None]).T / lengths
    off = vectors - vectors.mean(axis=0)
    strength = 0.1 * float(np.mean(np.sum(off**2, axis=0)))
    oracle = Ridge(alpha=strength).fit(vectors, coefficients.numpy())
    others = embed_faces(load_recognizer("sface"), synthetic_faces(3, seed=60))
    wanted = torch.from_numpy(oracle.predict(others)).float()
    torch.testing.assert_close(space.point(torch.from_numpy(others)), wanted, rtol=0, atol=1e-3)


def test_the_descent_brings_a_face_to_its_embedding(
    space: FaceSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of people who are not among the photos, and none of them moved by its neighbours."""
    monkeypatch.setattr(inversion, "STEPS", 15)
    recognizer = load_recognizer("sface")
    vectors = torch.from_numpy(embed_faces(recognizer, synthetic_faces(3, seed=50)))
    before = cosine(recognizer, space.paint(space.point(vectors)).clamp(0, 1), vectors)
    found = descend(space, recognizer, vectors, seed=0)
    assert bool((cosine(recognizer, found, vectors) > before + 0.05).all())
    torch.testing.assert_close(
        descend(space, recognizer, vectors[:1], seed=0), found[:1], atol=2 / 255, rtol=0
    )


def test_few_eigenfaces_are_the_first(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eigenfaces, "_EIGENFACES", 6)
    assert setting.faces is not None
    invert_embedding(setting)
    pixels = setting.faces.pixels.float() / 255
    lengths = np.linalg.svd((pixels - pixels.mean(dim=0)).flatten(1).numpy(), compute_uv=False)
    spread = torch.from_numpy(lengths[:6] / 20**0.5)
    found = kept(setting).basis.norm(dim=1)
    torch.testing.assert_close(found[:3], spread[:3], rtol=0.02, atol=0)
    assert bool((found < 1.001 * spread).all())  # the last of a few are approximate


def test_many_faces_are_inverted_in_batches(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inversion, "STEPS", 2)
    told: list[tuple[str, int, int]] = []
    fitted = invert_embedding(replace(setting, progress=lambda *line: told.append(line)))
    sent = setting.victim.protect(synthetic_faces(10, seed=4))
    found = fitted.recover(sent)
    last = fitted.recover(replace(sent, images=sent.images[-2:]))
    torch.testing.assert_close(found[-2:], last, atol=2 / 255, rtol=0)
    assert told[-5:-2] == [("inverting", done, 10) for done in (0, 8, 10)]
    assert torch.equal(fitted.recover(sent), found)
    assert len(told) == 6  # what was inverted is kept


def test_too_few_photos_are_refused(setting: Setting) -> None:
    with pytest.raises(DatasetError, match="5 photos span no space of faces; 20 are needed"):
        invert_embedding(replace(setting, pairs=5))


def test_of_several_versions_the_mean_of_their_embeddings_is_inverted(
    setting: Setting, space: FaceSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inversion, "STEPS", 2)
    fitted = invert_embedding(setting)
    versions = [setting.victim.protect(synthetic_faces(2, seed=seed)) for seed in (4, 5)]
    recognizer = load_recognizer("sface")
    summed = sum(embed_faces(recognizer, version.images) for version in versions)
    mean = torch.nn.functional.normalize(torch.as_tensor(summed), dim=1)
    wanted = descend(space, recognizer, mean, seed=setting.seed)
    torch.testing.assert_close(fitted.attack(versions), wanted, atol=2 / 255, rtol=0)
    alone = fitted.attack(versions[:1])
    assert torch.equal(alone, fitted.recover(versions[0]))
    assert float((alone - wanted).abs().max()) > 0.02
