"""The pair file of LFW: what is read, and one sentence for everything that is not LFW."""

from __future__ import annotations

from pathlib import Path

import pytest

from veilface.datasets import FacePair, load_pairs
from veilface.errors import DatasetError, UnknownNameError

GOOD = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nCid\t12\tBob\t2\n"


def folder(root: Path, text: str = GOOD) -> Path:
    (root / "pairs.txt").write_text(text, encoding="utf-8")
    for name, numbers in (("Ann", (1, 2)), ("Bob", (1, 2)), ("Cid", (12,))):
        (root / name).mkdir(exist_ok=True)
        for number in numbers:
            (root / name / f"{name}_{number:04d}.jpg").touch()
    return root


def test_pairs_in_order_with_folds_and_people(tmp_path: Path) -> None:
    found = load_pairs("lfw", folder(tmp_path))
    assert found.pairs == (
        FacePair("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", same=True, fold=0),
        FacePair("Ann/Ann_0001.jpg", "Bob/Bob_0001.jpg", same=False, fold=0),
        FacePair("Bob/Bob_0001.jpg", "Bob/Bob_0002.jpg", same=True, fold=1),
        FacePair("Cid/Cid_0012.jpg", "Bob/Bob_0002.jpg", same=False, fold=1),
    )
    assert found.people["Cid/Cid_0012.jpg"] == "Cid"
    assert found.one_each() == ("Ann/Ann_0001.jpg", "Bob/Bob_0001.jpg", "Cid/Cid_0012.jpg")
    assert found.same.tolist() == [True, False, True, False]
    assert found.folds.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"line 1 .* is ''"),
        ("ten 300\n", "folds and pairs of each kind"),
        ("2\t1\nAnn\t1\t2\n", "has 1 pairs; its first line promises 2 folds of 1 \\+ 1"),
        (GOOD.replace("Ann\t1\t2", "Ann\t1\tx"), r"line 2 of .* not name, i, j"),
        (GOOD.replace("Ann\t1\tBob\t1", "Ann\t1\t2"), r"line 3 of .* not name1, i, name2, j"),
        (GOOD.replace("Ann\t1\tBob\t1", "Ann\t1\tAnn\t2"), "two different people"),
        (GOOD.replace("Bob\t1\t2", "../Bob\t1\t2"), "does not name one person"),
        (GOOD.replace("Cid\t12", "Cid\t13"), r"1 of the 5 images .* missing, for .*Cid_0013\.jpg"),
    ],
)
def test_malformed_files_are_told_apart(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        load_pairs("lfw", folder(tmp_path, text))


def test_no_folder_and_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot read .*pairs\.txt: LFW is a folder"):
        load_pairs("lfw", tmp_path / "nowhere")
    with pytest.raises(UnknownNameError, match="unknown data set 'lwf'; did you mean 'lfw'"):
        load_pairs("lwf", tmp_path)


def test_limit_takes_equally_many_of_each_group(tmp_path: Path) -> None:
    whole = load_pairs("lfw", folder(tmp_path, "1 2\nAnn 1 2\nBob 1 2\nAnn 1 Bob 1\nAnn 2 Bob 2"))
    less = whole.limited(3)
    assert [(pair.same, pair.first) for pair in less.pairs] == [
        (True, "Ann/Ann_0001.jpg"),
        (False, "Ann/Ann_0001.jpg"),
    ]
    assert set(less.images) == {"Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bob/Bob_0001.jpg"}
    assert whole.limited(100) is whole
    with pytest.raises(DatasetError, match="too small"):
        whole.limited(1)


@pytest.mark.data
def test_the_official_pairs(lfw: Path) -> None:
    pairs = load_pairs("lfw", lfw)
    assert len(pairs.pairs) == 6000
    assert len(pairs.images) == 7701
    assert len(set(pairs.people.values())) == 4281
    assert pairs.same.reshape(10, 2, 300).all(axis=2).tolist() == [[True, False]] * 10
