"""A gallery in PostgreSQL: pgvector's HNSW index finds the nearest, exact cosines rank them."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Select,
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

from veilface.errors import GalleryError
from veilface.gallery.base import NEAREST
from veilface.gallery.checks import Vectors
from veilface.gallery.ranking import Neighbours, rank
from veilface.gallery.schema import lock
from veilface.gallery.store import SqlGallery
from veilface.gallery.tables import INDEX_PREFIX, embeddings, people

INDEXED_FROM = 5000
"""Embeddings from which a gallery has an index."""

EF_SEARCH = 200
"""How many candidates the index holds on its way; more of them find more of the nearest, later."""

_BUILD_MEMORY = "1GB"  # most that a build takes; a graph that needs more is finished on the disk


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


def nearest(probe: Vectors, *, gallery: int) -> Select[tuple[str, Vectors]]:
    """The `NEAREST` embeddings to a (D,) unit vector, with the ids of their people.

    Key and width stand in the statement as they do in the index, which is not used otherwise.
    """
    narrowed = cast(embeddings.c.vector, VECTOR(len(probe)))
    return (
        select(people.c.id, embeddings.c.vector)
        .join(people, people.c.key == embeddings.c.person)
        .where(embeddings.c.gallery == literal(gallery, literal_execute=True))
        .order_by(narrowed.op("<=>")(bindparam("probe", probe, VECTOR)))
        .limit(NEAREST)
    )


class PostgresGallery(SqlGallery):
    """See `veilface.gallery.base.Gallery`; a search ranks the people of the nearest 100.

    A gallery below `INDEXED_FROM` embeddings is searched by comparing with each. One that grows
    beyond is given an index, all at once, which is many times as fast as row by row: the first
    load of a large gallery should be one `enrol_many`.
    """

    _upsert = staticmethod(insert)
    _indexed = False

    def _enrolled(self) -> None:
        # The enrolment stands, and without the index searches are slow and right: whatever keeps
        # it from being made now, the next enrolment tries again.
        with contextlib.suppress(GalleryError):
            if not self._indexed and self.count().embeddings >= INDEXED_FROM:
                # By itself: whoever has written and then waits for the table may wait for ever.
                with self._connection(self._engine) as connection:
                    lock(connection)
                    _make_index(connection, gallery=self._key, dim=self.space.dim)
                self._indexed = True

    def _search(self, probe: Vectors, limit: int) -> Neighbours:
        counted = select(func.count()).select_from(embeddings)
        with self._connection(self._readers) as connection:
            size = connection.execute(counted.where(embeddings.c.gallery == self._key)).scalar_one()
            rows = connection.execute(nearest(probe, gallery=self._key)).all()
        ids = [row.id for row in rows]
        vectors = np.array([row.vector for row in rows], dtype=np.float32)
        ranked = rank(probe, vectors.reshape(len(rows), self.space.dim), ids)
        return Neighbours(list(zip(ranked.keys, ranked.scores, strict=True))[:limit], size)


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
