"""The form of the tables: made in an empty database, and brought up to date in an older one."""

from __future__ import annotations

import io
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from veilface.errors import GalleryError
from veilface.gallery.store import sentences

_LOCK = 0x7665696C  # "veil"; which of PostgreSQL's advisory locks is ours


def upgrade(engine: Engine) -> None:
    """Bring the tables of a database to the form that this version knows, in one transaction.

    Raises:
        GalleryError: A later version of veilface has made them, or the database refuses.
    """
    try:
        with sentences(engine), engine.begin() as connection:
            lock(connection)
            command.upgrade(configuration(connection), "head")
    except CommandError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise GalleryError(
            f"the gallery {where} was made by a later version of veilface ({error}); "
            "update veilface"
        ) from error


def configuration(connection: Connection) -> Config:
    """What Alembic's commands need to know, for a connection that is open."""
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def lock(connection: Connection) -> None:
    """Let no other process change tables until this transaction ends."""
    if connection.dialect.name == "postgresql":  # SQLite's writers are alone as it is
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
