"""The judge: equal images are measured once, and strangers are matched row by row."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.attacks import scores
from veilface.attacks.scores import Judge
from veilface.measures.appearance import Appearance, Measured
from veilface.measures.intervals import Estimate
from veilface.measures.recognition import CleanSide
from veilface.protectors.base import quantise
from veilface.recognizers.embedding import Vectors
from veilface.recognizers.recognizer import Recognizer


class Counting:
    seed = 0

    def __init__(self) -> None:
        self.calls = 0

    def measure(self, images: Tensor) -> Measured:
        self.calls += 1
        return Measured({"ssim": Estimate(float(images.mean()), 0, 1, len(images))}, {})


def pixels(recognizer: object, images: Tensor) -> Vectors:
    flat = images.flatten(1).numpy()
    return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    monkeypatch.setattr(scores, "embed_faces", pixels)
    monkeypatch.setattr(scores, "recognise", lambda *_, seed: {"xdr": Estimate(0.5, 0, 1, 2)})
    clean = SimpleNamespace(thresholds={"0.001": 0.999})
    return Judge(cast("Appearance", Counting()), cast("CleanSide", clean), cast("Recognizer", None))


def test_equal_images_are_measured_once(judge: Judge) -> None:
    faces = quantise(synthetic_faces(2))
    first = judge.measure(faces)
    assert set(first) == {"ssim", "xdr"}
    assert judge.measure(faces.clone()) == first
    assert judge.measure(faces + 0.001) == first, "they are rounded to 8 bits first"
    assert cast("Counting", judge.appearance).calls == 1
    assert judge.measure(faces.flip(3)) != {}
    assert cast("Counting", judge.appearance).calls == 2


def test_each_image_is_matched_with_its_own_stranger(judge: Judge) -> None:
    faces = synthetic_faces(3)
    assert judge.matched(faces, faces).value == 1
    assert judge.matched(faces, faces.roll(1, 0)).value == 0
    assert judge.matched(faces, torch.cat([faces[:1], faces[1:].flip(0)])).value == 1 / 3
