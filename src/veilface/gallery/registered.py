"""Which recognisers have a gallery in a database, and with which weights."""

from __future__ import annotations

from sqlalchemy import Engine, insert, select

from veilface.errors import GalleryError
from veilface.gallery.schema import lock
from veilface.gallery.space import Space
from veilface.gallery.store import sentences
from veilface.gallery.tables import galleries

_SHOWN = 12  # digits of a hash in a sentence


def register(engine: Engine, space: Space) -> int:
    """The key of a recogniser's gallery, which is made when it is not there.

    Raises:
        GalleryError: It was made with other weights.
    """
    with sentences(engine), engine.begin() as connection:
        lock(connection)
        row = connection.execute(
            select(galleries).where(galleries.c.recognizer == space.recognizer)
        ).one_or_none()
        if row is not None:
            _check(row.weights, row.dim, space)
            return int(row.key)
        key = connection.execute(
            insert(galleries)
            .values(recognizer=space.recognizer, weights=space.weights, dim=space.dim)
            .returning(galleries.c.key)
        ).scalar_one()
        return int(key)


def registered(engine: Engine) -> list[Space]:
    """The recognisers of a database, by name."""
    with sentences(engine), engine.begin() as connection:
        rows = connection.execute(select(galleries).order_by(galleries.c.recognizer))
        return [Space(row.recognizer, row.weights, row.dim) for row in rows]


def _check(weights: str, dim: int, space: Space) -> None:
    if (weights, dim) != (space.weights, space.dim):
        raise GalleryError(
            f"this gallery was made with other weights of {space.recognizer} (hash "
            f"{weights[:_SHOWN]}, these have {space.weights[:_SHOWN]}), whose embeddings cannot be "
            "compared with these; enrol the people again in another database"
        )
