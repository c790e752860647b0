"""AgeDB: faces whose file names carry identity and age, and the pairs of AgeDB-30.

Two packages of the owner are read: all 16,488 images as ``0_MariaCallas_35_f.jpg``, and the
protocol package with the images of its pairs as ``0_MariaCallas_12_A_35.jpg`` in
``03_Protocol_Images`` and the pairs in a MATLAB file. Beside the first, pairs may stand in
``agedb_30_pair.txt``, lines ``image image label`` in the order of the ten folds.

Source:
    Moschoglou et al., AgeDB: the first manually collected, in-the-wild age database, CVPRW 2017
    (https://doi.org/10.1109/CVPRW.2017.250).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from veilface.datasets.base import FacePair, FacePairs, FaceRecord, FaceSet
from veilface.datasets.files import images_in, rows, sorted_records, tenth
from veilface.datasets.matlab import read_matlab
from veilface.errors import DatasetError

PROTOCOL = "04_FINAL_protocol_30_years.mat"
PROTOCOL_IMAGES = "03_Protocol_Images"
LIST = "agedb_30_pair.txt"
NAME = "AgeDB-30"

_IMAGE = re.compile(r"\d+_(?P<person>.+?)_(?:(?P<age>\d+)_[mf]|\d+_A_(?P<own_age>\d+))")


def load_agedb(root: Path) -> FaceSet:
    """Read AgeDB.

    Args:
        root: Folder with the images, or the protocol package.

    Returns:
        Every image that is named in this way, with its age, and the pairs of AgeDB-30 where they
        are there.

    Raises:
        DatasetError: The folder is missing or holds no such image, a pair names an image that is
            not there, or the pairs are malformed.
    """
    folder = PROTOCOL_IMAGES if (root / PROTOCOL_IMAGES).is_dir() else ""
    records = sorted_records(_records(root, folder), root=root / folder)
    protocol, listed = root / PROTOCOL, root / LIST
    if protocol.is_file():
        pairs = FacePairs.of(NAME, _protocol_pairs(protocol), records, listed_in=protocol)
    elif listed.is_file():
        pairs = FacePairs.of(NAME, _listed_pairs(listed), records, listed_in=listed)
    else:
        pairs = None
    return FaceSet("AgeDB", root, records, pairs)


def _records(root: Path, folder: str) -> Iterator[FaceRecord]:
    for image in images_in(root / folder):
        found = _IMAGE.fullmatch(image.stem)
        if found is not None:
            name = f"{folder}/{image.name}" if folder else image.name
            age = int(found["age"] or found["own_age"])
            yield FaceRecord(name, found["person"], image, age=age)


def _protocol_pairs(path: Path) -> list[FacePair]:
    """From ``splits``: a cell a fold, each a structure of the 2xN cells ``pairs`` and ``annot``."""
    try:
        return [
            FacePair(_protocol_image(first), _protocol_image(second), label == 1, fold)
            for fold, split in enumerate(read_matlab(path)["splits"])
            for first, second, label in _columns(split)
        ]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} does not hold the splits of AgeDB's protocol") from error


def _columns(split: Any) -> list[tuple[Any, Any, float]]:  # noqa: ANN401 - whatever the file holds
    images, labels = split["pairs"], split["annot"].tolist()
    # MATLAB stores by column: first and second image of a pair follow each other.
    return list(zip(images[::2], images[1::2], labels, strict=True))


def _protocol_image(image: Any) -> str:  # noqa: ANN401 - as above
    return f"{PROTOCOL_IMAGES}/{image['name']}.jpg"


def _listed_pairs(path: Path) -> list[FacePair]:
    lines = rows(path)
    pairs = []
    for index, (number, line) in enumerate(lines):
        words = line.split()
        if len(words) != 3 or words[2] not in ("0", "1"):
            raise DatasetError(
                f"line {number} of {path} is {line[:60]!r}, not two images and a label (0 or 1)"
            )
        pairs.append(FacePair(words[0], words[1], words[2] == "1", tenth(index, len(lines))))
    return pairs
