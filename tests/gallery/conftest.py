"""The databases that galleries are tested on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.enrolling import space_named
from tests.fixtures.postgres import database as postgres_database
from veilface.gallery import Gallery, Space, open_gallery

Open = Callable[..., Gallery]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL database; skips with the reason where none can be had."""
    with postgres_database() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each of the databases in turn; skips where the extra is not installed."""
    pytest.importorskip("sqlalchemy", reason="the extra 'service' is not installed")
    if request.param == "postgres":
        address: str = request.getfixturevalue("postgres")
        return address
    return str(tmp_path / "gallery.db")


@pytest.fixture
def space() -> Space:
    """A recogniser that no other test has a gallery of."""
    return space_named(f"test-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def opened(database: str, space: Space) -> Iterator[Open]:
    """Opens the gallery of the test, as often as it likes, and closes it in the end."""
    galleries: list[Gallery] = []

    def open_one(of: Space = space) -> Gallery:
        galleries.append(open_gallery(database, of))
        return galleries[-1]

    yield open_one
    for gallery in galleries:
        gallery.close()


@pytest.fixture
def gallery(opened: Open) -> Gallery:
    """An empty gallery."""
    return opened()
