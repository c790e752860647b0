"""Pairs of face images with labels and folds, whatever the data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from veilface.errors import DatasetError


@dataclass(frozen=True, slots=True)
class FacePair:
    """Two images and whether they show the same person.

    Attributes:
        first: Path relative to the root of the data set, with forward slashes.
        second: The same of the other image.
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
        root: Folder that the paths are relative to.
        pairs: In the order of the protocol.
        people: Name of the person by image, for every image of the pairs.
    """

    name: str
    root: Path
    pairs: tuple[FacePair, ...]
    people: Mapping[str, str] = field(repr=False)

    @property
    def images(self) -> tuple[str, ...]:
        """Every image once, sorted."""
        return tuple(sorted(self.people))

    @property
    def same(self) -> npt.NDArray[np.bool_]:
        """(pairs,) labels."""
        return np.array([pair.same for pair in self.pairs], dtype=np.bool_)

    @property
    def folds(self) -> npt.NDArray[np.int64]:
        """(pairs,) fold numbers."""
        return np.array([pair.fold for pair in self.pairs], dtype=np.int64)

    def one_each(self) -> tuple[str, ...]:
        """The first image of every person, sorted by person."""
        first: dict[str, str] = {}
        for image in self.images:
            first.setdefault(self.people[image], image)
        return tuple(first[person] for person in sorted(first))

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
        if all(len(group) <= each for group in groups.values()):
            return self
        kept = tuple(pair for group in groups.values() for pair in group[:each])
        images = {image for pair in kept for image in (pair.first, pair.second)}
        people = {image: self.people[image] for image in images}
        return replace(self, name=f"{self.name}, {len(kept)} of them", pairs=kept, people=people)
