"""What both databases do alike: enrolling, removing, reading, and deciding about the nearest."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import groupby, islice
from types import TracebackType
from typing import Any

from numpy.typing import ArrayLike
from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from veilface.errors import GalleryError
from veilface.gallery.base import (
    NEAREST,
    PHOTO,
    Candidate,
    Count,
    Enrolment,
    Identification,
    Person,
    Record,
)
from veilface.gallery.checks import Vectors, check_embeddings, check_id, check_source
from veilface.gallery.ranking import Neighbours
from veilface.gallery.rule import rule_for
from veilface.gallery.space import Space
from veilface.gallery.tables import embeddings, people

_CHUNK = 1000  # enrolments whose people are looked up together

Checked = tuple[str, Vectors, str]
"""Id, embeddings and source of an enrolment, all as they may be stored."""


class SqlGallery(ABC):
    """A gallery in a database that SQLAlchemy speaks to; see `veilface.gallery.base.Gallery`.

    Args:
        engine: The database, with its tables in place.
        space: The recogniser.
        key: Row of the gallery in ``galleries``.
    """

    _upsert: Callable[..., Any]
    """The dialect's own ``insert``, which knows ON CONFLICT."""

    def __init__(self, engine: Engine, *, space: Space, key: int) -> None:
        self._engine = engine
        self._readers = engine.execution_options(reads=True)
        self._space = space
        self._key = key

    @property
    def space(self) -> Space:
        """The recogniser whose embeddings are here."""
        return self._space

    def enrol(
        self, id: str, embeddings: ArrayLike, *, source: str = PHOTO, replace: bool = False
    ) -> Person:
        """See `Gallery.enrol`."""
        checked = self._check(Enrolment(id, embeddings, source))
        with self._connection(self._engine) as connection:
            self._add(connection, [checked], replace=replace)
            person = self._get(connection, id)
        self._enrolled()
        if replace:
            self._forget()
        assert person is not None  # noqa: S101 - it was written in this transaction
        return person

    def enrol_many(self, enrolments: Iterable[Enrolment]) -> Count:
        """See `Gallery.enrol_many`."""
        numbered = enumerate(enrolments, 1)
        people_added = embeddings_added = 0
        with self._connection(self._engine) as connection:
            while chunk := [self._check(one, number) for number, one in islice(numbered, _CHUNK)]:
                self._add(connection, chunk, replace=False)
                people_added += len(chunk)
                embeddings_added += sum(len(vectors) for _, vectors, _ in chunk)
        self._enrolled()
        return Count(people_added, embeddings_added)

    def delete(self, id: str) -> bool:
        """See `Gallery.delete`."""
        with self._connection(self._engine) as connection:
            gone = connection.execute(delete(people).where(self._is(id))).rowcount > 0
        if gone:
            self._forget()
        return gone

    def get(self, id: str) -> Person | None:
        """See `Gallery.get`."""
        with self._connection(self._readers) as connection:
            return self._get(connection, id)

    def people(self, *, after: str | None = None, limit: int = 100) -> list[Person]:
        """See `Gallery.people`."""
        page = select(people.c.key).where(people.c.gallery == self._key)
        if after is not None:
            page = page.where(people.c.id > after)
        page = page.order_by(people.c.id).limit(max(limit, 0))
        with self._connection(self._readers) as connection:
            return _people(connection.execute(_records().where(people.c.key.in_(page))))

    def identify(self, probe: ArrayLike, *, limit: int = 5, fpir: float = 0.01) -> Identification:
        """See `Gallery.identify`."""
        if not 1 <= limit <= NEAREST:
            raise GalleryError(f"{limit} candidates; 1 to {NEAREST} can be asked for")
        vectors = check_embeddings(probe, self._space)
        if len(vectors) != 1:
            raise GalleryError(f"{len(vectors)} probes in one search; search for one at a time")
        rule_for(self._space, size=1, fpir=fpir)  # refuses a bad rate before the search
        found = self._search(vectors[0], limit)
        rule = rule_for(self._space, size=found.size, fpir=fpir)
        candidates = tuple(
            Candidate(id, score, rule.decide(score)) for id, score in found.people[:limit]
        )
        return Identification(candidates, rule)

    def count(self) -> Count:
        """See `Gallery.count`."""
        with self._connection(self._readers) as connection:
            return Count(
                *(
                    connection.execute(
                        select(func.count()).select_from(table).where(table.c.gallery == self._key)
                    ).scalar_one()
                    for table in (people, embeddings)
                )
            )

    def close(self) -> None:
        """See `Gallery.close`."""
        self._engine.dispose()

    def __enter__(self) -> SqlGallery:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _enrolled(self) -> None:  # noqa: B027 - a database may have nothing to do
        """What is to be done after an enrolment, which is on the disk already."""

    def _forget(self) -> None:  # noqa: B027 - a database may have nothing to do
        """Make sure that nothing is kept of what was removed."""

    @abstractmethod
    def _search(self, probe: Vectors, limit: int) -> Neighbours:
        """The people nearest to a (D,) unit vector, and how many embeddings were looked at."""

    @contextlib.contextmanager
    def _connection(self, engine: Engine) -> Iterator[Connection]:
        """One transaction; what the database complains of as a sentence."""
        with sentences(engine), engine.begin() as connection:
            yield connection

    def _check(self, enrolment: Enrolment, number: int | None = None) -> Checked:
        try:
            return (
                check_id(enrolment.id),
                check_embeddings(enrolment.embeddings, self._space),
                check_source(enrolment.source),
            )
        except GalleryError as error:
            if number is None:
                raise
            raise GalleryError(f"enrolment {number}: {error}; nothing was enrolled") from error

    def _add(self, connection: Connection, chunk: Sequence[Checked], *, replace: bool) -> None:
        now = datetime.now(timezone.utc)
        # Sorted, so that two writers wait for each other and never both.
        ids = sorted({id for id, _, _ in chunk})
        statement = self._upsert(people)
        # An update that changes nothing, for the key and the lock of who is there already.
        statement = statement.on_conflict_do_update(
            index_elements=[people.c.gallery, people.c.id], set_={"id": statement.excluded.id}
        ).returning(people.c.id, people.c.key)
        rows = connection.execute(
            statement, [{"gallery": self._key, "id": id, "enrolled": now} for id in ids]
        )
        keys = {row.id: row.key for row in rows}
        if replace:
            connection.execute(delete(embeddings).where(embeddings.c.person.in_(keys.values())))
        self._write(
            connection,
            [
                {
                    "gallery": self._key,
                    "person": keys[id],
                    "vector": vector,
                    "source": source,
                    "added": now,
                }
                for id, vectors, source in chunk
                for vector in vectors
            ],
        )

    def _write(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        """Add rows to ``embeddings``, which have all columns but the key."""
        connection.execute(insert(embeddings), rows)

    def _get(self, connection: Connection, id: str) -> Person | None:
        found = _people(connection.execute(_records().where(self._is(id))))
        return found[0] if found else None

    def _is(self, id: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own type of a condition
        return (people.c.gallery == self._key) & (people.c.id == check_id(id))


@contextlib.contextmanager
def sentences(engine: Engine) -> Iterator[None]:
    """What a database complains of as a sentence, without the values that it was given."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        where = engine.url.render_as_string(hide_password=True)
        raise GalleryError(f"the database {where} says: {cause}") from error


def _records() -> Select[Any]:
    return (
        select(people.c.id, people.c.enrolled, embeddings.c.source, embeddings.c.added)
        .join(embeddings, embeddings.c.person == people.c.key)
        .order_by(people.c.id, embeddings.c.key)
    )


def _people(rows: Iterable[Row[Any]]) -> list[Person]:
    return [
        Person(id, enrolled, tuple(Record(row.source, row.added) for row in records))
        for (id, enrolled), records in groupby(rows, key=lambda row: (row.id, row.enrolled))
    ]
