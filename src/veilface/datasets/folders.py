"""One folder a person, as CASIA-WebFace, VGGFace2 and BUPT are distributed; no protocol."""

from __future__ import annotations

from pathlib import Path

from veilface.datasets.base import FaceRecord, FaceSet
from veilface.datasets.files import person_folders, sorted_records


def load_folders(root: Path) -> FaceSet:
    """Read a set that has one folder a person.

    Args:
        root: The folder that holds the persons' folders; its name becomes that of the set.

    Raises:
        DatasetError: The folder is missing or holds no image.
    """
    return FaceSet(root.resolve().name, root, person_records(root))


def person_records(root: Path) -> tuple[FaceRecord, ...]:
    """The images of all persons' folders as ``person/file``, sorted by name.

    Raises:
        DatasetError: The folder is missing or holds no image.
    """
    every = (
        FaceRecord(f"{person}/{image.name}", person, image)
        for person, images in person_folders(root)
        for image in images
    )
    return sorted_records(every, root=root)
