"""Matches at a threshold against scores made by hand, brute force and scikit-learn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.metrics import top_k_accuracy_score

from veilface.errors import ShapeError
from veilface.measures import operating
from veilface.measures.roc import threshold_at_fmr

Vectors = npt.NDArray[np.float32]


def unit(count: int, *, seed: int = 0, dim: int = 8) -> Vectors:
    x = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def at(*degrees: float) -> Vectors:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    "measure", [operating.source_match, operating.cross_domain, operating.anonymised_domain]
)
def test_pairs_of_one_person_are_compared_row_by_row(measure: object) -> None:
    assert callable(measure)
    first, second = at(0, 0, 0, 0), at(10, 59, 61, 180)
    found = measure(first, second, 0.5)
    assert (found.value, found.n) == (0.5, 4)
    assert measure(torch.from_numpy(first), torch.from_numpy(second), 0.5) == found
    assert measure(first, first, 1.0).value == 0  # equal to the threshold is no match


def test_false_matches_of_protected_images() -> None:
    found = operating.false_matches_protected(at(0, 10, 90, 180), 0.5)
    assert (found.value, found.n) == (1 / 6, 6)
    same = operating.false_matches_protected(np.repeat(at(20), 30, axis=0), 0.99)
    assert (same.value, same.high, same.n) == (1, 1, 435)
    assert same.low > 0.9


def test_false_matches_with_clean_photos_leave_the_person_out() -> None:
    protected, clean = at(0, 90), at(0, 5, 90)
    # By default the same number is the same person: 0 matches 5, and 90 matches 90.
    found = operating.false_matches_clean(protected, clean, 0.5)
    assert (found.value, found.n) == (2 / 4, 4)
    # Person 1 stands in row 2 here.
    found = operating.false_matches_clean(protected, clean, 0.5, np.array([0, 2]))
    assert (found.value, found.n) == (1 / 4, 4)
    # And nobody in the gallery is person 0.
    found = operating.false_matches_clean(protected, clean, 0.5, np.array([-1, 2]))
    assert (found.value, found.n) == (2 / 5, 5)


def test_false_matches_of_clean_images_meet_the_threshold() -> None:
    people = unit(120)
    for fmr in (0.2, 0.02):
        threshold = operating.clean_threshold(people, fmr)
        every = (people @ people.T)[np.triu_indices(120, 1)].astype(np.float64)
        assert threshold == pytest.approx(threshold_at_fmr(every, fmr), abs=1e-6)
        found = operating.false_matches_protected(people, threshold)
        assert found.n == 7140
        assert found.value == pytest.approx(fmr, abs=1 / 7140)
        assert found.low < fmr < found.high


@pytest.mark.parametrize("k", [1, 5])
def test_rank_equals_scikit_learn(k: int) -> None:
    gallery = unit(60)
    labels = np.random.default_rng(1).permutation(60)[:25]
    protected = gallery[labels] + 1.5 * unit(25, seed=2)
    protected /= np.linalg.norm(protected, axis=1, keepdims=True)
    found = operating.rank(protected, gallery, labels, k)
    expected = top_k_accuracy_score(labels, protected @ gallery.T, k=k, labels=np.arange(60))
    assert found.n == 25
    assert 0 < found.value < 1
    assert found.value == pytest.approx(expected)


def test_rank_counts_people_of_the_gallery_and_ties_against_them() -> None:
    gallery = at(0, 0, 90)
    labels = np.array([0, -1, 2])
    found = operating.rank(at(0, 45, 90), gallery, labels, 1)
    assert (found.value, found.n) == (1 / 2, 2)  # row 1 is as similar as the person's own
    assert operating.rank(at(0, 45, 90), gallery, labels, 2).value == 1
    with pytest.raises(ShapeError, match="0 trials"):
        operating.rank(at(0), gallery, np.array([-1]), 1)


def test_unusable_embeddings_are_refused() -> None:
    x = unit(3)
    with pytest.raises(ShapeError, match="one row each"):
        operating.source_match(x, x[:2], 0.1)
    with pytest.raises(ShapeError, match="unit length"):
        operating.source_match(2 * x, x, 0.1)
    with pytest.raises(ShapeError, match="unit length"):
        operating.false_matches_protected(x * np.float32(np.nan), 0.1)
    with pytest.raises(ShapeError, match=r"\(N, D\)"):
        operating.cross_domain(x[0], x[0], 0.1)
    with pytest.raises(ShapeError, match="8 and 2 dimensions"):
        operating.false_matches_clean(x, at(0), 0.1, np.array([0, -1, -1]))
    for labels in (np.array([0, 1]), np.array([0, 1, 3]), np.array([0, 1, -2])):
        with pytest.raises(ShapeError, match="labels must be 3 rows of 3"):
            operating.rank(x, x, labels, 1)
