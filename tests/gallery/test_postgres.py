"""What is particular about a gallery in PostgreSQL."""

from __future__ import annotations

import pytest

from tests.fixtures.enrolling import space_named, unit_vectors
from veilface.errors import GalleryError
from veilface.gallery import Count, Enrolment, Space, open_gallery

pytest.importorskip("sqlalchemy", reason="the extra 'service' is not installed")
pytest.importorskip("pgvector", reason="the extra 'postgres' is not installed")

from veilface.gallery.store import SqlGallery


@pytest.fixture
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    from veilface.gallery import postgres as module

    monkeypatch.setattr(module, "INDEXED_FROM", 500)


def _has_index(address: str, space: Space) -> bool:
    from sqlalchemy import inspect, make_url

    from veilface.gallery.postgres import postgres_engine
    from veilface.gallery.registered import register

    engine = postgres_engine(make_url(address).set(drivername="postgresql+psycopg"))
    name = f"ix_embeddings_nearest_{register(engine, space)}"
    with engine.begin() as connection:
        there = name in {index["name"] for index in inspect(connection).get_indexes("embeddings")}
    engine.dispose()
    return there


@pytest.mark.usefixtures("_early")
def test_a_gallery_that_grows_is_given_an_index(postgres: str, space: Space) -> None:
    vectors = unit_vectors(502)
    with open_gallery(postgres, space) as gallery, open_gallery(postgres, space) as other:
        gallery.enrol_many(Enrolment(str(k), v) for k, v in enumerate(vectors[:499]))
        assert not _has_index(postgres, space)
        gallery.enrol("499", vectors[499])
        assert _has_index(postgres, space)
        other.enrol("500", vectors[500])
        gallery.enrol("501", vectors[501])
        for k in (0, 499, 500, 501):
            assert gallery.identify(vectors[k], limit=1).candidates[0].id == str(k)


@pytest.mark.usefixtures("_early")
def test_an_index_that_cannot_be_made_now_costs_no_enrolment(
    postgres: str, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    from veilface.gallery import postgres as module

    vectors = unit_vectors(502)
    with open_gallery(postgres, space) as gallery:
        with monkeypatch.context() as patch:
            patch.setattr(module, "_BUILD_MEMORY", "no size")
            gallery.enrol_many(Enrolment(str(k), v) for k, v in enumerate(vectors[:501]))
        assert gallery.count().embeddings == 501
        assert not _has_index(postgres, space)
        gallery.enrol("501", vectors[501])
    assert _has_index(postgres, space)


@pytest.mark.usefixtures("_early")
def test_a_search_uses_the_index_of_its_gallery(postgres: str, space: Space) -> None:
    from sqlalchemy import make_url, text

    from veilface.gallery.postgres import nearest, postgres_engine
    from veilface.gallery.registered import register

    engine = postgres_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
    with open_gallery(postgres, space) as gallery:
        gallery.enrol_many(Enrolment(str(k), v) for k, v in enumerate(unit_vectors(600)))
    key = register(engine, space)
    statement = nearest(unit_vectors(1)[0], gallery=key)
    plain = statement.compile(engine, compile_kwargs={"literal_binds": True})
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {plain}").scalars())
    engine.dispose()
    assert f"Index Scan using ix_embeddings_nearest_{key} " in plan


@pytest.mark.usefixtures("_early")
def test_the_nearest_are_found(postgres: str, space: Space) -> None:
    vectors = unit_vectors(3000, dim=space.dim)
    noise = unit_vectors(3000, dim=space.dim, seed=1)
    probes = vectors + 0.7 * noise
    with open_gallery(postgres, space) as gallery:
        gallery.enrol_many(Enrolment(str(k), vector) for k, vector in enumerate(vectors))
        hits = 0
        for probe in probes[::100] / (probes[::100] ** 2).sum(axis=1, keepdims=True) ** 0.5:
            exact = int((vectors @ probe).argmax())
            hits += gallery.identify(probe, limit=1).candidates[0].id == str(exact)
    assert hits >= 29  # of 30


def test_embeddings_are_counted_when_somebody_has_written(postgres: str, space: Space) -> None:
    from sqlalchemy import event

    vectors = unit_vectors(4)
    counts: list[str] = []

    def watch(*given: object) -> None:
        statement = str(given[2])
        if "count(" in statement:
            counts.append(statement)

    with open_gallery(postgres, space) as gallery, open_gallery(postgres, space) as other:
        assert isinstance(gallery, SqlGallery)
        event.listen(gallery._engine, "before_cursor_execute", watch)
        other.enrol("a", vectors[:2])
        sizes = [gallery.identify(vectors[k]).rule.size for k in range(4)]
        assert sizes == [2, 2, 2, 2]
        assert len(counts) == 1
        other.enrol("b", vectors[2])
        assert gallery.identify(vectors[0]).rule.size == 3
        other.delete("a")
        assert gallery.identify(vectors[0]).rule.size == 1
        assert len(counts) == 3


def test_what_the_server_refuses_is_a_sentence_and_leaves_nothing(
    postgres: str, space: Space
) -> None:
    from sqlalchemy import text

    vectors = unit_vectors(2)
    refused = "ALTER TABLE embeddings ADD CONSTRAINT refused CHECK (source <> 'x') NOT VALID"
    with open_gallery(postgres, space) as gallery:
        assert isinstance(gallery, SqlGallery)
        with gallery._engine.begin() as connection:
            connection.execute(text(refused))
        try:
            with pytest.raises(GalleryError, match="violates check constraint") as error:
                gallery.enrol_many([Enrolment("a", vectors[0]), Enrolment("b", vectors[1], "x")])
        finally:
            with gallery._engine.begin() as connection:
                connection.execute(text("ALTER TABLE embeddings DROP CONSTRAINT refused"))
        assert str(vectors[1][0])[:6] not in str(error.value)
        assert gallery.count() == Count(0, 0)
        gallery.enrol("a", vectors[0])
        assert gallery.identify(vectors[0]).candidates[0].id == "a"


def test_wide_embeddings_stand_in_their_rows(postgres: str, space: Space) -> None:
    from sqlalchemy import text

    wide = space_named(space.recognizer, dim=512)
    beside = text(
        "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'embeddings'::regclass"
    )
    with open_gallery(postgres, wide) as gallery:
        assert isinstance(gallery, SqlGallery)
        with gallery._engine.begin() as connection:
            before = connection.execute(beside).scalar_one()
        gallery.enrol_many(
            Enrolment(str(k), v) for k, v in enumerate(unit_vectors(20, dim=wide.dim))
        )
        with gallery._engine.begin() as connection:
            assert connection.execute(beside).scalar_one() == before


def test_a_commit_is_on_the_disk(postgres: str) -> None:
    from sqlalchemy import make_url, text

    from veilface.gallery.postgres import EF_SEARCH, postgres_engine

    engine = postgres_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
        assert connection.execute(text("SHOW hnsw.ef_search")).scalar_one() == str(EF_SEARCH)
    engine.dispose()


def test_a_server_that_is_not_there(space: Space) -> None:
    with pytest.raises(
        GalleryError, match=r"postgresql\+psycopg://me:\*\*\*@127\.0\.0\.1:1/x"
    ) as e:
        open_gallery("postgresql://me:secret@127.0.0.1:1/x", space)
    assert "secret" not in str(e.value)
