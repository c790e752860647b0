"""Opening a gallery by the name of its database; the packages for it are imported here."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from veilface.errors import GalleryError, MissingExtraError
from veilface.gallery.base import Gallery
from veilface.gallery.space import Space

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_EXTRAS = {
    "sqlalchemy": "service",
    "alembic": "service",
    "pgvector": "postgres",
    "psycopg": "postgres",
}
"""The extra that brings a package."""

_ALLOWED = "allowed are a file, sqlite:///FILE and postgresql://USER@HOST/NAME"


def open_gallery(database: str | os.PathLike[str], space: Space) -> Gallery:
    """Open the gallery of a recogniser, which is made when it is not there.

    Tables of an older version are brought up to date.

    Args:
        database: A file (SQLite), ``sqlite:///FILE``, or ``postgresql://USER@HOST/NAME`` (with
            the extension pgvector, which is created when that is allowed).
        space: Whose embeddings are kept: `veilface.gallery.space.space_of` the recogniser's spec.

    Raises:
        GalleryError: The database cannot be opened, or its gallery of this recogniser was made
            with other weights.
        MissingExtraError: The packages of the extra are not installed.
    """
    engine = _ready(_url(database))
    try:
        from veilface.gallery.registered import register  # noqa: PLC0415

        key = register(engine, space)
        if engine.dialect.name == "postgresql":
            from veilface.gallery.postgres import PostgresGallery  # noqa: PLC0415

            return PostgresGallery(engine, space=space, key=key)
        from veilface.gallery.sqlite import SqliteGallery  # noqa: PLC0415

        return SqliteGallery(engine, space=space, key=key)
    except BaseException:
        engine.dispose()
        raise


def recognizers_of(database: str | os.PathLike[str]) -> list[Space]:
    """The recognisers that have a gallery in a database, by name, without their thresholds.

    A file that is not there has none, and is not made.

    Raises:
        GalleryError: As in `open_gallery`.
        MissingExtraError: As in `open_gallery`.
    """
    url = _url(database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return []
    engine = _ready(url)
    try:
        from veilface.gallery.registered import registered  # noqa: PLC0415

        return registered(engine)
    finally:
        engine.dispose()


def shown(database: str | os.PathLike[str]) -> str:
    """The name of a database for people to read, without a password."""
    text = os.fspath(database)
    return _url(text).render_as_string(hide_password=True) if "://" in text else text


def _url(database: str | os.PathLike[str]) -> URL:
    _need("sqlalchemy", "alembic")
    from sqlalchemy.engine import URL, make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    text = os.fspath(database)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        return make_url(text)
    except (ArgumentError, ValueError) as error:
        # Without the address, which may hold a password.
        raise GalleryError(f"this is no address of a database ({error}); {_ALLOWED}") from error


def _ready(url: URL) -> Engine:
    """The engine of a database whose tables are up to date."""
    from veilface.gallery.schema import upgrade  # noqa: PLC0415

    kind = url.get_backend_name()
    if kind == "postgresql":
        _need("psycopg", "pgvector")
        from veilface.gallery.postgres import postgres_engine  # noqa: PLC0415

        engine = postgres_engine(url.set(drivername="postgresql+psycopg"))
    elif kind == "sqlite" and url.database and url.database != ":memory:":
        from veilface.gallery.sqlite import sqlite_engine  # noqa: PLC0415

        engine = sqlite_engine(Path(url.database))
    else:
        name = url.render_as_string(hide_password=True)
        raise GalleryError(f"a gallery cannot be kept in {name}; {_ALLOWED}")
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _need(*packages: str) -> None:
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise MissingExtraError(
                f"{package} is needed for this gallery and does not load ({error}); "
                f'run: pip install "veilface[{_EXTRAS[package]}]"'
            ) from error
