"""Confidence intervals: Wilson's for a share, otherwise the bootstrap from an explicit seed.

The bootstrap draws pairs for the pairs of a protocol, and people wherever a figure is made of all
pairs of different people: pairs that share a person are not independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from veilface.errors import ShapeError
from veilface.measures.roc import Floats, Labels

LEVEL = 0.95
ENOUGH = 30
"""People, images or pairs below which a figure says little: its interval stands beside it."""

_TAILS = (50 * (1 - LEVEL), 50 * (1 + LEVEL))
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % confidence interval.

    Attributes:
        value: The figure.
        low: Lower end of the interval.
        high: Upper end.
        n: What it was measured on: trials, images or pairs.
    """

    value: float
    low: float
    high: float
    n: int


def wilson(successes: float, trials: int) -> Estimate:
    """A share with Wilson's score interval, which is honest for 0 and for all of few trials.

    Args:
        successes: From 0 to ``trials``; not whole where it is the mean of several judges.
        trials: At least one.

    Raises:
        ShapeError: There is no trial, or the successes are not within the trials.

    Source:
        E. B. Wilson, DOI 10.1080/01621459.1927.10502953. Oracle: scipy.stats.binomtest.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ShapeError(f"a share of {successes} in {trials} trials")
    share = successes / trials
    centre = share + _Z**2 / (2 * trials)
    spread = _Z * sqrt(share * (1 - share) / trials + (_Z / (2 * trials)) ** 2)
    low, high = ((centre + sign * spread) / (1 + _Z**2 / trials) for sign in (-1, 1))
    # At 0 and 1 the interval ends there exactly; rounding must not put the share outside of it.
    return Estimate(share, max(0.0, min(low, share)), min(1.0, max(high, share)), trials)


def mean_over_people(values: npt.ArrayLike, *, seed: int, rounds: int = 1000) -> Estimate:
    """A mean of one value a person, with the percentile interval over drawn people.

    Args:
        values: (N,) values; an infinite one (the PSNR of equal images) makes the mean infinite.
        seed: Of the draws.
        rounds: Number of draws.

    Raises:
        ShapeError: There is no value, or one is not a number.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size == 0 or np.isnan(x).any():
        raise ShapeError(f"a mean of values of shape {x.shape}: one number a person is needed")
    drawn = np.random.default_rng(seed).integers(0, x.size, (rounds, x.size))
    # No interpolation between draws: it would make a NaN of two infinite means.
    low, high = np.percentile(x[drawn].mean(axis=1), _TAILS, method="nearest")
    return Estimate(float(x.mean()), float(low), float(high), x.size)


def share_over_people(shares: npt.ArrayLike, *, seed: int, rounds: int = 1000) -> Estimate:
    """A mean of one share in [0, 1] a person, which may be the mean over several recognisers.

    As `mean_over_people`, but where everybody has 0, or everybody 1, every draw is alike and the
    bootstrap would see no doubt: there it is Wilson's interval.

    Raises:
        ShapeError: As in `mean_over_people`.
    """
    x = np.asarray(shares, dtype=np.float64)
    if x.ndim == 1 and x.size and x.min() == x.max() and x[0] in (0, 1):
        return wilson(int(x.sum()), x.size)
    return mean_over_people(x, seed=seed, rounds=rounds)


def rate_over_pairs(
    matches: npt.ArrayLike,
    *,
    rows: npt.ArrayLike | None = None,
    columns: npt.ArrayLike | None = None,
    seed: int,
    rounds: int = 1000,
) -> Estimate:
    """The share of pairs of different people that match.

    The interval draws people, who carry all their pairs with them, and is never narrower than
    Wilson's of so many independent pairs: without any match all draws agree on 0, which would
    claim to know a rate that a few thousand pairs cannot show.

    Args:
        matches: (N, M) bool.
        rows: (N,) number of the person of each row; by default their positions.
        columns: (M,) the same for columns; by default their positions, so that of a square
            matrix everything off the diagonal counts.
        seed: Of the draws.
        rounds: Number of draws.

    Returns:
        ``n`` counts pairs; those of a symmetric matrix of equal people count once.

    Raises:
        ShapeError: The shapes differ, or there is no pair of different people.
    """
    table = np.asarray(matches, dtype=np.bool_)
    if table.ndim != 2:
        raise ShapeError(f"matches must be (N, M), got {table.shape}")
    first = np.arange(table.shape[0]) if rows is None else np.asarray(rows)
    second = np.arange(table.shape[1]) if columns is None else np.asarray(columns)
    if (first.size, second.size) != table.shape:
        raise ShapeError(f"{first.size} and {second.size} people of matches {table.shape}")
    numbers, person = np.unique(np.concatenate([first, second]), return_inverse=True)
    person_of_row, person_of_column = person[: first.size], person[first.size :]
    counted = first[:, None] != second[None, :]
    matched = table & counted
    pairs, hits = int(counted.sum()), int(matched.sum())
    if np.array_equal(first, second) and np.array_equal(table, table.T):
        pairs, hits = pairs // 2, hits // 2
    floor = wilson(hits, pairs)
    draws = np.random.default_rng(seed)
    weights = draws.multinomial(numbers.size, np.full(numbers.size, 1 / numbers.size), rounds)
    of_row, of_column = weights[:, person_of_row], weights[:, person_of_column].astype(np.float64)
    total = ((of_row @ counted.astype(np.float64)) * of_column).sum(axis=1)
    found = ((of_row @ matched.astype(np.float64)) * of_column).sum(axis=1)
    low, high = _interval(found[total > 0] / total[total > 0])
    return Estimate(floor.value, min(low, floor.low), max(high, floor.high), pairs)


