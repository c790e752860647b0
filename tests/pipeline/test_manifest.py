"""The record that makes a run resumable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from veilface.pipeline.manifest import Manifest, OutputRecord, Record, default_path

RECORD = Record(
    input="photos/a.jpg",
    name="a",
    status="done",
    sha256="00" * 32,
    parameters={"preset": "persona", "surrogates": {"dlib": "ff"}},
    reproducible=False,
    outputs=(
        OutputRecord(
            "a.veil.png",
            (
                {
                    "box": [1.0, 2.0, 3.0, 4.0],
                    "landmarks": [[1.5, 2.5]],
                    "similarity": {"dlib": 0.97},
                },
            ),
        ),
    ),
    seconds=1.5,
)


def loaded(root: Path) -> Manifest:
    manifest = Manifest(root)
    manifest.load()
    return manifest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.veil.png").touch()
    Manifest(folder).append(RECORD)
    return folder


def test_a_record_comes_back_as_it_was(root: Path) -> None:
    assert loaded(root).find(replace(RECORD, outputs=(), status="failed")) == RECORD


def test_one_json_object_a_line(root: Path) -> None:
    Manifest(root).append(replace(RECORD, name="b\nü"))
    lines = default_path(root).read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["a", "b\nü"]


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, sha256="11" * 32),
        replace(RECORD, sha256=None),
        replace(RECORD, parameters={**RECORD.parameters, "preset": "paper"}),
        replace(RECORD, reproducible=True),
        replace(RECORD, name="b", input="b.jpg"),
    ],
)
def test_other_content_parameters_or_file_is_not_done(root: Path, other: Record) -> None:
    assert loaded(root).find(other) is None


def test_same_file_under_another_name_or_the_other_way_round_is_done(root: Path) -> None:
    assert loaded(root).find(replace(RECORD, name="a.jpg")) is not None
    assert loaded(root).find(replace(RECORD, input="elsewhere/a.jpg")) is not None


def test_missing_output_is_not_done(root: Path) -> None:
    (root / "a.veil.png").unlink()
    assert loaded(root).find(RECORD) is None


def test_failures_are_recorded_and_tried_again(tmp_path: Path) -> None:
    failed = replace(RECORD, status="failed", outputs=(), error="no face found in a.jpg")
    Manifest(tmp_path).append(failed)
    assert loaded(tmp_path).find(failed) is None
    assert json.loads(default_path(tmp_path).read_text())["error"] == "no face found in a.jpg"


@pytest.mark.parametrize("torn", [b'{"input": "b.jpg", "na', b"\x00\xff\xfe", b"[]", b"3", b"{}"])
def test_torn_last_line_is_passed_over_and_written_after(root: Path, torn: bytes) -> None:
    with default_path(root).open("ab") as file:
        file.write(torn)
    manifest = loaded(root)
    assert manifest.find(RECORD) == RECORD
    (root / "b.veil.png").touch()
    outputs = (OutputRecord("b.veil.png", ()),)
    second = replace(RECORD, name="b", input="b.jpg", sha256="22" * 32, outputs=outputs)
    manifest.append(second)
    again = loaded(root)
    assert again.find(RECORD) == RECORD
    assert again.find(second) == second


def test_unwritable_manifest_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"out\.veilface\.jsonl"):
        Manifest(tmp_path / "missing" / "out").append(RECORD)
