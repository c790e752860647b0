"""The native column on drawn people and with methods whose answer is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.fixtures.people import synthetic_people, with_pairs
from tests.fixtures.trained import keep_drawn_weights
from veilface.datasets.base import FacePairs
from veilface.errors import UnknownNameError, UntrainedError
from veilface.paper import native
from veilface.paper.native import PUBLISHED, Natives
from veilface.protectors.native import transmitted
from veilface.protectors.registry import METHODS
from veilface.types import Protected

TRAINING = {"width": 1.0, "faces": {"name": "drawn", "images": 40}}


@pytest.fixture
def pairs() -> FacePairs:
    protocol = with_pairs(synthetic_people(8)).pairs
    assert protocol is not None
    return protocol


@dataclass
class Reader:
    """Reads what is sent pixel by pixel, or sees nothing in it."""

    blind: bool
    training: Mapping[str, Any] = field(default_factory=lambda: TRAINING)

    def embed(self, made: Protected) -> Tensor:
        sent = transmitted(made)
        if self.blind:
            return torch.ones(len(sent), 4) / 2
        small = nn.functional.adaptive_avg_pool2d(sent, 14).flatten(1)
        return nn.functional.normalize(small - small.mean(dim=1, keepdim=True), dim=1)


def test_a_reader_that_sees_scores_above_one_that_is_blind(
    pairs: FacePairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {}
    for blind in (False, True):
        monkeypatch.setattr(native, "native_recognizer", lambda _, blind=blind: Reader(blind))
        rows[blind] = Natives(pairs, seed=0).row("duetface")
    assert rows[False].accuracy.value > 0.7 > rows[True].accuracy.value
    assert rows[True].accuracy.value == pytest.approx(0.5)
    assert rows[False].accuracy.n == len(pairs.pairs)
    assert rows[False].accuracy.low < rows[False].accuracy.value
    assert rows[False].published == 0.9982
    assert "40 images of drawn" in rows[False].recognizer


def test_scores_are_kept_until_something_else_is_read(
    pairs: FacePairs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read: list[int] = []

    class Counting(Reader):
        def embed(self, made: Protected) -> Tensor:
            read.append(len(made.images))
            return super().embed(made)

    monkeypatch.setattr(native, "native_recognizer", lambda _: Counting(blind=False))

    def row(seed: int = 0, *, few: FacePairs = pairs) -> native.NativeRow:
        read.clear()
        return Natives(few, seed=seed, cache=tmp_path / "native").row("partialface")

    first = row()
    images = sum(read)
    assert images == len(pairs.images)
    assert row() == first
    assert sum(read) == min(images, 8)  # the batch that shows that nothing has changed
    row(1)
    assert sum(read) == images
    monkeypatch.setattr(native, "native_recognizer", lambda _: Reader(blind=True))
    assert row().accuracy.value == pytest.approx(0.5)
    assert len(list((tmp_path / "native").iterdir())) == 3


def test_every_method_has_a_published_figure() -> None:
    assert set(PUBLISHED) == set(METHODS)


def test_residue_and_its_picture_are_read_by_one_network(
    pairs: FacePairs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path))
    keep_drawn_weights()
    monkeypatch.setattr(native, "_about", lambda training: "drawn")
    seen = []

    def network(channels: Tensor) -> Tensor:
        seen.append(channels.shape[1:])
        return nn.functional.normalize(channels.mean(dim=(2, 3)), dim=1)

    monkeypatch.setattr(native, "residue_recognizer", lambda: network)
    first, second = Natives(pairs, seed=0).residue()
    assert (first.method, second.method) == ("minusface: r", "minusface: d(r)")
    assert set(seen) == {(192, 112, 112)}
    assert first.accuracy.n == second.accuracy.n == len(pairs.pairs)


def test_what_is_missing_is_said(
    pairs: FacePairs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path))
    with pytest.raises(UntrainedError, match="veilface train duetface-native"):
        Natives(pairs, seed=0).row("duetface")
    with pytest.raises(UnknownNameError, match="duetface"):
        Natives(pairs, seed=0).row("duet")
