"""CelebA: the official images with their identities, and the pairs called CelebA-wild-299.

CelebA has no verification protocol of its own. A folder of persons with
``pairs_celeba_wild.txt`` is CelebA-wild-299, 299 of its people cut from the in-the-wild photographs
with pairs drawn once at random: useful to compare methods, never to be quoted as CelebA.

Source:
    Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015
    (https://doi.org/10.1109/ICCV.2015.425); ``identity_CelebA.txt`` has lines ``000001.jpg 2880``.
"""

from __future__ import annotations

from pathlib import Path

from veilface.datasets.base import FacePair, FacePairs, FaceRecord, FaceSet
from veilface.datasets.files import images_in, rows, sorted_records
from veilface.datasets.folders import person_records
from veilface.errors import DatasetError

IDENTITIES = "identity_CelebA.txt"
IMAGES = "img_align_celeba"
WILD_PAIRS = "pairs_celeba_wild.txt"
WILD_NAME = "CelebA-wild-299"


def load_celeba(root: Path) -> FaceSet:
    """Read CelebA in either layout.

    Args:
        root: Folder with ``img_align_celeba`` and ``identity_CelebA.txt`` (also in ``Anno``, as
            distributed), or with one folder a person and ``pairs_celeba_wild.txt``.

    Raises:
        DatasetError: Neither layout is there, an image is missing or unnamed, or a line is
            malformed.
    """
    if (root / WILD_PAIRS).is_file():
        return _wild(root)
    found = [path for path in (root / IDENTITIES, root / "Anno" / IDENTITIES) if path.is_file()]
    if not found:
        raise DatasetError(f"there is neither {IDENTITIES} nor {WILD_PAIRS} in {root}")
    people = _read_identities(found[0])
    images = images_in(root / IMAGES)
    unnamed = [image.name for image in images if image.name not in people]
    if unnamed:
        raise DatasetError(
            f"{found[0]} names nobody for {len(unnamed)} of the {len(images)} images in "
            f"{root / IMAGES}, for example {unnamed[0]}"
        )
    records = (FaceRecord(f"{IMAGES}/{image.name}", people[image.name], image) for image in images)
    return FaceSet("CelebA", root, sorted_records(records, root=root / IMAGES))


def _read_identities(path: Path) -> dict[str, str]:
    people: dict[str, str] = {}
    for number, line in rows(path):
        words = line.split()
        if len(words) != 2 or not words[1].isdecimal():
            raise DatasetError(f"line {number} of {path} is {line[:60]!r}, not image and identity")
        # As wide as the largest of the 10,177 identities, so that sorting is by number.
        people[words[0]] = words[1].zfill(5)
    return people


def _wild(root: Path) -> FaceSet:
    path = root / WILD_PAIRS
    pairs = [_wild_pair(path, number, line) for number, line in rows(path)]
    records = person_records(root)
    protocol = FacePairs.of(WILD_NAME, pairs, records, listed_in=path)
    return FaceSet(WILD_NAME, root, records, protocol)


def _wild_pair(path: Path, number: int, line: str) -> FacePair:
    words = line.split()
    if len(words) != 4 or words[0] not in ("0", "1") or not words[3].isdecimal():
        raise DatasetError(
            f"line {number} of {path} is {line[:60]!r}, not label (0 or 1), two images and fold"
        )
    first, second, same = words[1], words[2], words[0] == "1"
    if (first.split("/")[0] == second.split("/")[0]) is not same:
        raise DatasetError(f"line {number} of {path} has the wrong label for {first} and {second}")
    return FacePair(first, second, same, int(words[3]) - 1)
