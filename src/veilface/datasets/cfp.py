"""Celebrities in Frontal-Profile: 500 people, frontal against frontal (FF) and profile (FP).

Source:
    Sengupta et al., Frontal to Profile Face Verification in the Wild, WACV 2016
    (https://doi.org/10.1109/WACV.2016.7477558). ``Protocol/Pair_list_F.txt`` and
    ``Pair_list_P.txt`` number the images, as in ``1 ../Data/Images/001/frontal/01.jpg``;
    ``Protocol/Split/FF/01/same.txt`` and ``diff.txt`` hold the pairs of a fold, as in ``1,2``.
"""

from __future__ import annotations

import posixpath
from pathlib import Path

from veilface.datasets.base import FacePair, FacePairs, FaceRecord, FaceSet
from veilface.datasets.files import folders_in, images_in, rows, sorted_records
from veilface.errors import DatasetError

IMAGES = "Data/Images"
PROTOCOL = "Protocol"

_POSES = {"F": "frontal", "P": "profile"}


def load_cfp_ff(root: Path) -> FaceSet:
    """Read CFP with its frontal-frontal protocol; the records are the frontal images.

    Args:
        root: Folder with ``Data`` and ``Protocol``.

    Raises:
        DatasetError: A folder, a file or an image is missing, or a line is malformed.
    """
    return _load(root, "FF")


def load_cfp_fp(root: Path) -> FaceSet:
    """Read CFP with its frontal-profile protocol; see `load_cfp_ff`."""
    return _load(root, "FP")


def _load(root: Path, protocol: str) -> FaceSet:
    records = sorted_records(
        (
            FaceRecord(f"{IMAGES}/{person.name}/{pose}/{image.name}", person.name, image)
            for person in folders_in(root / IMAGES)
            for pose in sorted({_POSES[letter] for letter in protocol})
            for image in images_in(person / pose)
        ),
        root=root / IMAGES,
    )
    first, second = (_numbered(root, letter) for letter in protocol)
    split = root / PROTOCOL / "Split" / protocol
    pairs = [
        FacePair(_look_up(first, a, path, line), _look_up(second, b, path, line), same, fold)
        for fold, folder in enumerate(folders_in(split))
        for same, path in ((True, folder / "same.txt"), (False, folder / "diff.txt"))
        for line, a, b in _read_pairs(path)
    ]
    name = f"CFP-{protocol}"
    return FaceSet(name, root, records, FacePairs.of(name, pairs, records, listed_in=split))


def _numbered(root: Path, letter: str) -> dict[str, str]:
    """Names of the images by their numbers; the paths are relative to the list."""
    path = root / PROTOCOL / f"Pair_list_{letter}.txt"
    images: dict[str, str] = {}
    for number, line in rows(path):
        words = line.split(maxsplit=1)
        if len(words) != 2 or not words[0].isdecimal():
            raise DatasetError(f"line {number} of {path} is {line[:60]!r}, not number and image")
        images[words[0]] = posixpath.normpath(posixpath.join(PROTOCOL, words[1]))
    return images


def _read_pairs(path: Path) -> list[tuple[int, str, str]]:
    pairs = []
    for number, line in rows(path):
        words = [word.strip() for word in line.split(",")]
        if len(words) != 2 or not all(word.isdecimal() for word in words):
            raise DatasetError(f"line {number} of {path} is {line[:60]!r}, not two image numbers")
        pairs.append((number, words[0], words[1]))
    return pairs


def _look_up(images: dict[str, str], number: str, path: Path, line: int) -> str:
    if number not in images:
        raise DatasetError(
            f"line {line} of {path} names image {number}; the list has {len(images)} images"
        )
    return images[number]
