"""What a set of faces is: labelled records, and the pairs of its protocol where there is one."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from veilface.errors import DatasetError


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One photograph of one person; nothing is opened before somebody reads `source`.

    Attributes:
        name: Unique within its set: the path below the root with forward slashes, or the number of
            the image in a ``.bin`` file.
        identity: Who it shows; None where the format does not say.
        source: The encoded image: a file, or its bytes.
        age: In years, where the file name carries it.
    """

    name: str
    identity: str | None
    source: Path | bytes = field(repr=False)
    age: int | None = None


@dataclass(frozen=True, slots=True)
class FacePair:
    """Two images and whether they show the same person.

    Attributes:
        first: Name of a record.
        second: Name of another.
        same: Whether both show the same person.
        fold: Number of the fold that the pair belongs to, from 0.
    """

    first: str
    second: str
    same: bool
    fold: int


@dataclass(frozen=True, slots=True)
class FacePairs:
    """The pairs of a protocol.

    Attributes:
        name: Data set and protocol, for reports.
        pairs: In the order of the protocol.
        records: The record of every image of the pairs, by name.
    """

    name: str
    pairs: tuple[FacePair, ...]
    records: Mapping[str, FaceRecord] = field(repr=False)

    @classmethod
    def of(
        cls, name: str, pairs: Iterable[FacePair], records: Iterable[FaceRecord], *, listed_in: Path
    ) -> FacePairs:
        """The pairs with their records, out of all records of a set.

        Args:
            name: Data set and protocol.
            pairs: In the order of the protocol.
            records: At least those that the pairs name.
            listed_in: The pair file, for the error.

        Raises:
            DatasetError: The pairs name an image that is not there, or there is no pair.
        """
        kept = tuple(pairs)
        if not kept:
            raise DatasetError(f"{listed_in} holds no pairs")
        wanted = {image for pair in kept for image in (pair.first, pair.second)}
        found = {record.name: record for record in records if record.name in wanted}
        missing = sorted(wanted - found.keys())
        if missing:
            raise DatasetError(
                f"{len(missing)} of the {len(wanted)} images that {listed_in} names are missing, "
                f"for example {missing[0]}"
            )
        return cls(name, kept, found)

    @property
    def images(self) -> tuple[str, ...]:
        """The name of every image once, sorted."""
        return tuple(sorted(self.records))

    @property
    def same(self) -> npt.NDArray[np.bool_]:
        """(pairs,) labels."""
        return np.array([pair.same for pair in self.pairs], dtype=np.bool_)

    @property
    def folds(self) -> npt.NDArray[np.int64]:
        """(pairs,) fold numbers."""
        return np.array([pair.fold for pair in self.pairs], dtype=np.int64)

    def one_each(self) -> tuple[str, ...]:
        """The first image of every person, sorted by person; empty where nobody is named."""
        people = group_by_identity(self.records[image] for image in self.images)
        return tuple(records[0].name for records in people.values())

    def within(self, images: Container[str]) -> FacePairs:
        """The pairs of which both images are among those given."""
        kept = [pair for pair in self.pairs if pair.first in images and pair.second in images]
        return self._only(kept)

    def limited(self, count: int) -> FacePairs:
        """About ``count`` pairs: the first of each fold and label, equally many of each.

        Raises:
            DatasetError: ``count`` is too small for one pair of each.
        """
        groups: dict[tuple[int, bool], list[FacePair]] = {}
        for pair in self.pairs:
            groups.setdefault((pair.fold, pair.same), []).append(pair)
        each = count // len(groups)
        if each < 1:
            raise DatasetError(
                f"a limit of {count} pairs is too small for {self.name}: it has {len(groups)} "
                "groups (folds times same or different), each of which needs a pair"
            )
        return self._only([pair for group in groups.values() for pair in group[:each]])

    def _only(self, kept: list[FacePair]) -> FacePairs:
        if len(kept) == len(self.pairs):
            return self
        images = {image for pair in kept for image in (pair.first, pair.second)}
        records = {image: self.records[image] for image in sorted(images)}
        name = f"{self.name}, {len(kept)} of them"
        return replace(self, name=name, pairs=tuple(kept), records=records)


@dataclass(frozen=True, slots=True)
class FaceSet:
    """A set of labelled faces.

    Attributes:
        name: For reports, such as ``LFW``.
        root: The folder or file that it was read from.
        records: Sorted by name.
        pairs: The pairs of its verification protocol; None where it has none.
    """

    name: str
    root: Path
    records: tuple[FaceRecord, ...] = field(repr=False)
    pairs: FacePairs | None = field(default=None, repr=False)

    @property
    def identities(self) -> Mapping[str, tuple[FaceRecord, ...]]:
        """The records of each person, sorted by person; empty where nobody is named."""
        return group_by_identity(self.records)


def group_by_identity(records: Iterable[FaceRecord]) -> dict[str, tuple[FaceRecord, ...]]:
    """Records by person, sorted by person; those of nobody known are left out."""
    people: dict[str, list[FaceRecord]] = {}
    for record in records:
        if record.identity is not None:
            people.setdefault(record.identity, []).append(record)
    return {person: tuple(people[person]) for person in sorted(people)}
