"""Unlinkability of protected images: whether scores tell that two of them show one person.

Source:
    Gomez-Barrero, Galbally, Rathgeb and Busch, General framework to evaluate unlinkability in
    biometric template protection systems, IEEE TIFS 13(6), 2018, Sec. IV: the global measure D_sys
    at equal priors, on histograms of a tenth as many bins as there are mated scores, 100 at most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from veilface.errors import ShapeError
from veilface.measures.intervals import Estimate

MOST_BINS = 100
_A_BIN = 10  # mated scores
_ROUNDS = 1000
_TAILS = (2.5, 97.5)

Table = npt.NDArray[np.floating]


def linkability(table: Table, *, seed: int = 0) -> Estimate:
    """D_sys of scores between two sets of images of the same people.

    Args:
        table: (N, N) scores; those of one person are on the diagonal, all others are non-mated.
        seed: Of the bootstrap over people.

    Returns:
        0 where a score says nothing of whether two images are of one person, 1 where it tells
        every time. A few scores are never distributed quite alike: see `floor`.

    Raises:
        ShapeError: The table is not square, or of fewer than two people.
    """
    counts = _Counts(table)
    value = counts.measure(np.ones(len(table)))
    draws = np.random.default_rng(seed)
    people = len(table)
    weights = draws.multinomial(people, np.full(people, 1 / people), _ROUNDS)
    found = [counts.measure(each.astype(np.float64)) for each in weights]
    low, high = np.percentile(found, _TAILS)
    return Estimate(value, min(value, float(low)), max(value, float(high)), people)


def floor(table: Table, *, seed: int = 0) -> float:
    """What `linkability` is of the same scores when who belongs to whom is drawn: its noise.

    Args:
        table: As in `linkability`.
        seed: Of the draws, whose mean is returned.

    Raises:
        ShapeError: As in `linkability`.
    """
    draws = np.random.default_rng(seed)
    people = len(table)
    found = []
    for _ in range(_ROUNDS // 50):
        # A cyclic shift leaves nobody with their own image.
        order = draws.permutation(people)
        mixed = table[np.ix_(order, np.roll(order, 1))]
        found.append(_Counts(mixed).measure(np.ones(people)))
    return float(np.mean(found))


class _Counts:
    """Scores in bins, so that people can be weighed again and again."""

    def __init__(self, table: Table) -> None:
        if table.ndim != 2 or table.shape[0] != table.shape[1] or len(table) < 2:
            raise ShapeError(f"scores of two or more people make a square, not {table.shape}")
        people = len(table)
        self._bins = int(np.clip(people // _A_BIN, 2, MOST_BINS))
        edges = np.linspace(table.min(), table.max(), self._bins + 1)
        places = np.digitize(table, edges[1:-1])
        self._own = places.diagonal()
        self._other = ~np.eye(people, dtype=np.bool_)
        self._places = places[self._other]

    def measure(self, weights: npt.NDArray[np.float64]) -> float:
        """D_sys where each of N people counts so many times."""
        mated = np.bincount(self._own, weights, self._bins)
        pairs = np.outer(weights, weights)[self._other]
        non_mated = np.bincount(self._places, pairs, self._bins)
        if not non_mated.sum():  # one person was drawn every time
            return 1.0
        mated, non_mated = mated / mated.sum(), non_mated / non_mated.sum()
        # D(s) = 2 LR / (1 + LR) - 1 = (m - n) / (m + n) where LR = m / n exceeds 1, else 0.
        local = np.divide(
            np.maximum(mated - non_mated, 0),
            mated + non_mated,
            out=np.zeros(self._bins),
            where=mated + non_mated > 0,
        )
        return float((mated * local).sum())
