"""Which portraits stay: those that resemble others least, and a balance of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

AGES = (20, 35, 50, 76)
SKINS = (0, 45, 60, 101)  # lightness L of CIE Lab: dark, medium, light


def cell(about: dict[str, Any]) -> tuple[str, int, int]:
    """Sex, band of age and band of skin of a portrait."""
    age = int(np.searchsorted(AGES, about["age"], side="right"))
    return about["sex"], age, int(np.searchsorted(SKINS, about["skin"], side="right"))


def choose(
    similarity: npt.NDArray[np.float32], cells: Sequence[Any], count: int, *, threshold: float
) -> list[int]:
    """The portraits that stay.

    One after the other the portrait with the most matches goes, among those whose cell holds at
    least its even share; of equals the one with the higher mean similarity.

    Args:
        similarity: (N, N) cosine of all pairs.
        cells: What each portrait counts for in the balance.
        count: How many stay; everybody, where there are no more.
        threshold: Cosine from which a pair matches.

    Returns:
        Their indices, rising.
    """
    n = len(similarity)
    matches = (similarity >= threshold) & ~np.eye(n, dtype=np.bool_)
    held, alive = Counter(cells), np.ones(n, np.bool_)
    number, total = matches.sum(1).astype(np.float64), similarity.sum(1, dtype=np.float64)
    for left in range(n, count, -1):
        share = left / len(held)
        full = np.array([held[c] >= share for c in cells])
        candidates = np.flatnonzero(alive & full)
        worst = candidates[np.lexsort((total[candidates], number[candidates]))[-1]]
        alive[worst] = False
        held[cells[worst]] -= 1
        number -= matches[worst]
        total -= similarity[worst]
    return [int(k) for k in np.flatnonzero(alive)]
