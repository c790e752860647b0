"""CALFW and CPLFW: the people of LFW across ages and across poses.

Source:
    Zheng et al., Cross-Age LFW, arXiv:1708.08197; Zheng and Deng, Cross-Pose LFW, BUPT TR 18-01,
    2018. Both lists give a pair as two lines ``image label``; a label of 0 is two people, any other
    one person. The genuine pairs are listed in the order of the ten folds, and so are the impostor
    pairs, wherever the two kinds stand in relation to each other.
"""

from __future__ import annotations

import re
from pathlib import Path

from veilface.datasets.base import FacePair, FacePairs, FaceRecord, FaceSet
from veilface.datasets.files import images_in, rows, sorted_records, tenth
from veilface.errors import DatasetError

# CALFW has its 250x250 images in the last, CPLFW in the second; the aligned ones are 112x112.
FOLDERS = ("aligned images", "images", "images&landmarks/images")

# Name, number, and the odd endings of a few images of CPLFW such as Leni_Bjorklund-2.jpg.
_IMAGE = re.compile(r"(?P<person>.+)[_-]\d+[^\d_-]*")


def load_calfw(root: Path) -> FaceSet:
    """Read CALFW; see `load_cplfw`."""
    return _load(root, "CALFW")


def load_cplfw(root: Path) -> FaceSet:
    """Read CPLFW.

    Args:
        root: Folder with ``pairs_CPLFW.txt`` and ``aligned images``, or ``images``.

    Raises:
        DatasetError: The folder, the file or an image is missing, or a line is malformed.
    """
    return _load(root, "CPLFW")


def _load(root: Path, name: str) -> FaceSet:
    path = root / f"pairs_{name}.txt"
    listed = _read_pairs(path)
    present = [folder for folder in FOLDERS if (root / folder).is_dir()]
    if not present:
        raise DatasetError(f"there is no folder '{FOLDERS[0]}' or '{FOLDERS[1]}' in {root}")
    folder = present[0]
    records = sorted_records(
        (_record(folder, image) for image in images_in(root / folder)), root=root / folder
    )
    count = {same: sum(pair[2] is same for pair in listed) for same in (True, False)}
    seen = {True: 0, False: 0}
    pairs = []
    for first, second, same in listed:
        fold = tenth(seen[same], count[same])
        pairs.append(FacePair(f"{folder}/{first}", f"{folder}/{second}", same, fold))
        seen[same] += 1
    return FaceSet(name, root, records, FacePairs.of(name, pairs, records, listed_in=path))


def _read_pairs(path: Path) -> list[tuple[str, str, bool]]:
    lines = rows(path)
    if len(lines) % 2:
        raise DatasetError(f"{path} has {len(lines)} lines; a pair is two lines")
    pairs = []
    for (number, first), (_, second) in zip(lines[::2], lines[1::2], strict=True):
        words = [first.rsplit(maxsplit=1), second.rsplit(maxsplit=1)]
        if any(len(row) != 2 or not row[1].isdecimal() for row in words):
            raise DatasetError(
                f"lines {number} and after of {path} are {first[:60]!r} and {second[:60]!r}, "
                "not twice an image and a label"
            )
        if words[0][1] != words[1][1]:
            raise DatasetError(
                f"the pair in line {number} of {path} has two labels, "
                f"{words[0][1]} and {words[1][1]}"
            )
        pairs.append((words[0][0], words[1][0], int(words[0][1]) != 0))
    return pairs


def _record(folder: str, image: Path) -> FaceRecord:
    found = _IMAGE.fullmatch(image.name)
    person = found["person"] if found else image.stem
    return FaceRecord(f"{folder}/{image.name}", person, image)
