"""An evaluation reads a photo once, and decodes nothing to learn that it is there."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.people import synthetic_people, with_pairs
from veilface.datasets.base import FaceSet
from veilface.evaluation import aligned
from veilface.evaluation.evaluator import evaluate
from veilface.evaluation.results import Evaluation
from veilface.imaging import decode
from veilface.protectors.veil.presets import PRESETS

QUICK = replace(PRESETS["persona"], steps=1, decoys=1)


@pytest.fixture
def people(tmp_path: Path) -> FaceSet:
    """Four people with two photos each, as files."""
    faces = synthetic_people(4)
    records = []
    for record in faces.records:
        path = tmp_path / "photos" / record.name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(record.source, bytes)
        path.write_bytes(record.source)
        records.append(replace(record, source=path))
    return replace(faces, records=tuple(records))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Counter[str]]:
    """How often each file is opened for reading, and decoded."""
    counts: dict[str, Counter[str]] = {"read": Counter(), "decoded": Counter()}
    real_open, real_decode = Path.open, decode.decode_photo

    def opened(self: Path, mode: str = "r", *args: Any, **more: Any) -> Any:  # noqa: ANN401
        if "r" in mode:
            counts["read"][str(self)] += 1
        return real_open(self, mode, *args, **more)

    def decoded(data: bytes, *, name: str, **more: Any) -> decode.Photo:  # noqa: ANN401
        counts["decoded"][name] += 1
        return real_decode(data, name=name, **more)

    monkeypatch.setattr(Path, "open", opened)
    for module in (decode, aligned):
        monkeypatch.setattr(module, "decode_photo", decoded)
    return counts


def run(people: FaceSet, cache: Path) -> Evaluation:
    return evaluate(
        people,
        [QUICK],
        ["dlib"],
        ["sface"],
        cache=cache,
        limit=2,
        controls=False,
        ten_fold=False,
        draws=2,
        jobs=1,
    )


def test_every_photo_once_and_no_chunk_to_learn_that_it_is_there(
    people: FaceSet, tmp_path: Path, counted: dict[str, Counter[str]]
) -> None:
    cache = tmp_path / "cache"
    photos = {str(record.source) for record in people.records}
    first = run(people, cache)
    for count in counted.values():
        assert {count[photo] for photo in photos & set(count)} == {1}
    assert len(photos & set(counted["decoded"])) >= 4, "two people, two photos each"
    chunks = {str(path) for path in cache.glob("*.png")}
    assert len(chunks) == 3, "the probes, their other photos, and another draw of the probes"
    assert {counted["decoded"][chunk] for chunk in chunks} == {1}

    for count in counted.values():
        count.clear()
    again = run(people, cache)
    for count in counted.values():
        assert {count[photo] for photo in photos & set(count)} == {1}
    assert {counted["decoded"][chunk] for chunk in chunks} == {1}
    assert [row.to_dict() for row in again.rows] == [row.to_dict() for row in first.rows]


def test_the_photos_of_pairs_are_embedded_once_for_any_choice_of_people(tmp_path: Path) -> None:
    faces = with_pairs(synthetic_people(5))

    def kept(limit: int) -> set[Path]:
        evaluate(
            faces, ["blur"], ["dlib"], ["sface"], cache=tmp_path, limit=limit, controls=False,
            adr=False, jobs=1,
        )  # fmt: skip
        return set(tmp_path.glob("*.npz"))

    few = kept(2)
    assert few
    assert kept(4) == few
