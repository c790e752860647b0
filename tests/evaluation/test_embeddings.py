from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.people import synthetic_people
from veilface.datasets.base import FaceRecord
from veilface.evaluation import embeddings as module
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.embeddings import embed_photos
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import load_recognizer

RECORDS = synthetic_people(4).records


@pytest.fixture(scope="module")
def dlib() -> Recognizer:
    return load_recognizer("dlib")


def test_rows_are_the_embeddings(dlib: Recognizer, tmp_path: Path) -> None:
    table = embed_photos([dlib], RECORDS, folder=tmp_path)
    expected = embed_faces(dlib, aligned_faces(RECORDS).faces)
    np.testing.assert_allclose(table.rows("dlib", RECORDS), expected, atol=1e-5)
    rows = table.rows("dlib", [RECORDS[3], None])
    np.testing.assert_allclose(rows[0], expected[3], atol=1e-5)
    assert np.isnan(rows[1]).all()


def test_kept_block_by_block(
    dlib: Recognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 3)
    calls: list[tuple[int, int]] = []
    first = embed_photos([dlib], RECORDS, folder=tmp_path, progress=lambda *c: calls.append(c))
    assert calls == [(0, 8), (3, 8), (6, 8), (8, 8)]
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    files[0].write_bytes(b"damaged")  # as if the disk had been full
    asked: list[int] = []

    def watched(records: object) -> object:
        asked.append(len(records))  # type: ignore[arg-type]
        return aligned_faces(records)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "aligned_faces", watched)
    again = embed_photos([dlib], RECORDS, folder=tmp_path)
    assert len(asked) == 1, "one block only"
    np.testing.assert_array_equal(again.rows("dlib", RECORDS), first.rows("dlib", RECORDS))


def test_changed_photo_is_another(dlib: Recognizer, tmp_path: Path) -> None:
    before = embed_photos([dlib], RECORDS[:1], folder=tmp_path)
    changed = replace(RECORDS[0], source=RECORDS[5].source)
    after = embed_photos([dlib], [changed], folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert not np.allclose(
        before.rows("dlib", RECORDS[:1]), after.rows("dlib", [changed]), atol=1e-3
    )


def test_unreadable_photos_are_named(dlib: Recognizer, tmp_path: Path) -> None:
    broken = [
        FaceRecord("broken", "x", b"no image"),
        FaceRecord("missing", "y", tmp_path / "missing.png"),
    ]
    for _ in range(2):  # computed, and found again
        table = embed_photos([dlib], [RECORDS[0], *broken], folder=tmp_path)
        assert set(table.failures) == {"broken", "missing"}
        assert "does not exist" in table.failures["missing"]
        assert set(table.vectors["dlib"]) == {RECORDS[0].name}
