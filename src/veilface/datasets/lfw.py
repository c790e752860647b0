"""Labeled Faces in the Wild: the official pairs of view 2.

The folder holds ``pairs.txt`` and the images as ``Name/Name_0001.jpg``; veilface expects them
aligned to the ArcFace template, 112x112.

Source:
    Huang et al., Labeled Faces in the Wild, UMass TR 07-49, 2007; format of ``pairs.txt``:
    first line folds and pairs of each kind in a fold, then per fold the lines ``name i j`` (same
    person) and ``name1 i name2 j`` (two people), separated by tabs.
"""

from __future__ import annotations

from pathlib import Path

from veilface.datasets.base import FacePair, FacePairs
from veilface.errors import DatasetError

PAIRS = "pairs.txt"


def load_lfw(root: Path) -> FacePairs:
    """Read the pairs of LFW.

    Args:
        root: Folder with ``pairs.txt`` and one folder of images a person.

    Returns:
        The pairs in the order of the file, as far as all images are there.

    Raises:
        DatasetError: The folder, the file or an image is missing, or a line is malformed.
    """
    path = root / PAIRS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"cannot read {path}: LFW is a folder with {PAIRS} and Name/Name_0001.jpg"
        ) from error
    folds, each = _header(path, lines[0] if lines else "")
    rows = [(n, line) for n, line in enumerate(lines[1:], start=2) if line.strip()]
    if len(rows) != folds * 2 * each:
        raise DatasetError(
            f"{path} has {len(rows)} pairs; its first line promises {folds} folds of "
            f"{each} + {each}, which is {folds * 2 * each}"
        )
    pairs: list[FacePair] = []
    people: dict[str, str] = {}
    for index, (number, line) in enumerate(rows):
        fold, place = divmod(index, 2 * each)
        same = place < each
        names = _two_images(path, number, line, same=same)
        people.update((image, person) for person, image in names)
        pairs.append(FacePair(names[0][1], names[1][1], same, fold))
    missing = [image for image in sorted(people) if not (root / image).is_file()]
    if missing:
        raise DatasetError(
            f"{len(missing)} of the {len(people)} images that {path} names are missing, "
            f"for example {root / missing[0]}"
        )
    return FacePairs("LFW view 2", root, tuple(pairs), people)


def _header(path: Path, line: str) -> tuple[int, int]:
    words = line.split()
    if len(words) == 2 and all(_positive(word) for word in words):
        return int(words[0]), int(words[1])
    raise DatasetError(
        f"line 1 of {path} is {line[:60]!r}, not two numbers: folds and pairs of each kind"
    )


def _two_images(
    path: Path, number: int, line: str, *, same: bool
) -> tuple[tuple[str, str], tuple[str, str]]:
    words = line.split("\t") if "\t" in line else line.split()
    expected = "name, i, j" if same else "name1, i, name2, j"
    numbers = words[1:] if same else words[1::2]
    if len(words) != (3 if same else 4) or not all(_positive(word) for word in numbers):
        raise DatasetError(f"line {number} of {path} is {line[:60]!r}, not {expected}")
    other = words[0] if same else words[2]
    if (other == words[0]) is not same or any(not _plain(name) for name in (words[0], other)):
        raise DatasetError(f"line {number} of {path} does not name {_WHO[same]}: {line[:60]!r}")
    return (words[0], _image(words[0], words[1])), (other, _image(other, words[-1]))


_WHO = {True: "one person", False: "two different people"}


def _plain(name: str) -> bool:
    """Whether a name is one part of a path, so that no line leads out of the folder."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/\\\0")


def _image(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}.jpg"


def _positive(word: str) -> bool:
    return word.isascii() and word.isdecimal() and 0 < int(word) < 10**6
