"""LFW: what is read, and one sentence for everything that is not LFW."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets import layouts
from veilface.datasets import FacePair, FaceRecord, load_faces, load_pairs
from veilface.errors import DatasetError

GOOD = layouts.LFW_PAIRS


def test_pairs_in_order_with_folds_and_people(tmp_path: Path) -> None:
    found = load_pairs("lfw", layouts.lfw(tmp_path))
    assert found.name == "LFW view 2"
    assert found.pairs == (
        FacePair("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", same=True, fold=0),
        FacePair("Ann/Ann_0001.jpg", "Bob/Bob_0001.jpg", same=False, fold=0),
        FacePair("Bob/Bob_0001.jpg", "Bob/Bob_0002.jpg", same=True, fold=1),
        FacePair("Cid/Cid_0012.jpg", "Bob/Bob_0002.jpg", same=False, fold=1),
    )
    assert found.records["Cid/Cid_0012.jpg"].identity == "Cid"
    assert found.one_each() == ("Ann/Ann_0001.jpg", "Bob/Bob_0001.jpg", "Cid/Cid_0012.jpg")
    assert found.same.tolist() == [True, False, True, False]
    assert found.folds.tolist() == [0, 0, 1, 1]


def test_an_image_in_no_pair_is_a_record_too(tmp_path: Path) -> None:
    faces = load_faces("lfw", layouts.lfw(tmp_path))
    assert faces.name == "LFW"
    assert [record.name for record in faces.records][-2:] == [
        "Cid/Cid_0012.jpg",
        "Dan/Dan_0001.jpg",
    ]
    assert {person: len(records) for person, records in faces.identities.items()} == {
        "Ann": 2,
        "Bob": 2,
        "Cid": 1,
        "Dan": 1,
    }
    assert faces.pairs is not None
    assert "Dan/Dan_0001.jpg" not in faces.pairs.images
    path = tmp_path / "Ann" / "Ann_0001.jpg"
    assert faces.records[0] == FaceRecord("Ann/Ann_0001.jpg", "Ann", path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"line 1 .* is ''"),
        ("ten 300\n", "folds and pairs of each kind"),
        ("2\t1\nAnn\t1\t2\n", "has 1 pairs; its first line promises 2 folds of 1 \\+ 1"),
        (GOOD.replace("Ann\t1\t2", "Ann\t1\tx"), r"line 2 of .* not name, i, j"),
        (GOOD.replace("Ann\t1\tBob\t1", "Ann\t1\t2"), r"line 3 of .* not name1, i, name2, j"),
        (GOOD.replace("Ann\t1\tBob\t1", "Ann\t1\tAnn\t2"), "two different people"),
        (GOOD.replace("Bob\t1\t2", "../Bob\t1\t2"), r"images .* are missing, .*\.\./Bob"),
        (GOOD.replace("Cid\t12", "Cid\t13"), r"1 of the 5 images .* missing, for .*Cid_0013\.jpg"),
    ],
)
def test_malformed_files_are_told_apart(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        load_pairs("lfw", layouts.lfw(tmp_path, text))


def test_limit_takes_equally_many_of_each_group(tmp_path: Path) -> None:
    text = "1 2\nAnn 1 2\nBob 1 2\nAnn 1 Bob 1\nAnn 2 Bob 2"
    whole = load_pairs("lfw", layouts.lfw(tmp_path, text))
    less = whole.limited(3)
    assert [(pair.same, pair.first) for pair in less.pairs] == [
        (True, "Ann/Ann_0001.jpg"),
        (False, "Ann/Ann_0001.jpg"),
    ]
    assert less.images == ("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bob/Bob_0001.jpg")
    assert less.name == "LFW view 2, 2 of them"
    assert whole.limited(100) is whole
    with pytest.raises(DatasetError, match="too small"):
        whole.limited(1)


def test_within_keeps_the_pairs_of_the_images_that_are_left(tmp_path: Path) -> None:
    whole = load_pairs("lfw", layouts.lfw(tmp_path))
    less = whole.within({"Ann/Ann_0001.jpg", "Bob/Bob_0001.jpg", "Bob/Bob_0002.jpg"})
    assert [(pair.same, pair.fold) for pair in less.pairs] == [(False, 0), (True, 1)]
    assert whole.within(whole.images) is whole


@pytest.mark.data
def test_the_official_pairs(lfw: Path) -> None:
    faces = load_faces("lfw", lfw)
    pairs = faces.pairs
    assert pairs is not None
    assert len(pairs.pairs) == 6000
    assert len(faces.records) == len(pairs.images) == 7701
    assert len(faces.identities) == len(pairs.one_each()) == 4281
    assert sum(len(records) > 1 for records in faces.identities.values()) == 1559
    assert pairs.same.reshape(10, 2, 300).all(axis=2).tolist() == [[True, False]] * 10
