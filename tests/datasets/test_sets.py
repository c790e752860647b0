"""Every other set in its owner's layout: records, pairs, folds, and a sentence for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets import layouts
from veilface.datasets import FacePair, FaceSet, load_faces, load_pairs
from veilface.errors import DatasetError


def people(faces: FaceSet) -> dict[str, list[str]]:
    return {
        person: [record.name for record in records] for person, records in faces.identities.items()
    }


def test_celeba_has_identities_and_no_pairs(tmp_path: Path) -> None:
    faces = load_faces("celeba", layouts.celeba(tmp_path))
    assert faces.name == "CelebA"
    assert people(faces) == {
        "00017": ["img_align_celeba/000002.jpg"],
        "02880": ["img_align_celeba/000001.jpg", "img_align_celeba/000003.jpg"],
    }
    assert faces.pairs is None
    with pytest.raises(DatasetError, match="CelebA has no verification protocol"):
        load_pairs("celeba", tmp_path)


def test_celeba_identities_also_beside_the_images(tmp_path: Path) -> None:
    root = layouts.celeba(tmp_path)
    (root / "Anno" / "identity_CelebA.txt").rename(root / "identity_CelebA.txt")
    assert len(load_faces("celeba", root).records) == 3


def test_pairs_of_celeba_in_the_wild_have_their_own_name(tmp_path: Path) -> None:
    faces = load_faces("celeba", layouts.celeba_wild(tmp_path))
    assert faces.name == "CelebA-wild-299"
    assert faces.pairs is not None
    assert faces.pairs.name == "CelebA-wild-299"
    assert faces.pairs.pairs == (
        FacePair("7201/000001.jpg", "7201/000002.jpg", same=True, fold=0),
        FacePair("7201/000001.jpg", "7202/000003.jpg", same=False, fold=1),
    )
    assert list(faces.identities) == ["7201", "7202"]


def test_agedb_reads_identity_and_age_from_the_name(tmp_path: Path) -> None:
    faces = load_faces("agedb", layouts.agedb(tmp_path))
    assert people(faces) == {
        "Ann": ["0_Ann_35_f.jpg", "1_Ann_70_f.jpg"],
        "BobBrown": ["10_BobBrown_64_m.jpg", "2_BobBrown_20_m.jpg"],
    }
    assert {record.name: record.age for record in faces.records}["10_BobBrown_64_m.jpg"] == 64
    assert faces.pairs is None


def test_agedb_pairs_from_a_list_are_ten_consecutive_folds(tmp_path: Path) -> None:
    text = "0_Ann_35_f.jpg 1_Ann_70_f.jpg 1\n1_Ann_70_f.jpg 2_BobBrown_20_m.jpg 0\n" * 10
    pairs = load_pairs("agedb", layouts.agedb(tmp_path, text))
    assert pairs.name == "AgeDB-30"
    assert pairs.folds.tolist() == [fold for fold in range(10) for _ in range(2)]
    assert pairs.same.tolist() == [True, False] * 10


@pytest.mark.parametrize("compressed", [True, False])
def test_agedb_pairs_from_the_owners_protocol_package(tmp_path: Path, compressed: bool) -> None:
    faces = load_faces("agedb", layouts.agedb_protocol(tmp_path, compressed=compressed))
    assert faces.pairs is not None
    listed = [
        (f"03_Protocol_Images/{first}.jpg", f"03_Protocol_Images/{second}.jpg", label == 1, fold)
        for fold, pairs in enumerate(layouts.AGEDB_PROTOCOL)
        for first, _, second, _, label in pairs
    ]
    assert [(p.first, p.second, p.same, p.fold) for p in faces.pairs.pairs] == listed
    ages = {record.name: record.age for record in faces.records}
    assert ages["03_Protocol_Images/7_Bob_2_A_44.jpg"] == 44
    assert list(faces.identities) == ["Ann", "Bob"]


def test_cplfw_counts_the_folds_of_each_kind(tmp_path: Path) -> None:
    faces = load_faces("cplfw", layouts.cplfw(tmp_path))
    assert faces.name == "CPLFW"
    assert faces.pairs is not None
    assert faces.pairs.pairs == (
        FacePair("aligned images/Ann_1.jpg", "aligned images/Ann_2.jpg", same=True, fold=0),
        FacePair("aligned images/Bob_J_1.jpg", "aligned images/Bob_J_3.jpg", same=True, fold=5),
        FacePair("aligned images/Ann_1.jpg", "aligned images/Bob_J_1.jpg", same=False, fold=0),
        FacePair("aligned images/Ann_2.jpg", "aligned images/Bob_J_3.jpg", same=False, fold=5),
    )
    assert people(faces)["Bob_J"] == [
        f"aligned images/Bob_J{end}.jpg" for end in ("-2", "_1", "_3")
    ]


@pytest.mark.parametrize(
    ("image", "person"),
    [
        ("Landon_Donovan_3jpg.jpg", "Landon_Donovan"),
        ("Mike_Montgomery_3.jip.jpg", "Mike_Montgomery"),
    ],
)
def test_odd_names_of_cplfw_still_name_the_person(tmp_path: Path, image: str, person: str) -> None:
    layouts.put(layouts.cplfw(tmp_path) / "aligned images" / image, layouts.jpeg())
    assert people(load_faces("cplfw", tmp_path))[person] == [f"aligned images/{image}"]


def test_calfw_labels_of_any_number_are_one_person(tmp_path: Path) -> None:
    pairs = load_pairs("calfw", layouts.calfw(tmp_path))
    assert pairs.same.tolist() == [True] * 10 + [False] * 10
    assert pairs.folds.tolist() == [*range(10), *range(10)]
    assert pairs.images[0] == "images&landmarks/images/Ann_0001.jpg"


def test_cfp_frontal_pairs(tmp_path: Path) -> None:
    faces = load_faces("cfp-ff", layouts.cfp(tmp_path))
    assert faces.name == "CFP-FF"
    assert len(faces.records) == 4
    assert list(faces.identities) == ["001", "002"]
    assert faces.pairs is not None
    first = "Data/Images/001/frontal/01.jpg"
    assert faces.pairs.pairs[:2] == (
        FacePair(first, "Data/Images/001/frontal/02.jpg", same=True, fold=0),
        FacePair(first, "Data/Images/002/frontal/01.jpg", same=False, fold=0),
    )
    assert faces.pairs.folds.tolist() == [0, 0, 1, 1]


def test_cfp_profile_pairs_count_in_the_other_list(tmp_path: Path) -> None:
    faces = load_faces("cfp-fp", layouts.cfp(tmp_path))
    assert len(faces.records) == 6
    assert faces.pairs is not None
    assert [pair.second for pair in faces.pairs.pairs[:4]] == [
        f"Data/Images/{person}/profile/01.jpg" for person in ("001", "002", "002", "001")
    ]
    assert faces.pairs.same.tolist() == [True, True, False, False] * 2


def test_folders_are_people(tmp_path: Path) -> None:
    layouts.put(tmp_path / "casia" / "0000045" / "001.jpg", layouts.jpeg())
    layouts.put(tmp_path / "casia" / "0000099" / "001.PNG", layouts.jpeg())
    layouts.put(tmp_path / "casia" / "0000099" / ".thumb.jpg", layouts.jpeg())
    layouts.put(tmp_path / "casia" / "list.txt", "no folder")
    faces = load_faces("folders", tmp_path / "casia")
    assert faces.name == "casia"
    assert people(faces) == {"0000045": ["0000045/001.jpg"], "0000099": ["0000099/001.PNG"]}
    assert faces.pairs is None


def test_malformed_sets_are_told_apart(tmp_path: Path) -> None:
    def fails(name: str, root: Path, sentence: str) -> None:
        with pytest.raises(DatasetError, match=sentence):
            load_faces(name, root)

    here = iter(tmp_path / str(n) for n in range(20))
    fails("celeba", layouts.celeba(next(here), "000001.jpg\n"), "line 1 of .*image and identity")
    fails("celeba", layouts.celeba(next(here), "000001.jpg 1\n"), "nobody for 2 of the 3 images")
    wild = layouts.WILD_PAIRS
    fails(
        "celeba",
        layouts.celeba_wild(next(here), wild.replace("\n0 ", "\n1 ")),
        "line 2 of .* wrong label",
    )
    fails("celeba", layouts.celeba_wild(next(here), wild[:-3]), "line 2 of .* not label")
    fails("agedb", layouts.agedb(next(here), "0_Ann_35_f.jpg 1\n"), "line 1 .*two images and a lab")
    fails("agedb", layouts.agedb(next(here), "0_Ann_35_f.jpg 9_X_1_f.jpg 1\n"), "1 of the 2 images")
    fails("agedb", layouts.agedb(next(here), ""), "holds no pairs")
    fails("agedb", layouts.lfw(next(here)) / "Ann", "there is no image of the set in")
    cplfw = layouts.CPLFW_PAIRS
    fails("cplfw", layouts.cplfw(next(here), cplfw + "Ann_1.jpg 1\n"), "9 lines; a pair is two")
    fails("cplfw", layouts.cplfw(next(here), cplfw.replace("2.jpg 1", "2.jpg 0", 1)), "two labels")
    fails("cplfw", layouts.cplfw(next(here), cplfw.replace("2.jpg 1", "2.jpg x", 1)), "lines 1 and")
    fails("cplfw", layouts.cplfw(next(here), folder="photos"), "no folder 'aligned images'")
    fails("cfp-ff", layouts.cfp(next(here), same="1;2\n"), "line 1 of .*not two image numbers")
    fails("cfp-ff", layouts.cfp(next(here), diff="1,9\n"), "image 9; the list has 4 images")


@pytest.mark.data
def test_the_pairs_of_celeba_in_the_wild(data_root: Path) -> None:
    faces = load_faces("celeba", data_root / "celeba112")
    pairs = faces.pairs
    assert pairs is not None
    assert (len(faces.records), len(faces.identities), len(pairs.pairs)) == (6281, 299, 6000)
    assert [int(pairs.same[pairs.folds == fold].sum()) for fold in range(10)] == [300] * 10
    # The folds are disjoint in identity.
    seen = [
        {pairs.records[image].identity for pair in pairs.pairs if pair.fold == fold
         for image in (pair.first, pair.second)}
        for fold in range(10)
    ]  # fmt: skip
    assert sum(map(len, seen)) == len(set().union(*seen))
