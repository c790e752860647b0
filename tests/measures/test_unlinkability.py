"""D_sys where it is known without a computer."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from veilface.errors import ShapeError
from veilface.measures.unlinkability import floor, linkability


def table(mated: np.ndarray, non_mated: np.ndarray) -> np.ndarray:
    """Scores of people: mated ones on the diagonal, the others from a list, over and over."""
    people = len(mated)
    scores = np.resize(non_mated, (people, people)).astype(np.float64)
    np.fill_diagonal(scores, mated)
    return scores


def test_scores_that_tell_every_time_link() -> None:
    found = linkability(table(np.linspace(0.8, 1, 50), np.linspace(-0.2, 0.2, 999)))
    assert found.value == found.low == found.high == 1
    assert found.n == 50


def test_equal_distributions_do_not_link() -> None:
    """Both uniform on the same interval, with equally many scores in every bin."""
    grid = (np.arange(200) + 0.5) / 200
    assert linkability(table(grid, np.resize(grid, 200 * 200))).value < 1e-3


def test_half_an_overlap_links_half() -> None:
    """Mated on [1, 3], others on [0, 2], uniform: D is 0 where they overlap, 1 beyond it."""
    mated = 1 + 2 * (np.arange(300) + 0.5) / 300
    others = 2 * (np.arange(3000) + 0.5) / 3000
    found = linkability(table(mated, others))
    assert_allclose(found.value, 0.5, atol=0.02)
    assert found.low < 0.5 < found.high


def test_a_likelihood_ratio_of_three_is_half_a_link() -> None:
    """Of two scores the mated have the higher one in 3/4, the others in 1/4 of the cases.

    D(high) = (3/4 - 1/4) / (3/4 + 1/4) = 1/2, D(low) = 0, and D_sys = 3/4 * 1/2.
    """
    mated, others = np.resize([1, 1, 1, 0], 20), np.resize([1, 0, 0, 0], 401)
    assert_allclose(linkability(table(mated, others)).value, 0.375, atol=0.02)


def test_random_scores_are_at_the_floor() -> None:
    scores = np.random.default_rng(0).normal(size=(100, 100))
    found = linkability(scores)
    assert found.value < 0.2
    assert floor(scores) == pytest.approx(found.value, abs=0.08)
    told = scores + 9 * np.eye(100)
    assert linkability(told).value == 1
    assert floor(told) < 0.2


@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (4,)])
def test_what_is_no_table_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="square"):
        linkability(np.zeros(shape))
