"""Labeled Faces in the Wild: every image, and the official pairs of view 2.

Source:
    Huang et al., Labeled Faces in the Wild, UMass TR 07-49, 2007; format of ``pairs.txt``:
    first line folds and pairs of each kind in a fold, then per fold the lines ``name i j`` (same
    person) and ``name1 i name2 j`` (two people), separated by tabs.
"""

from __future__ import annotations

from pathlib import Path

from veilface.datasets.base import FacePair, FacePairs, FaceSet
from veilface.datasets.files import read_lines
from veilface.datasets.folders import person_records
from veilface.errors import DatasetError

PAIRS = "pairs.txt"


def load_lfw(root: Path) -> FaceSet:
    """Read LFW.

    Args:
        root: Folder with ``pairs.txt`` and the images as ``Name/Name_0001.jpg``, 250x250 as
            distributed or aligned to 112x112.

    Returns:
        Every image of the folders, whether a pair names it or not, and the pairs in file order.

    Raises:
        DatasetError: The folder, the file or an image is missing, or a line is malformed.
    """
    path = root / PAIRS
    pairs = _read_pairs(path)
    records = person_records(root)
    return FaceSet("LFW", root, records, FacePairs.of("LFW view 2", pairs, records, listed_in=path))


def _read_pairs(path: Path) -> list[FacePair]:
    lines = read_lines(path)
    folds, each = _header(path, lines[0] if lines else "")
    rows = [(n, line) for n, line in enumerate(lines[1:], start=2) if line.strip()]
    if len(rows) != folds * 2 * each:
        raise DatasetError(
            f"{path} has {len(rows)} pairs; its first line promises {folds} folds of "
            f"{each} + {each}, which is {folds * 2 * each}"
        )
    pairs = []
    for index, (number, line) in enumerate(rows):
        fold, place = divmod(index, 2 * each)
        same = place < each
        pairs.append(FacePair(*_two_images(path, number, line, same=same), same, fold))
    return pairs


def _header(path: Path, line: str) -> tuple[int, int]:
    words = line.split()
    if len(words) == 2 and all(_positive(word) for word in words):
        return int(words[0]), int(words[1])
    raise DatasetError(
        f"line 1 of {path} is {line[:60]!r}, not two numbers: folds and pairs of each kind"
    )


def _two_images(path: Path, number: int, line: str, *, same: bool) -> tuple[str, str]:
    words = line.split("\t") if "\t" in line else line.split()
    expected = "name, i, j" if same else "name1, i, name2, j"
    numbers = words[1:] if same else words[1::2]
    if len(words) != (3 if same else 4) or not all(_positive(word) for word in numbers):
        raise DatasetError(f"line {number} of {path} is {line[:60]!r}, not {expected}")
    other = words[0] if same else words[2]
    if (other == words[0]) is not same:
        raise DatasetError(f"line {number} of {path} does not name {_WHO[same]}: {line[:60]!r}")
    return _image(words[0], words[1]), _image(other, words[-1])


_WHO = {True: "one person", False: "two different people"}


def _image(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}.jpg"


def _positive(word: str) -> bool:
    return word.isascii() and word.isdecimal() and 0 < int(word) < 10**6
