from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from veilface.measures.recognition import CleanSide, recognise, scores
from veilface.recognizers.embedding import Vectors

N, M, D = 12, 40, 16


def unit(x: np.ndarray[Any, Any]) -> Vectors:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), dtype=np.float32)


def clean_side(*, alone: int = 0, best: float | None = None, seed: int = 0) -> CleanSide:
    """People are random directions; the last ``alone`` of them have one photo only."""
    draws = np.random.default_rng(seed)
    people = draws.standard_normal((M + alone, D))
    photos = [unit(people + 0.3 * draws.standard_normal(people.shape)) for _ in range(2)]
    others = photos[1][:N].copy()
    labels = np.arange(N)
    if alone:
        others[-alone:], labels[-alone:] = np.nan, -1
    gallery = np.delete(photos[1], np.arange(N - alone, N), axis=0) if alone else photos[1]
    return CleanSide(photos[0][:N], others, gallery, labels, gallery, best)


def test_unchanged_photos_score_as_the_recogniser() -> None:
    clean = clean_side()
    found = recognise(clean, clean.probes, clean.others, seed=0)
    assert found["source"].value == 1
    assert found["adr"].value == 1
    assert found["xdr"] == found["tar_1e-3"]
    assert found["xdr"].value > 0.9
    assert found["fmr_pp"].value <= 1e-2
    assert found["rank1"].value == 1
    assert found["eer"].value < 0.05


def test_thresholds_of_equal_errors_are_those_of_scikit_learn() -> None:
    clean = clean_side(seed=1)
    protected = unit(clean.probes + 0.4 * np.random.default_rng(0).standard_normal((N, D)))
    found = recognise(clean, protected, None, seed=0)
    table = protected @ clean.gallery.T
    genuine = np.arange(M) == np.arange(N)[:, None]
    fmr, tmr, _ = roc_curve(genuine.ravel(), table.ravel(), drop_intermediate=False)
    crossing = np.argmin(np.abs(fmr - (1 - tmr)))
    assert found["eer"].value == pytest.approx((fmr[crossing] + 1 - tmr[crossing]) / 2, abs=0.02)
    assert found["eer"].low <= found["eer"].value <= found["eer"].high
    assert "adr" not in found


@settings(max_examples=10)
@given(seed=st.integers(0, 100))
def test_thresholds_hold_their_rates(seed: int) -> None:
    clean = clean_side(seed=seed)
    table = clean.impostors.astype(np.float64) @ clean.impostors.T
    impostors = table[np.triu_indices(M, k=1)]
    for rate in (1e-2, 1e-3):
        assert (impostors > clean.thresholds[f"{rate:g}"] + 1e-6).mean() <= rate
    assert clean.thresholds["0.01"] <= clean.thresholds["0.001"] <= clean.thresholds["0.0001"]


def test_people_with_one_photo() -> None:
    clean = clean_side(alone=3)
    found = recognise(clean, clean.probes, None, seed=0)
    assert (found["source"].n, found["xdr"].n, found["rank1"].n) == (N, N - 3, N - 3)
    assert found["fmr_pc"].n == N * M - (N - 3), "everybody but the person"
    assert len(scores(clean, clean.probes)["xdr"]) == N - 3
    nobody = CleanSide(
        clean.probes,
        np.full_like(clean.probes, np.nan),
        clean.gallery,
        np.full(N, -1),
        clean.impostors,
        None,
    )
    found = recognise(nobody, clean.probes, None, seed=0)
    assert set(found) == {"source", "fmr_pc", "fmr_pp"}
    assert "best" not in nobody.thresholds


def test_best_threshold() -> None:
    assert clean_side(best=0.25).thresholds["best"] == 0.25
    clean = clean_side(seed=2)
    best = clean.thresholds["best"]
    own = (clean.probes * clean.others).sum(1)
    next_person = (np.roll(clean.probes, 1, axis=0) * clean.others).sum(1)
    accuracy = ((own > best).mean() + (next_person <= best).mean()) / 2
    candidates = [*own, *next_person]
    assert accuracy >= max(
        ((own > t).mean() + (next_person <= t).mean()) / 2 for t in candidates
    ) - 1e-6  # fmt: skip


def test_scores_count_every_pair_once() -> None:
    clean = clean_side()
    found = scores(clean, clean.probes)
    assert sum(found["fmr_pc_histogram"]["counts"]) == N * (M - 1)
    assert sum(found["clean_impostor_histogram"]["counts"]) == N * (M - 1)
    assert sum(found["fmr_pp_histogram"]["counts"]) == N * (N - 1) // 2
    assert (len(found["fmr_pc_histogram"]["edges"]) - 1) % 4 == 0
    assert found["source"] == [1.0] * N
    assert found["xdr"] == found["clean_genuine"]