def over_pairs(
    scores: Floats,
    same: Labels,
    statistic: Callable[[Floats, Labels], float],
    *,
    seed: int,
    rounds: int = 1000,
) -> tuple[float, float]:
    """Percentile interval of a statistic, drawing genuine and impostor pairs with replacement.

    Args:
        scores: (N,) scores.
        same: (N,) labels.
        statistic: Of scores and labels; the number of each kind never changes.
        seed: Of the draws.
        rounds: Number of draws.

    Returns:
        Lower and upper end of the 95 % interval.
    """
    draws = np.random.default_rng(seed)
    genuine, impostor = scores[same], scores[~same]
    labels = np.arange(scores.size) < genuine.size
    values = []
    for _ in range(rounds):
        drawn = [part[draws.integers(0, part.size, part.size)] for part in (genuine, impostor)]
        values.append(statistic(np.concatenate(drawn), labels))
    return _interval(np.array(values))


@dataclass(frozen=True, slots=True)
class CrossScores:
    """The highest scores of all pairs of different people, one image a person.

    Attributes:
        people: Number of people.
        scores: (K,) the highest scores, falling.
        first: (K,) number of the one person of each pair.
        second: (K,) number of the other.
    """

    people: int
    scores: Floats
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]

    @property
    def pairs(self) -> int:
        """Number of all pairs, also of those below the kept scores."""
        return self.people * (self.people - 1) // 2

    def threshold(self, fmr: float, weights: Floats | None = None) -> float:
        """The lowest threshold at which at most the share ``fmr`` of all pairs matches.

        Args:
            fmr: The rate; it must lie within the kept scores.
            weights: (people,) how often each person counts; once by default.

        Raises:
            ShapeError: The kept scores do not reach so far.
        """
        w = np.ones(self.people) if weights is None else weights
        total = (w.sum() ** 2 - (w**2).sum()) / 2
        matching = np.cumsum(w[self.first] * w[self.second])
        # The first score that itself may no longer match is the threshold.
        index = int(np.searchsorted(matching, fmr * total * (1 + 1e-12), side="right"))
        if index >= self.scores.size:
            raise ShapeError(f"{self.scores.size} kept scores do not reach an FMR of {fmr:g}")
        return float(self.scores[index])

    def interval(self, fmr: float, *, seed: int, rounds: int = 1000) -> tuple[float, float]:
        """95 % percentile interval of `threshold`, drawing people with replacement."""
        draws = np.random.default_rng(seed)
        values = []
        for _ in range(rounds):
            counts = np.bincount(draws.integers(0, self.people, self.people), minlength=self.people)
            try:
                values.append(self.threshold(fmr, counts.astype(np.float64)))
            except ShapeError:
                values.append(float(self.scores[-1]))  # lower still: the end of the interval is far
        return _interval(np.array(values))


def cross_scores(embeddings: npt.NDArray[np.float32], *, keep: float) -> CrossScores:
    """Compare every person with every other.

    Args:
        embeddings: (people, D) unit vectors, one a person.
        keep: Share of the pairs whose scores are kept; several times the largest rate of interest.

    Raises:
        ShapeError: Fewer than two people.
    """
    people = embeddings.shape[0]
    if people < 2:
        raise ShapeError(f"{people} people have no pairs")
    table = embeddings @ embeddings.T
    first, second = np.triu_indices(people, k=1)
    scores = table[first, second]
    count = min(scores.size, max(100, int(np.ceil(keep * scores.size)) + 1))
    highest = np.argpartition(-scores, count - 1)[:count]
    highest = highest[np.argsort(-scores[highest], kind="stable")]
    return CrossScores(people, scores[highest].astype(np.float64), first[highest], second[highest])


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, _TAILS)
    return float(low), float(high)
