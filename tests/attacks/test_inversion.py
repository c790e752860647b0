"""Embedding inversion: photos are embedded once, and again when they are others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from veilface.attacks import inversion
from veilface.attacks.base import Setting
from veilface.attacks.victim import Victim
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import Job
from veilface.recognizers.embedding import Vectors, embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import available
from veilface.training.images import TrainingImages


def photos(seed: int) -> TrainingImages:
    pixels = torch.from_numpy(to_uint8(synthetic_faces(20, seed=seed))).movedim(-1, 1)
    return TrainingImages("drawn", pixels)


def test_photos_are_embedded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not available(["sface"]):
        pytest.skip("the package with the weights of sface is not installed")
    embedded: list[int] = []

    def counted(recognizer: Recognizer, faces: torch.Tensor) -> Vectors:
        embedded.append(len(faces))
        return embed_faces(recognizer, faces)

    monkeypatch.setattr(inversion, "embed_faces", counted)
    setting = Setting(
        Victim(Job("clean"), tmp_path), tmp_path, photos(1), minutes=0.001, width=1 / 16
    )
    inversion.invert_embedding(setting)
    inversion.invert_embedding(replace(setting, seed=1))
    assert embedded == [20]
    inversion.invert_embedding(replace(setting, faces=photos(2), seed=2))
    assert embedded == [20, 20]
