"""What viewers are shown: protectors by name, images made elsewhere, either of them unmasked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veilface.datasets.base import FaceRecord
from veilface.errors import DatasetError, UnknownNameError
from veilface.imaging.headers import SUFFIXES
from veilface.protectors.controls import CONTROLS
from veilface.protectors.registry import PROTECTORS

UNMASK = "unmask:"
"""Before a label, a name or a folder: those images as `veilface.attacks.unmasking` does."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way in which faces are shown.

    Attributes:
        label: What it is called in the key and in the results.
        protector: Name in the registry; None for a folder.
        folder: Of images made elsewhere; None for a protector.
        unmasked: Whether the images are unmasked.
    """

    label: str
    protector: str | None = None
    folder: Path | None = None
    unmasked: bool = False

    @property
    def is_control(self) -> bool:
        """Whether it is there to be compared with, not under test."""
        return self.protector in CONTROLS and not self.unmasked


def parse_conditions(texts: Sequence[str]) -> tuple[Condition, ...]:
    """Read conditions as they are written on the command line.

    Args:
        texts: Each ``WHAT`` or ``LABEL=WHAT``. WHAT is a name of the registry of protectors, an
            existing folder, or ``unmask:`` and the label of another condition, a name or a folder.

    Raises:
        UnknownNameError: WHAT is nothing of this.
        DatasetError: A label stands twice, or there is no condition.
    """
    named: dict[str, str] = {}
    for text in texts:
        label, equals, what = text.partition("=")
        if label in named:
            raise DatasetError(
                f"two conditions are called {label}; write LABEL=WHAT for one of them"
            )
        named[label] = what if equals else label
    if not named:
        raise DatasetError("line-ups need a condition, such as persona or clean")
    return tuple(_parse(label, what, named) for label, what in named.items())


def _parse(label: str, what: str, named: Mapping[str, str]) -> Condition:
    if what.startswith(UNMASK):
        name = what.removeprefix(UNMASK)
        inner = named.get(name, name)
        if inner.startswith(UNMASK):
            raise DatasetError(f"{label}: what is unmasked cannot be unmasked again")
        return replace(_parse(label, inner, named), unmasked=True)
    if what in PROTECTORS:
        return Condition(label, protector=what)
    if Path(what).is_dir():
        return Condition(label, folder=Path(what))
    raise UnknownNameError(
        "condition", what, [*PROTECTORS, f"{UNMASK}LABEL", "any existing folder"]
    )


class ImageFolder:
    """Images protected elsewhere, one a photo.

    A file belongs to the record ``Ann/Ann_0001.jpg`` when it is called ``Ann/Ann_0001`` or
    ``Ann_0001`` and has the suffix of an image, with or without ``.veil`` before it.

    Args:
        folder: Searched with all folders below it.

    Raises:
        DatasetError: Two files have the same name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in SUFFIXES:
                continue
            key = _stem(path.relative_to(folder).as_posix())
            if key in self._files:
                raise DatasetError(f"{self._files[key]} and {path} are both images of {key}")
            self._files[key] = path

    def find(self, record: FaceRecord) -> Path | None:
        """The image that was made from a record; None where there is none."""
        whole = _stem(record.name)
        return self._files.get(whole) or self._files.get(whole.rpartition("/")[2])


def _stem(name: str) -> str:
    return name.rpartition(".")[0].removesuffix(".veil")
