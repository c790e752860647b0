"""Listing images and reading pair files, with one sentence for what is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from veilface.datasets.base import FaceRecord
from veilface.errors import DatasetError
from veilface.imaging.headers import SUFFIXES


def read_lines(path: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        DatasetError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a text file") from error


def rows(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not empty, with their numbers from 1."""
    lines = enumerate(read_lines(path), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def images_in(folder: Path) -> list[Path]:
    """The image files directly in a folder, sorted; hidden ones are left out.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    return [path for path in _entries(folder) if path.suffix.lower() in SUFFIXES]


def folders_in(folder: Path) -> list[Path]:
    """The folders directly in a folder, sorted; hidden ones are left out.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    return [path for path in _entries(folder) if path.is_dir()]


def person_folders(root: Path) -> Iterator[tuple[str, list[Path]]]:
    """Each folder below a root and its images: the layout of one folder a person.

    Raises:
        DatasetError: A folder cannot be listed.
    """
    for folder in folders_in(root):
        yield folder.name, images_in(folder)


def sorted_records(records: Iterable[FaceRecord], *, root: Path) -> tuple[FaceRecord, ...]:
    """Records in the order of their names.

    Raises:
        DatasetError: There is none.
    """
    found = tuple(sorted(records, key=lambda record: record.name))
    if not found:
        raise DatasetError(f"there is no image of the set in {root}")
    return found


def tenth(place: int, count: int) -> int:
    """The fold, 0 to 9, of the entry at a place of a list whose ten folds are consecutive."""
    return 10 * place // count


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DatasetError(f"cannot list {folder}: {error.strerror or error}") from error
