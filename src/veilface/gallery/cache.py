"""All embeddings of a gallery in memory, kept right while others write to the database."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, LargeBinary, Select, func, select, type_coerce

from veilface.gallery.checks import Vectors
from veilface.gallery.tables import STORED, embeddings

_PART = 10_000  # rows that are read at once
_SPARE = 1024  # rows of room at least, when rows are added to others


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The embeddings at one moment; nothing in it changes any more.

    Attributes:
        people: (N,) int64 keys of the people.
        vectors: (N, D) float32 unit vectors, in the order in which they were enrolled.
    """

    people: NDArray[np.int64]
    vectors: Vectors


class EmbeddingCache:
    """The embeddings of one gallery of an SQLite file.

    SQLite tells each connection whether another one has written since it last asked (PRAGMA
    data_version). When one has, whichever process it belongs to, the rows with higher keys are
    read, and when the number does not add up, the keys that are left. Vectors are read once: a key
    is never used twice and its vector never changes.

    Args:
        engine: The database, for reading.
        gallery: Key of the gallery.
        dim: Width of an embedding.
    """

    def __init__(self, engine: Engine, *, gallery: int, dim: int) -> None:
        self._engine = engine
        self._gallery = gallery
        self._lock = threading.Lock()
        self._watch = engine.raw_connection()  # asks, and never writes
        self._version: int | None = None
        self._size = 0
        self._keys = np.empty(0, dtype=np.int64)
        self._people = np.empty(0, dtype=np.int64)
        self._vectors: Vectors = np.empty((0, dim), dtype=np.float32)

    def snapshot(self) -> Snapshot:
        """The embeddings as they are now."""
        with self._lock:
            # Asked before the rows are read: a write in between is then read twice, not never.
            version = self._data_version()
            if version != self._version:
                with self._engine.begin() as connection:
                    self._refresh(connection)
                self._version = version
            # Rows beyond the size are written later, those before it never.
            return Snapshot(self._people[: self._size], self._vectors[: self._size])

    def close(self) -> None:
        """Give the connection back."""
        self._watch.close()

    def _data_version(self) -> int:
        cursor = self._watch.cursor()
        try:
            cursor.execute("PRAGMA data_version")
            return int(cast("tuple[int]", cursor.fetchone())[0])
        finally:
            cursor.close()

    def _refresh(self, connection: Connection) -> None:
        last = int(self._keys[self._size - 1]) if self._size else 0
        known = embeddings.c.key <= last
        counted = self._select(func.count().filter(known), func.count())
        old, size = connection.execute(counted).one()
        if old != self._size:
            left = connection.execute(self._select(embeddings.c.key).where(known))
            self._keep(np.fromiter(left.scalars(), dtype=np.int64))
        self._make_room(size)
        new = self._select(
            embeddings.c.key, embeddings.c.person, type_coerce(embeddings.c.vector, LargeBinary)
        )
        rows = connection.execute(new.where(~known).order_by(embeddings.c.key))
        while part := rows.fetchmany(_PART):
            keys, people, values = zip(*part, strict=True)
            self._append(keys, people, b"".join(values))

    def _select(self, *columns: Any) -> Select[Any]:  # noqa: ANN401
        return select(*columns).where(embeddings.c.gallery == self._gallery)

    def _keep(self, keys: NDArray[np.int64]) -> None:
        """Leave the rows with these keys, in arrays of their own: a snapshot may hold the old."""
        chosen = np.isin(self._keys[: self._size], keys, assume_unique=True)
        self._keys = self._keys[: self._size][chosen]
        self._people = self._people[: self._size][chosen]
        self._vectors = self._vectors[: self._size][chosen]
        self._size = len(self._keys)

    def _make_room(self, size: int) -> None:
        """Arrays for so many rows: with some to spare, so that adding one does not copy all."""
        if size > len(self._keys):
            room = size + size // 8 + _SPARE if self._size else size
            self._keys = _grown(self._keys, self._size, room)
            self._people = _grown(self._people, self._size, room)
            self._vectors = _grown(self._vectors, self._size, room)

    def _append(self, keys: tuple[int, ...], people: tuple[int, ...], values: bytes) -> None:
        end = self._size + len(keys)
        self._keys[self._size : end] = keys
        self._people[self._size : end] = people
        self._vectors[self._size : end] = np.frombuffer(values, STORED).reshape(len(keys), -1)
        self._size = end


def _grown(array: NDArray[Any], size: int, room: int) -> NDArray[Any]:
    larger = np.empty((room, *array.shape[1:]), dtype=array.dtype)
    larger[:size] = array[:size]
    return larger
