"""What a gallery is and does, whichever database keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol

from numpy.typing import ArrayLike

from veilface.gallery.rule import Rule
from veilface.gallery.space import Space

NEAREST = 100
"""Most candidates of one search, and most embeddings that an index hands on for exact ranking."""

PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is to be enrolled.

    Attributes:
        id: The person, as `veilface.gallery.checks.check_id` allows.
        embeddings: (D,) or (N, D) unit vectors of the gallery's recogniser.
        source: What they were made from, in the caller's words: ``photo``, ``protected``.
    """

    id: str
    embeddings: ArrayLike
    source: str = PHOTO


@dataclass(frozen=True, slots=True)
class Record:
    """One stored embedding, without its values: nothing hands those out.

    Attributes:
        source: As it was enrolled.
        added: When, in UTC.
    """

    source: str
    added: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Who is enrolled.

    Attributes:
        id: The caller's name for the person.
        enrolled: When the person was first enrolled, in UTC.
        records: The embeddings, oldest first.
    """

    id: str
    enrolled: datetime
    records: tuple[Record, ...]

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values, times in ISO 8601."""
        return {
            "id": self.id,
            "enrolled": self.enrolled.isoformat(),
            "records": [
                {"source": record.source, "added": record.added.isoformat()}
                for record in self.records
            ],
        }


@dataclass(frozen=True, slots=True)
class Count:
    """How many people, and how many embeddings of theirs."""

    people: int
    embeddings: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be the person that is looked for.

    Attributes:
        id: The enrolled person.
        score: Highest cosine between the probe and an embedding of the person, in [-1, 1].
        match: Whether ``score`` is above the threshold of the search's `Rule`; None when the
            recogniser has none that is strict enough.
    """

    id: str
    score: float
    match: bool | None


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer to one search.

    Attributes:
        candidates: The most similar people, each once, the best first.
        rule: How the decisions were made, for the size that the gallery had.
    """

    candidates: tuple[Candidate, ...]
    rule: Rule

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return {
            "candidates": [asdict(candidate) for candidate in self.candidates],
            "rule": self.rule.to_dict(),
        }


class Gallery(Protocol):
    """People enrolled under one recogniser with one set of weights.

    What a call that returns has written is on the disk, and a call that fails or is killed leaves
    nothing. Threads may share a gallery, and processes a database: each sees what others have
    written from the next call on.

    How a decision is made: a search with N embeddings is N comparisons, each of which takes a
    stranger for the enrolled person at the false match rate (FMR) of its threshold. A stranger is
    taken for *somebody* in at most N times that share of searches, which is the false positive
    identification rate (FPIR). So the caller states the FPIR that is wanted, the threshold is the
    recogniser's calibrated one at an FMR of FPIR / N or less, and without one that strict nothing
    is decided (see `veilface.gallery.rule`). Thresholds come from the recogniser's calibration
    only: no tail is extrapolated.

    Every method may raise `GalleryError` when the database cannot be reached or is damaged.
    """

    @property
    def space(self) -> Space:
        """The recogniser whose embeddings are here."""

    def enrol(
        self, id: str, embeddings: ArrayLike, *, source: str = PHOTO, replace: bool = False
    ) -> Person:
        """Add embeddings to a person, who is new or known.

        Args:
            id: The person.
            embeddings: (D,) or (N, D) unit vectors.
            source: What they were made from.
            replace: Whether they take the place of what the person has.

        Returns:
            The person as stored.

        Raises:
            GalleryError: The id or the embeddings are not allowed; nothing is stored then.
        """

    def enrol_many(self, enrolments: Iterable[Enrolment]) -> Count:
        """`enrol` for many in one transaction: all of them are stored, or none.

        A person may come several times; the embeddings of all are added.

        Returns:
            How many enrolments and embeddings were added.

        Raises:
            GalleryError: As in `enrol`; the message names the enrolment.
        """

    def delete(self, id: str) -> bool:
        """Remove a person and all embeddings; False when nobody has that id."""

    def get(self, id: str) -> Person | None:
        """A person; None when nobody has that id."""

    def people(self, *, after: str | None = None, limit: int = 100) -> list[Person]:
        """People in the order of their ids (by code point), for paging.

        Args:
            after: The last id of the page before; None for the first page.
            limit: Most people of this page.
        """

    def identify(self, probe: ArrayLike, *, limit: int = 5, fpir: float = 0.01) -> Identification:
        """The enrolled people who are most similar to a face.

        Args:
            probe: (D,) unit vector.
            limit: Most candidates, 1 to 100.
            fpir: In which share of searches for a stranger somebody may be called a match,
                in (0, 1).

        Raises:
            GalleryError: The probe is no unit vector of D values, or an argument is out of range.
        """

    def count(self) -> Count:
        """How many are enrolled."""

    def close(self) -> None:
        """Let go of the database; the gallery is of no use afterwards."""

    def __enter__(self) -> Gallery:
        """Itself, to be closed at the end of the block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
