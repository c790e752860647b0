"""What Alembic runs: the steps on a connection that the caller has opened and will commit."""

from __future__ import annotations

from typing import Any

from alembic import context

from veilface.gallery.tables import INDEX_PREFIX, metadata


def _counts(thing: object, name: str | None, kind: str, *_: Any) -> bool:  # noqa: ANN401
    """Whether Alembic compares this: pgvector's indexes are made with each gallery."""
    return not (kind == "index" and str(name).startswith(INDEX_PREFIX))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=_counts,
    render_as_batch=True,  # SQLite changes a table by making a new one
)
with context.begin_transaction():
    context.run_migrations()
