"""Whatever is done to a gallery in whichever order, it holds what a dictionary would."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fixtures.enrolling import space_named, unit_vectors
from veilface.gallery import Count, Enrolment, open_gallery

pytest.importorskip("alembic", reason="the extra 'service' is not installed")

SPACE = space_named("tiny", dim=4)
IDS = st.sampled_from(["a", "b", "ä", "Z z"])
VECTORS = st.tuples(st.integers(1, 3), st.integers(0, 50)).map(
    lambda drawn: unit_vectors(drawn[0], dim=4, seed=drawn[1])
)
WHO = st.integers(0, 1)


class Galleries(RuleBasedStateMachine):
    """Two processes with one file, against a dictionary."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "g.db"
        self.galleries = [open_gallery(path, SPACE) for _ in range(2)]
        self.model: dict[str, list[np.ndarray]] = {}

    @rule(who=WHO, id=IDS, vectors=VECTORS, replace=st.booleans())
    def enrol(self, who: int, id: str, vectors: np.ndarray, replace: bool) -> None:
        person = self.galleries[who].enrol(id, vectors, replace=replace)
        self.model[id] = [*([] if replace else self.model.get(id, [])), *vectors]
        assert len(person.records) == len(self.model[id])

    @rule(who=WHO, many=st.lists(st.tuples(IDS, VECTORS), max_size=4))
    def enrol_many(self, who: int, many: list[tuple[str, np.ndarray]]) -> None:
        self.galleries[who].enrol_many(Enrolment(id, vectors) for id, vectors in many)
        for id, vectors in many:
            self.model.setdefault(id, []).extend(vectors)

    @rule(who=WHO, id=IDS)
    def delete(self, who: int, id: str) -> None:
        assert self.galleries[who].delete(id) == (self.model.pop(id, None) is not None)

    @rule(who=WHO, probe=st.integers(100, 150), limit=st.integers(1, 5))
    def identify(self, who: int, probe: int, limit: int) -> None:
        vector = unit_vectors(1, dim=4, seed=probe)[0]
        expected = {
            id: max(float(v.astype(float) @ vector.astype(float)) for v in vectors)
            for id, vectors in self.model.items()
        }
        found = self.galleries[who].identify(vector, limit=limit)
        scores = {candidate.id: candidate.score for candidate in found.candidates}
        assert len(scores) == min(limit, len(expected))
        # Stores keep float32 and sum in their own order.
        assert scores == pytest.approx({id: expected[id] for id in scores}, abs=1e-6)
        assert min(scores.values(), default=1) >= max(
            (score - 1e-6 for id, score in expected.items() if id not in scores), default=-1
        )

    @invariant()
    def same(self) -> None:
        stored = sum(map(len, self.model.values()))
        for gallery in getattr(self, "galleries", []):
            assert gallery.count() == Count(len(self.model), stored)
            assert [person.id for person in gallery.people()] == sorted(self.model)

    def teardown(self) -> None:
        for gallery in self.galleries:
            gallery.close()
        self.folder.cleanup()


TestGalleries = Galleries.TestCase
TestGalleries.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
