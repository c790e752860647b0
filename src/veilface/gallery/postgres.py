"""A gallery in PostgreSQL: pgvector's HNSW index finds the nearest, exact cosines rank them."""

from __future__ import annotations

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

from veilface.gallery.base import NEAREST
from veilface.gallery.checks import Vectors
from veilface.gallery.ranking import Neighbours, rank
from veilface.gallery.store import SqlGallery
from veilface.gallery.tables import INDEX_PREFIX, embeddings, people

EF_SEARCH = 200
"""How many candidates the index holds on its way; more of them find more of the nearest, later."""


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


def make_index(connection: Connection, *, gallery: int, dim: int) -> None:
    """The index of one gallery; each recogniser has its own width, and so its own index."""
    connection.execute(
        text(
            f"CREATE INDEX IF NOT EXISTS {INDEX_PREFIX}{gallery:d} ON embeddings "
            f"USING hnsw ((vector::vector({dim:d})) vector_cosine_ops) "
            f"WHERE gallery = {gallery:d}"
        )
    )


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
    """See `veilface.gallery.base.Gallery`; a search ranks the people of the nearest 100."""

    _upsert = staticmethod(insert)

    def _search(self, probe: Vectors, limit: int) -> Neighbours:
        counted = select(func.count()).select_from(embeddings)
        with self._connection(self._readers) as connection:
            size = connection.execute(counted.where(embeddings.c.gallery == self._key)).scalar_one()
            rows = connection.execute(nearest(probe, gallery=self._key)).all()
        ids = [row.id for row in rows]
        vectors = np.array([row.vector for row in rows], dtype=np.float32)
        ranked = rank(probe, vectors.reshape(len(rows), self.space.dim), ids)
        return Neighbours(list(zip(ranked.keys, ranked.scores, strict=True))[:limit], size)


def _prepare(connection: Any, record: object) -> None:  # noqa: ANN401 - of psycopg
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")  # a commit returns when it is on the disk
        cursor.execute(f"SET hnsw.ef_search = {EF_SEARCH}")
    connection.commit()
