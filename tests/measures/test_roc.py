"""Verification measures against scikit-learn, brute force and scores made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import det_curve, roc_auc_score, roc_curve

from veilface.errors import ShapeError
from veilface.measures.roc import (
    Floats,
    Labels,
    accuracy,
    best_threshold,
    fold_accuracy,
    matches_allowed,
    roc,
    threshold_at_fmr,
)


def draw(seed: int, *, ties: bool = False) -> tuple[Floats, Labels]:
    generator = np.random.default_rng(seed)
    same = generator.random(400) < 0.4
    scores = generator.normal(same * 1.5, 1.0)
    return (np.round(scores, 1) if ties else scores), same


@pytest.mark.parametrize("ties", [False, True])
def test_roc_and_area_against_scikit_learn(ties: bool) -> None:
    scores, same = draw(1, ties=ties)
    mine = roc(scores, same)
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    assert np.allclose(mine.fmr, fpr)
    assert np.allclose(mine.tmr, tpr)
    assert mine.area == pytest.approx(roc_auc_score(same, scores))
    for threshold, fmr, tmr in zip(mine.thresholds, mine.fmr, mine.tmr, strict=True):
        assert (scores[~same] > threshold).mean() == pytest.approx(fmr)
        assert (scores[same] > threshold).mean() == pytest.approx(tmr)


def test_det_curve_against_scikit_learn() -> None:
    scores, same = draw(3, ties=True)
    mine = roc(scores, same)
    points = set(zip(mine.fmr.round(9), mine.fnmr.round(9), strict=True))
    fmr, fnmr, _ = det_curve(same, scores)
    assert set(zip(fmr.round(9), fnmr.round(9), strict=True)) <= points
    assert len(fmr) > 20


def test_equal_error_rate() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.6, 0.3, 0.1, 0.0])
    same = np.array([True] * 4 + [False] * 4)
    # Between 0.3 and 0.6 one of four genuine pairs fails and one of four impostors passes.
    assert roc(scores, same).eer == pytest.approx(0.25)
    assert roc(np.array([1.0, 0.0]), np.array([True, False])).eer == 0
    assert roc(np.array([0.0, 1.0]), np.array([True, False])).eer == 1
    assert roc(np.zeros(10), np.arange(10) < 3).eer == pytest.approx(0.5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=60), st.sampled_from([0, 0.01, 0.1, 0.5])
)
def test_threshold_is_the_lowest_that_keeps_the_rate(values: list[int], fmr: float) -> None:
    impostor = np.array(values, dtype=np.float64)
    threshold = threshold_at_fmr(impostor, fmr)
    assert (impostor > threshold).mean() <= fmr
    lower = impostor[impostor < threshold]
    if lower.size:
        assert (impostor > lower.max()).mean() > fmr


def test_three_of_three_thousand() -> None:
    impostor = np.random.default_rng(0).permutation(3000).astype(np.float64)
    assert threshold_at_fmr(impostor, 1e-3) == 2996  # 2997, 2998 and 2999 match
    assert threshold_at_fmr(impostor, 1e-4) == 2999
    assert [matches_allowed(3000, rate) for rate in (1e-2, 1e-3, 1e-4)] == [30, 3, 0]
    assert matches_allowed(10, 0.3) == 3  # 0.3 · 10 is 2.9999999999999996 in some orders


@pytest.mark.parametrize("ties", [False, True])
def test_best_threshold_against_brute_force(ties: bool) -> None:
    scores, same = draw(2, ties=ties)
    best = best_threshold(scores, same)
    every = {float(t): accuracy(scores, same, float(t)) for t in scores}
    assert every[best] == max(every.values())
    assert best == min(t for t, a in every.items() if a == max(every.values()))


def test_fold_accuracy_takes_the_threshold_from_the_other_folds() -> None:
    scores = np.zeros((10, 2, 300))
    scores[:, 0], scores[:, 1] = 0.6, 0.2
    scores[3, 0, :30] = 0.1  # a tenth of one fold's genuine pairs cannot be told from impostors
    same = np.broadcast_to(np.array([True, False])[:, None], (10, 2, 300)).ravel()
    folds = np.repeat(np.arange(10), 600)
    result = fold_accuracy(scores.ravel(), same, folds)
    assert result.accuracies.tolist() == [1, 1, 1, 0.95, 1, 1, 1, 1, 1, 1]
    assert result.mean == pytest.approx(0.995)
    assert result.std == pytest.approx(np.std(result.accuracies))
    # The fold's own threshold would be perfect here, the other fold's is not.
    shifted = np.array([0.9, 0.5, 0.4, 0.1])
    tiny = fold_accuracy(shifted, np.array([True, False] * 2), np.array([0, 0, 1, 1]))
    assert tiny.accuracies.tolist() == [0.5, 0.5]


def test_order_does_not_matter() -> None:
    scores, same = draw(3)
    folds = np.arange(400) % 4
    order = np.random.default_rng(0).permutation(400)
    assert roc(scores[order], same[order]).area == pytest.approx(roc(scores, same).area)
    first = fold_accuracy(scores, same, folds)
    second = fold_accuracy(scores[order], same[order], folds[order])
    assert first.accuracies.tolist() == second.accuracies.tolist()


def test_tmr_at_a_rate() -> None:
    scores, same = draw(4)
    threshold = threshold_at_fmr(scores[~same], 0.05)
    assert roc(scores, same).tmr_at(0.05) == pytest.approx((scores[same] > threshold).mean())


def test_nonsense_is_refused() -> None:
    scores = np.array([0.1, 0.2])
    with pytest.raises(ShapeError, match="pairs of both kinds"):
        roc(scores, np.array([True, True]))
    with pytest.raises(ShapeError, match="not finite"):
        best_threshold(np.array([0.1, np.nan]), np.array([True, False]))
    with pytest.raises(ShapeError, match="folds"):
        fold_accuracy(scores, np.array([True, False]), np.zeros(2, dtype=np.int64))
    for bad in (-0.1, 1.0):
        with pytest.raises(ShapeError, match="FMR"):
            threshold_at_fmr(scores, bad)
