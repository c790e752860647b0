"""The benchmark of galleries in a few seconds, and what its vectors are like."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.enrolling import space_named

pytest.importorskip("sqlalchemy", reason="the extra 'service' is not installed")
pytest.importorskip("pgvector", reason="the extra 'postgres' is not installed")
pytest.importorskip("psutil", reason="no psutil, which the benchmark counts CPU time with")

from benchmarks import gallery


@pytest.mark.parametrize("effective", [128, 60, 10])
def test_cosines_of_strangers_spread_as_the_effective_dimension_says(effective: int) -> None:
    vectors = gallery.directions(600, 128, seed=0, effective=effective)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    cosines = (vectors @ vectors.T)[np.triu_indices(600, 1)]
    assert cosines.std() == pytest.approx(effective**-0.5, rel=0.03)
    assert cosines.mean() == pytest.approx(0, abs=0.02)


def test_an_exact_store_finds_everybody(tmp_path: Path) -> None:
    vectors = gallery.directions(400, 32, seed=0, effective=20)
    database, space = str(tmp_path / "g.db"), space_named("random", dim=32)
    loaded = gallery.load(database, space, vectors)
    assert min(loaded.bulk, loaded.single) > 0
    found = gallery.search(database, space, vectors, 0, clock=time.process_time)
    assert (found.known, found.strangers) == (1, 1)
    assert 0 < found.median <= found.slowest


def test_what_an_index_misses_is_counted() -> None:
    vectors = np.eye(20, dtype=np.float32)
    probes = vectors[:2]
    assert gallery._recall([[0], [1]], probes, vectors, 1) == 1
    assert gallery._recall([[0], [7]], probes, vectors, 1) == 0.5
    assert gallery._recall([[], []], probes, vectors, 1) == 0
