"""The tables of a gallery, the same in both databases but for the type of a vector."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

STORED = np.dtype("<f4")
"""How SQLite keeps the values: a file may be carried to a machine of the other byte order."""


INDEX_PREFIX = "ix_embeddings_nearest_"
"""Name of the indexes of pgvector, before the key of their gallery."""


class Vector(TypeDecorator[NDArray[np.float32]]):
    """(D,) float32: pgvector's ``vector`` in PostgreSQL, their bytes, lowest first, elsewhere."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type in a database."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(LargeBinary())
        from pgvector.sqlalchemy import VECTOR  # noqa: PLC0415 - of the extra ``postgres``

        # Without a width: recognisers differ in theirs, and each has an index of its own.
        return dialect.type_descriptor(VECTOR())

    def process_bind_param(self, value: NDArray[np.float32] | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """What the driver is given."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.astype(STORED).tobytes()

    def process_result_value(self, value: Any, dialect: Dialect) -> NDArray[np.float32] | None:  # noqa: ANN401
        """What the driver gave, as float32."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return np.asarray(value, dtype=np.float32)
        return np.frombuffer(value, STORED).astype(np.float32)


class Moment(TypeDecorator[datetime]):
    """A time in UTC, also where the database keeps none of the time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What the driver gave, as a time in UTC."""
        if value is None:
            return None
        aware = value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)
        return aware.astimezone(timezone.utc)


_Key = BigInteger().with_variant(Integer(), "sqlite")  # what SQLite counts up must be INTEGER
# Ordered by code point, as SQLite does, whatever the language of the server.
_Id = String().with_variant(String(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

galleries = Table(
    "galleries",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("recognizer", String(), nullable=False, unique=True),
    Column("weights", String(), nullable=False),
    Column("dim", Integer(), nullable=False),
    sqlite_autoincrement=True,
)
"""One row a recogniser."""

people = Table(
    "people",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("gallery", _Key, ForeignKey("galleries.key"), nullable=False),
    Column("id", _Id, nullable=False),
    Column("enrolled", Moment(), nullable=False),
    UniqueConstraint("gallery", "id"),
    sqlite_autoincrement=True,
)
"""Who is enrolled in which gallery."""

embeddings = Table(
    "embeddings",
    metadata,
    # Counted up and never used twice: the cache of a process knows by it what is new.
    Column("key", _Key, primary_key=True),
    Column("gallery", _Key, ForeignKey("galleries.key"), nullable=False, index=True),
    Column(
        "person", _Key, ForeignKey("people.key", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("vector", Vector(), nullable=False),
    Column("source", String(), nullable=False),
    Column("added", Moment(), nullable=False),
    sqlite_autoincrement=True,
)
"""The embeddings; the gallery of the person stands here too, for indexes of one gallery."""
