"""Galleries, people and embeddings.

A step says what the tables were at its time, so it imports nothing that may change later.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From an empty database."""
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "galleries",
        sa.Column("key", key, nullable=False),
        sa.Column("recognizer", sa.String(), nullable=False),
        sa.Column("weights", sa.String(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_galleries"),
        sa.UniqueConstraint("recognizer", name="uq_galleries_recognizer"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "people",
        sa.Column("key", key, nullable=False),
        sa.Column("gallery", key, nullable=False),
        sa.Column("id", sa.String(collation="C" if postgres else None), nullable=False),
        sa.Column("enrolled", moment, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_people"),
        sa.ForeignKeyConstraint(["gallery"], ["galleries.key"], name="fk_people_gallery"),
        sa.UniqueConstraint("gallery", "id", name="uq_people_gallery_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "embeddings",
        sa.Column("key", key, nullable=False),
        sa.Column("gallery", key, nullable=False),
        sa.Column("person", key, nullable=False),
        sa.Column("vector", _vector() if postgres else sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("added", moment, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_embeddings"),
        sa.ForeignKeyConstraint(["gallery"], ["galleries.key"], name="fk_embeddings_gallery"),
        sa.ForeignKeyConstraint(
            ["person"], ["people.key"], name="fk_embeddings_person", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_embeddings_gallery", "embeddings", ["gallery"])
    op.create_index("ix_embeddings_person", "embeddings", ["person"])


def _vector() -> sa.types.TypeEngine[object]:
    from pgvector.sqlalchemy import VECTOR  # noqa: PLC0415 - of the extra ``postgres``

    return VECTOR()
