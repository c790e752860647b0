"""The scores of one row of an evaluation, as the plots need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from veilface.measures.roc import Floats


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of scores between edges.

    Attributes:
        edges: (K + 1,) rising.
        counts: (K,) of scores from each edge to the next.
    """

    edges: Floats
    counts: Floats

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Histogram:
        """From the ``edges`` and ``counts`` of an evaluation."""
        return cls(np.asarray(stored["edges"], float), np.asarray(stored["counts"], float))

    @classmethod
    def of(cls, scores: Sequence[float], like: Histogram) -> Histogram:
        """Count scores between the edges of another; what lies outside goes into the last bin."""
        inside = np.clip(np.asarray(scores, float), like.edges[0], like.edges[-1])
        return cls(like.edges, np.histogram(inside, like.edges)[0].astype(np.float64))

    def coarse(self, width: float) -> Histogram:
        """The same in bins of about ``width``; bins that do not fill one at the end join it."""
        each = max(1, round(width / float(self.edges[1] - self.edges[0])))
        starts = np.arange(0, self.counts.size - each + 1, each)
        edges = np.append(self.edges[starts], self.edges[-1])
        return Histogram(edges, np.add.reduceat(self.counts, starts))

    @property
    def density(self) -> Floats:
        """(K,) share of the scores in each bin by its width; the area is 1."""
        share: Floats = self.counts / max(1.0, self.counts.sum()) / np.diff(self.edges)
        return share


@dataclass(frozen=True, slots=True)
class Det:
    """A detection error trade-off: false non-matches over false matches.

    Attributes:
        fmr: (K,) falling.
        fnmr: (K,) rising.
    """

    fmr: Floats
    fnmr: Floats


def det(genuine: Floats, impostor: Histogram) -> Det:
    """The trade-off at every edge of the impostors' histogram, from lax to strict.

    Args:
        genuine: (N,) scores that should match; a score strictly above the threshold does.
        impostor: Scores that should not. A score that equals an edge lies above it, which counts
            against the recogniser.

    Returns:
        Points with a false match rate above 0; a rate of 0 has no place on a logarithmic axis.
    """
    total = impostor.counts.sum()
    above = np.append(np.cumsum(impostor.counts[::-1])[::-1], 0.0) / max(1.0, total)
    missed = np.searchsorted(np.sort(genuine), impostor.edges, side="right") / max(1, genuine.size)
    seen = above > 0
    return Det(above[seen], missed[seen].astype(np.float64))
