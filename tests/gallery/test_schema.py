"""The steps from an empty database to the tables, and that both say the same."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.enrolling import space_named, unit_vectors
from veilface.errors import GalleryError
from veilface.gallery import open_gallery

if TYPE_CHECKING:
    from sqlalchemy import Engine

pytest.importorskip("alembic", reason="the extra 'service' is not installed")

SPACE = space_named("tiny")


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield str(tmp_path / "empty.db")
        return
    from sqlalchemy import create_engine, make_url, text

    url = make_url(request.getfixturevalue("postgres")).set(drivername="postgresql+psycopg")
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    name = f"veilface_{uuid.uuid4().hex[:8]}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    server.dispose()


def _engine(database: str) -> Engine:
    from sqlalchemy import make_url

    if "://" not in database:
        from veilface.gallery.sqlite import sqlite_engine

        return sqlite_engine(Path(database))
    from veilface.gallery.postgres import postgres_engine

    return postgres_engine(make_url(database))


def test_the_steps_lead_to_the_tables(empty: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory
    from sqlalchemy import inspect, text

    from veilface.gallery.schema import configuration

    with open_gallery(empty, SPACE) as gallery:
        gallery.enrol("a", unit_vectors(1))
    engine = _engine(empty)
    with engine.begin() as connection:
        config = configuration(connection)
        command.check(config)  # raises when the tables are not those of the module
        head = ScriptDirectory.from_config(config).get_current_head()
        stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        names = set(inspect(connection).get_table_names())
    engine.dispose()
    assert stored == head
    assert names == {"galleries", "people", "embeddings", "alembic_version"}


def test_a_column_too_many_is_noticed(empty: str) -> None:
    from alembic import command
    from alembic.util import CommandError
    from sqlalchemy import text

    from veilface.gallery.schema import configuration

    open_gallery(empty, SPACE).close()
    engine = _engine(empty)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE people ADD COLUMN name VARCHAR"))
        with pytest.raises(CommandError, match="New upgrade operations detected"):
            command.check(configuration(connection))
    engine.dispose()


def test_opening_again_changes_nothing(empty: str) -> None:
    with open_gallery(empty, SPACE) as gallery:
        person = gallery.enrol("a", unit_vectors(1))
    with open_gallery(empty, SPACE) as gallery:
        assert gallery.get("a") == person
        assert gallery.identify(unit_vectors(1)[0]).candidates[0].id == "a"


def test_tables_of_a_later_version_are_refused(empty: str) -> None:
    from sqlalchemy import text

    open_gallery(empty, SPACE).close()
    engine = _engine(empty)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(GalleryError, match=r"later version of veilface .*9999"):
        open_gallery(empty, SPACE)
