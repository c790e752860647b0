"""A gallery in PostgreSQL: pgvector's HNSW index finds the nearest, exact cosines rank them."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import psycopg
from pgvector import Vector
from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    LargeBinary,
    Select,
    String,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from veilface.errors import GalleryError
from veilface.gallery.base import NEAREST
from veilface.gallery.checks import Vectors
from veilface.gallery.ranking import Neighbours, rank
from veilface.gallery.schema import lock
from veilface.gallery.store import SqlGallery
from veilface.gallery.tables import INDEX_PREFIX, embeddings, people

INDEXED_FROM = 100_000
"""Embeddings from which a gallery has an index: before, comparing with each misses nobody, for at
most three times the CPU of a search in the index (docs/gallery.md)."""

EF_SEARCH = 800
"""How many candidates the index holds on its way; more of them find more of the nearest, later.

Of 200 people among 100,000 random directions, 200 miss up to 12 and 800 none (docs/gallery.md).
"""

_BUILD_MEMORY = "2GB"  # most that a build takes; a graph that needs more is finished on the disk
_WRITTEN = {
    "gallery": "int8",
    "person": "int8",
    "vector": "bytea",  # the bytes of its binary form, which are what COPY takes
    "source": "text",
    "added": "timestamptz",
}


def postgres_engine(url: URL) -> Engine:
    """The engine of a server; nothing is connected yet."""
    engine = create_engine(
        url,
        # Each statement is planned for its values, since the index is one of a single gallery.
        connect_args={"prepare_threshold": None},
        hide_parameters=True,  # of errors: embeddings do not belong into a log
        pool_pre_ping=True,  # a server may have been restarted
    )
    event.listen(engine, "connect", _prepare)
    return engine


def nearest(probe: Vectors, *, gallery: int) -> Select[tuple[str, bytes]]:
    """The `NEAREST` embeddings to a (D,) unit vector, with the ids of their people.

    The embeddings come as the bytes of pgvector's binary form, which are read much faster than its
    text. Key and width stand in the statement as they do in the index, which is not used otherwise.
    """
    narrowed = cast(embeddings.c.vector, VECTOR(len(probe)))
    chosen = (
        select(embeddings.c.person, embeddings.c.vector)
        .where(embeddings.c.gallery == literal(gallery, literal_execute=True))
        .order_by(narrowed.op("<=>")(bindparam("probe", probe, VECTOR)))
        .limit(NEAREST)
        .subquery()  # so that people and bytes are looked up for these alone
    )
    sent = func.vector_send(chosen.c.vector, type_=LargeBinary).label("sent")
    return select(people.c.id, sent).join(people, people.c.key == chosen.c.person)


class PostgresGallery(SqlGallery):
    """See `veilface.gallery.base.Gallery`; a search ranks the people of the nearest 100.

    A gallery below `INDEXED_FROM` embeddings is searched by comparing with each. One that grows
    beyond is given an index, all at once, which is many times as fast as row by row: the first
    load of a large gallery should be one `enrol_many`.
    """

    _upsert = staticmethod(insert)
    _indexed = False
    _counted = ("", 0)  # what was visible to a count, and the count

    def _write(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        # COPY in binary form: twenty times as fast as the text of INSERT.
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - it has just run a statement
        statement = f"COPY embeddings ({', '.join(_WRITTEN)}) FROM STDIN (FORMAT BINARY)"
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types(_WRITTEN.values())
                for row in rows:
                    sent = {**row, "vector": Vector(row["vector"]).to_binary()}
                    copy.write_row([sent[name] for name in _WRITTEN])
        except psycopg.Error as error:  # which SQLAlchemy does not see
            raise DBAPIError(statement, None, error) from error

    def _enrolled(self) -> None:
        # The enrolment stands, and without the index searches are slow and right: whatever keeps
        # it from being made now, the next enrolment tries again.
        with contextlib.suppress(GalleryError):
            if not self._indexed and self._is_large():
                # By itself: whoever has written and then waits for the table may wait for ever.
                with self._connection(self._engine) as connection:
                    lock(connection)
                    _make_index(connection, gallery=self._key, dim=self.space.dim)
                self._indexed = True

    def _is_large(self) -> bool:
        with self._connection(self._readers) as connection:
            # Keys count up from one, so that there are no more embeddings than the last says.
            last = connection.execute(select(func.max(embeddings.c.key))).scalar_one() or 0
            return last >= INDEXED_FROM and self._size(connection) >= INDEXED_FROM

    def _size(self, connection: Connection) -> int:
        """How many embeddings there are, counted again only when somebody has written."""
        visible = func.pg_current_snapshot().cast(String)
        seen, count = self._counted
        if connection.execute(select(visible)).scalar_one() != seen:
            here = select(func.count()).where(embeddings.c.gallery == self._key).scalar_subquery()
            seen, count = connection.execute(select(visible, here)).one()
            self._counted = (seen, count)
        return count

    def _search(self, probe: Vectors, limit: int) -> Neighbours:
        with self._connection(self._readers) as connection:
            size = self._size(connection)
            rows = connection.execute(nearest(probe, gallery=self._key)).all()
        ids = [row.id for row in rows]
        ranked = rank(probe, _received([row.sent for row in rows], self.space.dim), ids)
        return Neighbours(list(zip(ranked.keys, ranked.scores, strict=True))[:limit], size)


def _received(sent: list[bytes], dim: int) -> Vectors:
    """(N, D) of pgvector's binary form: width and a spare field of 16 bits each, then the values.

    All of it with the highest byte first.
    """
    form = np.dtype([("head", ">u2", 2), ("values", ">f4", dim)])
    return np.frombuffer(b"".join(sent), form)["values"].astype(np.float32)


def _make_index(connection: Connection, *, gallery: int, dim: int) -> None:
    """The index of one gallery; each recogniser has its own width, and so its own index."""
    # In the memory of this connection: a container's shared memory is often too small for it.
    connection.execute(text(f"SET LOCAL maintenance_work_mem = '{_BUILD_MEMORY}'"))
    connection.execute(text("SET LOCAL max_parallel_maintenance_workers = 0"))
    connection.execute(
        text(
            f"CREATE INDEX IF NOT EXISTS {INDEX_PREFIX}{gallery:d} ON embeddings "
            f"USING hnsw ((vector::vector({dim:d})) vector_cosine_ops) "
            f"WHERE gallery = {gallery:d}"
        )
    )


def _prepare(connection: Any, record: object) -> None:  # noqa: ANN401 - of psycopg
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")  # a commit returns when it is on the disk
        cursor.execute(f"SET hnsw.ef_search = {EF_SEARCH}")
    connection.commit()
