"""From vectors that may be near to people in order, with the same arithmetic in both databases."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from veilface.gallery.checks import Vectors

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whom a search found.

    Attributes:
        people: Ids with cosines, each person once, the most similar first.
        size: Number of embeddings in the gallery that was searched.
    """

    people: list[tuple[str, float]]
    size: int


@dataclass(frozen=True, slots=True)
class Ranked(Generic[Key]):
    """People in order.

    Attributes:
        keys: Each person once, the most similar first.
        scores: Their highest cosines, in [-1, 1].
    """

    keys: list[Key]
    scores: list[float]


def rank(probe: Vectors, vectors: Vectors, people: Sequence[Key]) -> Ranked[Key]:
    """Order people by their nearest embedding.

    Args:
        probe: (D,) unit vector.
        vectors: (K, D) unit vectors.
        people: K people whose they are; of equal scores the first stays first.
    """
    # float64, in which the order of the summands does not show in the score.
    exact = vectors.astype(np.float64) @ probe.astype(np.float64)
    best: dict[Key, float] = {}
    for row in np.argsort(-exact, kind="stable"):
        best.setdefault(people[row], float(np.clip(exact[row], -1.0, 1.0)))
    return Ranked(list(best), list(best.values()))
