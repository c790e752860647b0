"""The bank of strangers and the draws from it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import veilface
from veilface.core.randomness import Draws
from veilface.detection.yunet import YuNet
from veilface.errors import WeightsError
from veilface.imaging.tensors import to_uint8
from veilface.protectors.veil.presets import PRESETS
from veilface.protectors.veil.starts import Stranger, Variation
from veilface.protectors.veil.strangers import SHIPPED, load_bank


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_index_and_files_agree() -> None:
    bank = load_bank()
    assert len(bank) == len(bank.portraits) == len({p["sha256"] for p in bank.portraits})
    for data, portrait in zip(bank.files, bank.portraits, strict=True):
        assert hashlib.sha256(data).hexdigest() == portrait["sha256"]


def test_portraits_are_aligned_faces() -> None:
    bank = load_bank()
    which = torch.arange(0, len(bank), max(1, len(bank) // 12))
    faces = bank.faces(which)
    assert faces.shape == (len(which), 3, 112, 112)
    detector = YuNet()
    for pixels in to_uint8(faces):
        face = detector.detect(np.ascontiguousarray(pixels))[0]
        eyes = np.array(face.points)[:2]
        assert np.abs(eyes - np.array([[38.3, 51.7], [73.5, 51.5]])).max() < 6


def test_every_stream_draws_its_own_stranger() -> None:
    start = Stranger()
    faces = start.faces(Draws(12, generator=seeded(0)))
    assert len({face.numpy().tobytes() for face in faces}) == 12
    again = start.faces(Draws(12, generator=seeded(0)))
    assert torch.equal(faces, again)
    alone = start.faces(Draws(1, generator=[torch.Generator().manual_seed(7)]))
    batch = start.faces(Draws(2, generator=[torch.Generator().manual_seed(k) for k in (3, 7)]))
    torch.testing.assert_close(alone[0], batch[1])


def test_the_whole_bank_is_drawn_from() -> None:
    bank = load_bank()
    drawn = (Draws(4000, generator=seeded(1)).uniform() * len(bank)).long()
    assert int(drawn.min()) < len(bank) / 100 + 1
    assert int(drawn.max()) > len(bank) * 0.99 - 1


def test_variation_is_another_picture_of_the_same_range() -> None:
    portrait = load_bank().faces(torch.zeros(8, dtype=torch.int64))
    varied = Variation()(portrait, Draws(8, generator=seeded(2)))
    room = Variation().room
    assert room - 1e-6 <= float(varied.min()) < float(varied.max()) <= 1 - room + 1e-6
    assert len({face.numpy().tobytes() for face in varied}) == 8
    still = Variation(*[0.0] * 8)
    both = still(portrait, Draws(8, generator=seeded(2)))
    for face in both:
        distance = min(
            float((face - other).abs().max()) for other in (portrait[0], portrait[0].flip(2))
        )
        assert distance < 1e-5, "without variation a portrait is itself or its mirror image"


@pytest.mark.parametrize("content", [b"no zip", None])
def test_no_bank_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bank.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"bank\.zip is no bank of strangers"):
        load_bank(path)


def test_empty_bank_says_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.json", json.dumps({"about": {}, "portraits": []}))
    with pytest.raises(WeightsError, match="bank without portraits"):
        load_bank(path)


def test_a_bank_of_ones_own(tmp_path: Path) -> None:
    path, buffer = tmp_path / "own.zip", io.BytesIO()
    Image.new("RGB", (112, 112), (200, 120, 40)).save(buffer, "WEBP", lossless=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.webp", buffer.getvalue())
        archive.writestr("index.json", json.dumps({"about": {}, "portraits": [{"file": "a.webp"}]}))
    faces = Stranger(bank=str(path)).faces(Draws(2, generator=seeded(0)))
    assert faces.shape == (2, 3, 112, 112)
    assert float(faces.std(dim=(2, 3)).max()) < 1e-5


def test_a_start_says_what_it_depends_on(tmp_path: Path) -> None:
    path = tmp_path / "bank.zip"
    path.write_bytes((Path(veilface.__file__).parent / "data" / SHIPPED).read_bytes())
    elsewhere, shipped = Stranger(among=64, bank=str(path)), Stranger(among=64)
    assert (
        elsewhere.files()
        == shipped.files()
        == {"bank": hashlib.sha256(path.read_bytes()).hexdigest()}
    )
    assert elsewhere.placeless() == shipped.placeless() == shipped
    paper = PRESETS["paper"].start
    assert (paper.files(), paper.placeless()) == ({}, paper)
