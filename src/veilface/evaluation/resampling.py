"""Confidence intervals by the bootstrap, from an explicit seed.

Two kinds: over pairs, for the pairs of a protocol; and over people, for thresholds that are read
from all pairs of different people, where pairs that share a person are not independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from veilface.errors import ShapeError
from veilface.evaluation.verification import Floats, Labels

LEVEL = 0.95


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
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
