"""Who takes part in an evaluation, and in which role."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from veilface.datasets.base import FaceRecord, FaceSet
from veilface.errors import DatasetError

IMPOSTORS = 2048
"""People whose clean photos set the thresholds: 2 million pairs, 209 of which match at 1e-4."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The photos of an evaluation.

    Attributes:
        probes: The photos to protect, one a person.
        others: For each probe another, clean photo of the person; None where there is none.
        gallery: One clean photo each of many people for identification, never a probe: of a
            protected person it is the other photo.
        sources: Where linkage searches: the probes, in their order, then photos of other people.
        impostors: One photo a person, for the thresholds.
    """

    probes: tuple[FaceRecord, ...]
    others: tuple[FaceRecord | None, ...]
    gallery: tuple[FaceRecord, ...]
    sources: tuple[FaceRecord, ...]
    impostors: tuple[FaceRecord, ...]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """(N,) row of the gallery that shows the person of each probe; -1 where none does."""
        rows = {record.identity: row for row, record in enumerate(self.gallery)}
        return np.array([rows.get(probe.identity, -1) for probe in self.probes], dtype=np.int64)

    @property
    def own(self) -> npt.NDArray[np.int64]:
        """(N,) place of each probe among the sources."""
        return np.arange(len(self.probes))

    @property
    def records(self) -> tuple[FaceRecord, ...]:
        """Every photo once, in the order of the names."""
        return tuple(sorted({record.name: record for record in self._all()}.values(), key=_name))

    def without(self, names: Container[str]) -> Selection:
        """The selection without photos that cannot be used; without its probe a person is out.

        Raises:
            DatasetError: Fewer than two people are left.
        """
        pairs = [
            (probe, other if other is not None and other.name not in names else None)
            for probe, other in zip(self.probes, self.others, strict=True)
            if probe.name not in names
        ]
        if len(pairs) < 2:
            raise DatasetError("fewer than two people are left whose photo can be read")
        gallery, sources, impostors = (
            tuple(record for record in records if record.name not in names)
            for records in (self.gallery, self.sources, self.impostors)
        )
        probes, others = zip(*pairs, strict=True)
        return Selection(probes, others, gallery, sources, impostors)

    def _all(self) -> Iterator[FaceRecord]:
        yield from self.probes
        yield from (other for other in self.others if other is not None)
        yield from self.gallery
        yield from self.sources
        yield from self.impostors


def choose(
    faces: FaceSet, limit: int | None = None, *, gallery: int = 512, seed: int = 0
) -> Selection:
    """Choose who is protected and what they are compared with.

    People with two photos or more come first, in an order that the seed draws; a smaller limit
    takes the first people of a larger one, so that their protected images are the same.

    Args:
        faces: A set that names people.
        limit: Most people to protect; everybody by default.
        gallery: Most people of the gallery and of the sources, the protected ones first; never
            fewer than are protected.
        seed: Of the order of the people.

    Raises:
        DatasetError: The set names fewer than two people, or the limit is below two.
    """
    people = list(faces.identities.values())
    if len(people) < 2:
        raise DatasetError(
            f"{faces.name} names {len(people)} people: an evaluation needs two or more, to tell "
            "photos of one person from those of two"
        )
    if limit is not None and limit < 2:
        raise DatasetError(f"a limit of {limit} people: false matches need two or more")
    drawn = [people[k] for k in np.random.default_rng(seed).permutation(len(people))]
    drawn.sort(key=lambda photos: len(photos) < 2)  # stable: keeps the drawn order of each kind
    protected = drawn if limit is None else drawn[:limit]
    rest = drawn[len(protected) :]
    size = max(gallery, len(protected))
    others = tuple(photos[1] if len(photos) > 1 else None for photos in protected)
    second = tuple(other for other in others if other is not None)
    first = tuple(photos[0] for photos in rest)
    probes = tuple(photos[0] for photos in protected)
    return Selection(
        probes=probes,
        others=others,
        gallery=(second + first)[:size],
        sources=(probes + first)[:size],
        # A person without a second photo takes part in the thresholds with the probe.
        impostors=(tuple(photos[:2][-1] for photos in protected) + first)[: max(IMPOSTORS, size)],
    )


def _name(record: FaceRecord) -> str:
    return record.name
