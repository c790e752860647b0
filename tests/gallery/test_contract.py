"""What every gallery does, whichever database keeps it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
import torch

from tests.fixtures.enrolling import DIM, space_named, unit_vectors
from tests.gallery.conftest import Open
from veilface.errors import GalleryError
from veilface.gallery import Count, Enrolment, Gallery, Space
from veilface.gallery.opening import recognizers_of


def test_a_person_has_what_was_enrolled(gallery: Gallery) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    first, second, third = unit_vectors(3)
    gallery.enrol("Zoë", first)
    person = gallery.enrol("Zoë", [second, third], source="protected")
    assert person == gallery.get("Zoë")
    assert [record.source for record in person.records] == ["photo", "protected", "protected"]
    assert before < person.enrolled == person.records[0].added <= person.records[1].added
    assert person.enrolled.utcoffset() == timedelta(0)
    assert gallery.count() == Count(people=1, embeddings=3)
    assert gallery.get("somebody else") is None


def test_tensors_are_embeddings(gallery: Gallery) -> None:
    vectors = torch.from_numpy(unit_vectors(2))
    gallery.enrol("a", vectors)
    assert gallery.identify(vectors[1]).candidates[0].id == "a"


def test_a_search_is_what_comparing_with_everything_gives(gallery: Gallery) -> None:
    vectors = unit_vectors(120).reshape(40, 3, DIM)
    gallery.enrol_many(Enrolment(f"{k:02d}", vectors[k]) for k in range(40))
    for probe in unit_vectors(10, seed=1):
        expected = (vectors.astype(np.float64) @ probe.astype(np.float64)).max(axis=1)
        order = np.argsort(-expected)[:7]
        found = gallery.identify(probe, limit=7)
        assert [candidate.id for candidate in found.candidates] == [f"{k:02d}" for k in order]
        scores = [candidate.score for candidate in found.candidates]
        np.testing.assert_allclose(scores, expected[order], rtol=0, atol=1e-12)
        assert found.rule.size == 120


def test_people_with_many_embeddings_leave_room_for_others(gallery: Gallery) -> None:
    probe, other = unit_vectors(2)
    crowd = probe + 0.01 * unit_vectors(40, seed=2)
    gallery.enrol("crowd", crowd / np.linalg.norm(crowd, axis=1, keepdims=True))
    gallery.enrol("other", other)
    assert [c.id for c in gallery.identify(probe, limit=2).candidates] == ["crowd", "other"]


def test_nobody_is_found_in_an_empty_gallery(gallery: Gallery) -> None:
    found = gallery.identify(unit_vectors(1)[0])
    assert found.candidates == ()
    assert found.rule.size == 0


def test_decisions_follow_the_size_of_the_gallery(gallery: Gallery) -> None:
    vectors = unit_vectors(11)
    gallery.enrol_many(Enrolment(str(k), vectors[k]) for k in range(10))
    # 0.01 / 10 is the rate of the stricter threshold, 0.7
    ten = gallery.identify(vectors[3], limit=2, fpir=0.01)
    assert (ten.rule.fmr, ten.rule.threshold) == (1e-3, 0.7)
    assert [candidate.match for candidate in ten.candidates] == [True, False]
    gallery.enrol("one more", vectors[10])
    eleven = gallery.identify(vectors[3], limit=2, fpir=0.01)
    assert eleven.rule.threshold is None
    assert [candidate.match for candidate in eleven.candidates] == [None, None]
    assert gallery.identify(vectors[3], fpir=0.2).rule.threshold == 0.5


def test_many_at_once_are_all_there(gallery: Gallery) -> None:
    vectors = unit_vectors(2500)
    # The same people come again in a later part.
    added = gallery.enrol_many(Enrolment(str(k % 1300), vectors[k]) for k in range(2500))
    assert added == Count(people=2500, embeddings=2500)
    assert gallery.count() == Count(people=1300, embeddings=2500)
    assert gallery.identify(vectors[2499], limit=1).candidates[0].id == "1199"
    assert gallery.enrol_many([]) == Count(0, 0)


def test_many_at_once_or_none(gallery: Gallery) -> None:
    def enrolments() -> Iterator[Enrolment]:
        for number, vector in enumerate(unit_vectors(1500)):
            yield Enrolment(str(number), vector)
        yield Enrolment("last", np.zeros(DIM))

    with pytest.raises(GalleryError, match=r"^enrolment 1501: .*length 0;.*nothing was enrolled"):
        gallery.enrol_many(enrolments())
    assert gallery.count() == Count(0, 0)


def test_who_is_deleted_is_gone(gallery: Gallery) -> None:
    vectors = unit_vectors(4)
    gallery.enrol("a", vectors[:2])
    gallery.enrol("b", vectors[2:])
    assert gallery.identify(vectors[0], limit=1).candidates[0].id == "a"
    assert gallery.delete("a") is True
    assert gallery.delete("a") is False
    assert gallery.get("a") is None
    assert gallery.count() == Count(people=1, embeddings=2)
    assert [c.id for c in gallery.identify(vectors[0]).candidates] == ["b"]
    again = gallery.enrol("a", vectors[1])
    assert len(again.records) == 1
    assert gallery.identify(vectors[1]).candidates[0].id == "a"


def test_replacing_leaves_the_new_only(gallery: Gallery) -> None:
    vectors = unit_vectors(3)
    first = gallery.enrol("a", vectors[:2])
    person = gallery.enrol("a", vectors[2], source="protected", replace=True)
    assert person.enrolled == first.enrolled
    assert [record.source for record in person.records] == ["protected"]
    assert gallery.count() == Count(people=1, embeddings=1)
    expected = float(vectors[0].astype(float) @ vectors[2].astype(float))
    assert gallery.identify(vectors[0]).candidates[0].score == pytest.approx(expected, abs=1e-6)


def test_people_come_in_pages_by_code_point(gallery: Gallery) -> None:
    ids = ["Zoë", "a b", "ä", "B", "b", "10", "9", "日本", "_"]
    for id, vector in zip(ids, unit_vectors(len(ids)), strict=True):
        gallery.enrol(id, [vector, -vector])
    seen: list[str] = []
    while page := gallery.people(after=seen[-1] if seen else None, limit=4):
        assert all(len(person.records) == 2 for person in page)
        seen += [person.id for person in page]
    assert seen == sorted(ids)


@pytest.mark.parametrize(
    "id", ["", " a", "a ", "a\n", "a\x00", "a/b", "a\\b", "..", "e\u0301", "\u202ea", "x" * 129]
)
def test_ids_that_are_refused(gallery: Gallery, id: str) -> None:
    vector = unit_vectors(1)[0]
    allowed = "allowed are 1 to 128 printable characters"
    with pytest.raises(GalleryError, match=allowed):
        gallery.enrol(id, vector)
    with pytest.raises(GalleryError, match=allowed):
        gallery.get(id)
    with pytest.raises(GalleryError, match="source"):
        gallery.enrol("a", vector, source=id)
    assert gallery.count() == Count(0, 0)


@pytest.mark.parametrize("id", ["x" * 128, "é", "o'brien; DROP TABLE people", "%", "a@b.c", "😀"])
def test_ids_that_are_text_like_any_other(gallery: Gallery, id: str) -> None:
    vector = unit_vectors(1)[0]
    gallery.enrol(id, vector)
    assert gallery.identify(vector).candidates[0].id == id
    assert gallery.delete(id)


@pytest.mark.parametrize(
    "bad",
    [
        np.ones((1, DIM)),
        np.full(DIM, np.nan),
        np.full(DIM, np.inf),
        np.eye(DIM + 1)[0],
        np.empty((0, DIM)),
        np.eye(DIM)[None],
        ["a"] * DIM,
    ],
)
def test_embeddings_that_are_refused(gallery: Gallery, bad: object) -> None:
    with pytest.raises(GalleryError, match="embedding"):
        gallery.enrol("a", bad)  # type: ignore[arg-type]
    with pytest.raises(GalleryError, match="embedding"):
        gallery.identify(bad)  # type: ignore[arg-type]
    assert gallery.get("a") is None


def test_arguments_out_of_range(gallery: Gallery) -> None:
    probe = unit_vectors(2)
    for limit in (0, 101):
        with pytest.raises(GalleryError, match="1 to 100 can be asked for"):
            gallery.identify(probe[0], limit=limit)
    for fpir in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(GalleryError, match="above 0 and below 1"):
            gallery.identify(probe[0], fpir=fpir)
    with pytest.raises(GalleryError, match="2 probes in one search"):
        gallery.identify(probe)


def test_other_weights_are_refused(opened: Open, space: Space) -> None:
    opened().enrol("a", unit_vectors(1))
    other = space_named(space.recognizer, weights="cd" * 32)
    with pytest.raises(
        GalleryError, match=f"other weights of {space.recognizer} .*abababababab.*cdcdcdcdcdcd"
    ):
        opened(other)
    assert opened().count().people == 1


def test_recognisers_share_a_database_and_nothing_else(
    opened: Open, database: str, space: Space
) -> None:
    wide = space_named(space.recognizer + "-wide", dim=32)
    one, other = opened(), opened(wide)
    one.enrol("a", unit_vectors(1)[0])
    other.enrol("a", unit_vectors(2, dim=32))
    assert (one.count().embeddings, other.count().embeddings) == (1, 2)
    assert other.identify(unit_vectors(1, dim=32)[0]).rule.size == 2
    one.delete("a")
    assert other.get("a") is not None
    found = {known.recognizer: known.dim for known in recognizers_of(database)}
    assert {k: v for k, v in found.items() if k.startswith(space.recognizer)} == {
        space.recognizer: DIM,
        wide.recognizer: 32,
    }


def test_another_process_writes_and_this_one_sees_it(opened: Open) -> None:
    here, there = opened(), opened()
    vectors = unit_vectors(6)
    there.enrol("a", vectors[:2])
    assert here.identify(vectors[1]).candidates[0].id == "a"
    there.enrol("b", vectors[2:4])
    here.enrol("c", vectors[4])
    for gallery in (here, there):
        found = [gallery.identify(vector).candidates[0].id for vector in vectors[:5]]
        assert found == ["a", "a", "b", "b", "c"]
    there.delete("a")
    there.enrol("d", vectors[5])  # as many rows as one that only adds would leave
    assert [c.id for c in here.identify(vectors[0], limit=9).candidates if c.id == "a"] == []
    assert here.identify(vectors[5]).candidates[0].id == "d"
    there.enrol("d", vectors[0], replace=True)
    assert here.identify(vectors[0]).candidates[0].score == pytest.approx(1)


def test_threads_share_a_gallery(gallery: Gallery) -> None:
    vectors = unit_vectors(80)

    def work(worker: int) -> None:
        for number in range(worker, 80, 8):
            gallery.enrol(str(number), vectors[number])
            gallery.enrol("everybody", vectors[number])
            own = gallery.identify(vectors[number], limit=2).candidates
            assert str(number) in {candidate.id for candidate in own}
            if number % 2:
                assert gallery.delete(str(number))
                found = gallery.identify(vectors[number], limit=100).candidates
                assert str(number) not in {candidate.id for candidate in found}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert gallery.count() == Count(people=41, embeddings=120)
    everybody = gallery.get("everybody")
    assert everybody is not None
    assert len(everybody.records) == 80


def test_many_may_open_an_empty_database_at_once(opened: Open) -> None:
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        opened().enrol(str(number), unit_vectors(1)[0])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert opened().count().people == 4
