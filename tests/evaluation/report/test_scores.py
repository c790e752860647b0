from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from veilface.evaluation.report.scores import Histogram, det

_EDGES = np.linspace(-1, 1, 81)
_scores = arrays(np.float64, st.integers(1, 50), elements=st.floats(-1, 1))


def _histogram(scores: np.ndarray) -> Histogram:
    counts, _ = np.histogram(scores, _EDGES)
    return Histogram.read({"edges": _EDGES.tolist(), "counts": counts.tolist()})


@given(genuine=_scores, impostor=_scores)
def test_the_curve_is_what_counting_gives_at_every_edge(
    genuine: np.ndarray, impostor: np.ndarray
) -> None:
    curve = det(genuine, _histogram(impostor))
    fmr = np.array([(impostor >= edge).mean() for edge in _EDGES])
    fnmr = np.array([(genuine <= edge).mean() for edge in _EDGES])
    assert curve.fmr == pytest.approx(fmr[: curve.fmr.size])
    assert curve.fnmr == pytest.approx(fnmr[: curve.fmr.size])
    assert (fmr[curve.fmr.size : -1] == 0).all()
    assert (np.diff(curve.fmr) <= 0).all()
    assert (np.diff(curve.fnmr) >= 0).all()


@given(scores=_scores, width=st.floats(0.01, 0.5))
def test_coarser_bins_keep_every_score(scores: np.ndarray, width: float) -> None:
    fine = _histogram(scores)
    coarse = fine.coarse(width)
    assert coarse.counts.sum() == fine.counts.sum() == scores.size
    assert (coarse.edges[0], coarse.edges[-1]) == (-1, 1)
    assert (coarse.density * np.diff(coarse.edges)).sum() == pytest.approx(1)
    for edge in coarse.edges:
        assert edge in fine.edges


def test_scores_are_counted_between_the_edges_of_another() -> None:
    like = Histogram(np.array([0.0, 0.5, 1.0]), np.zeros(2))
    assert Histogram.of([-3, 0.1, 0.5, 0.9, 7], like).counts.tolist() == [2, 3]
    assert Histogram.of([], like).density.tolist() == [0, 0]
