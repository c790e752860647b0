"""A gallery in a file: SQLite, with exact search by one matrix product."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import URL, Connection, Engine, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert

from veilface.errors import GalleryError
from veilface.gallery.cache import EmbeddingCache
from veilface.gallery.checks import Vectors
from veilface.gallery.ranking import Neighbours, rank
from veilface.gallery.space import Space
from veilface.gallery.store import SqlGallery, sentences
from veilface.gallery.tables import people

_WAIT = 30.0  # seconds for another writer

_PRAGMAS = (
    "synchronous = FULL",  # a commit returns when it is on the disk
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted is overwritten
)


def sqlite_engine(path: Path) -> Engine:
    """The engine of a file, which is made for its owner alone (mode 0600) when it is not there.

    Raises:
        GalleryError: The file cannot be made or opened.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise GalleryError(f"cannot open the gallery {path}: {reason}") from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": _WAIT},
        hide_parameters=True,  # of errors: embeddings do not belong into a log
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


class SqliteGallery(SqlGallery):
    """See `veilface.gallery.base.Gallery`."""

    _upsert = staticmethod(insert)

    def __init__(self, engine: Engine, *, space: Space, key: int) -> None:
        super().__init__(engine, space=space, key=key)
        with sentences(engine):
            self._cache = EmbeddingCache(self._readers, gallery=key, dim=space.dim)

    def close(self) -> None:
        """See `Gallery.close`."""
        self._cache.close()
        super().close()

    def _search(self, probe: Vectors, limit: int) -> Neighbours:
        with sentences(self._engine):
            snapshot = self._cache.snapshot()
        size = len(snapshot.people)
        if not size:
            return Neighbours([], size)
        scores = snapshot.vectors @ probe
        # One more than wanted, and more while the nearest embeddings are of too few people.
        count = min(limit + 1, size)
        while True:
            near = np.sort(np.argpartition(scores, size - count)[size - count :])
            ranked = rank(probe, snapshot.vectors[near], snapshot.people[near].tolist())
            if len(ranked.keys) >= limit or count == size:
                break
            count = min(2 * count, size)
        ids = self._ids(ranked.keys[:limit])
        found = zip(ranked.keys, ranked.scores, strict=True)
        # Who is not there any more was deleted since the snapshot.
        return Neighbours([(ids[key], score) for key, score in found if key in ids], size)

    def _ids(self, keys: list[int]) -> dict[int, str]:
        with self._connection(self._readers) as connection:
            rows = connection.execute(
                select(people.c.key, people.c.id).where(people.c.key.in_(keys))
            )
            return {row.key: row.id for row in rows}

    def _forget(self) -> None:
        """Write the log into the file and empty it: the log holds what was deleted, too."""
        with sentences(self._engine):
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()


def _prepare(connection: Any, record: object) -> None:  # noqa: ANN401 - of sqlite3
    connection.isolation_level = None  # transactions begin where `_begin` says
    cursor = connection.cursor()
    _write_ahead(cursor)
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Keep a log of what is written: readers and a writer do not wait for each other.

    The first to open a file changes it to that for good. SQLite does not wait for others then,
    whatever its timeout.
    """
    end = time.monotonic() + _WAIT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    # A writer takes its lock at once: one that reads first cannot get it when another has written.
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
