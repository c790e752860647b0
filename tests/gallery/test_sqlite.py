"""What is particular about a gallery in a file."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.enrolling import space_named, unit_vectors
from veilface.errors import GalleryError
from veilface.gallery import Enrolment, open_gallery

pytest.importorskip("sqlalchemy", reason="the extra 'service' is not installed")

SPACE = space_named("tiny")


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    with open_gallery(tmp_path / "g.db", SPACE) as gallery:
        gallery.enrol("a", unit_vectors(1))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes["g.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    from veilface.gallery.sqlite import sqlite_engine

    engine = sqlite_engine(tmp_path / "g.db")
    with engine.begin() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        ]
    engine.dispose()
    assert values == ["wal", 2, 1, 1]


def test_who_opens_a_file_first_waits_for_another_who_writes(tmp_path: Path) -> None:
    # SQLite does not wait, for all its timeout, while a file changes to a log of writes.
    from veilface.gallery.sqlite import sqlite_engine

    engine = sqlite_engine(tmp_path / "g.db")
    other = sqlite3.connect(tmp_path / "g.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.3, other.execute, ["COMMIT"])
    end.start()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    end.join()
    engine.dispose()
    other.close()


@pytest.mark.parametrize("how", ["delete", "replace"])
def test_what_was_removed_is_nowhere_in_the_files(tmp_path: Path, how: str) -> None:
    vectors = unit_vectors(40)
    with open_gallery(tmp_path / "g.db", SPACE) as gallery:
        for number, vector in enumerate(vectors):
            gallery.enrol(f"somebody-{number}", vector)
        removed = vectors[7].tobytes()
        assert removed in _content(tmp_path)
        if how == "delete":
            gallery.delete("somebody-7")
            assert b"somebody-7" not in _content(tmp_path)
        else:
            gallery.enrol("somebody-7", unit_vectors(1, seed=1), replace=True)
        assert removed not in _content(tmp_path)
        assert vectors[8].tobytes() in _content(tmp_path)


def _content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_files_that_are_no_gallery(tmp_path: Path) -> None:
    other = tmp_path / "photo.jpg"
    other.write_bytes(b"\xff\xd8\xff" * 1000)
    with pytest.raises(GalleryError, match=r"photo\.jpg says: file is not a database"):
        open_gallery(other, SPACE)
    assert other.read_bytes() == b"\xff\xd8\xff" * 1000
    with pytest.raises(GalleryError, match="No such file or directory"):
        open_gallery(tmp_path / "none" / "g.db", SPACE)
    with pytest.raises(GalleryError, match="Is a directory"):
        open_gallery(tmp_path, SPACE)


def test_vectors_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from veilface.gallery.cache import EmbeddingCache
    from veilface.gallery.sqlite import SqliteGallery

    read: list[int] = []
    append = EmbeddingCache._append

    def counted(
        self: EmbeddingCache, keys: tuple[int, ...], people: tuple[int, ...], values: bytes
    ) -> None:
        read.extend(keys)
        append(self, keys, people, values)

    monkeypatch.setattr(EmbeddingCache, "_append", counted)
    vectors = unit_vectors(21)
    with open_gallery(tmp_path / "g.db", SPACE) as gallery:
        assert isinstance(gallery, SqliteGallery)
        for number, vector in enumerate(vectors[:20]):
            gallery.enrol(str(number), vector)
        before = gallery._cache.snapshot()
        gallery.delete("3")
        gallery.enrol("new", vectors[20])
        after = gallery._cache.snapshot()
        gallery.identify(vectors[0])
    assert read == list(range(1, 22))
    np.testing.assert_array_equal(before.vectors, vectors[:20])  # whoever searches is not disturbed
    np.testing.assert_array_equal(after.vectors, np.delete(vectors, 3, axis=0))
    assert len(set(after.people.tolist())) == 20


def test_a_first_reading_takes_the_memory_of_the_embeddings_and_no_more(tmp_path: Path) -> None:
    from veilface.gallery.sqlite import SqliteGallery

    vectors = unit_vectors(41)
    with open_gallery(tmp_path / "g.db", SPACE) as gallery:
        gallery.enrol_many(Enrolment(str(k), vector) for k, vector in enumerate(vectors[:40]))
    with open_gallery(tmp_path / "g.db", SPACE) as gallery:
        assert isinstance(gallery, SqliteGallery)
        assert gallery._cache.snapshot().vectors.base is gallery._cache._vectors
        assert gallery._cache._vectors.shape == (40, SPACE.dim)
        gallery.enrol("one more", vectors[40])
        np.testing.assert_array_equal(gallery._cache.snapshot().vectors, vectors)
