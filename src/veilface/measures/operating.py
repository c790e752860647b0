"""What protected images do at a threshold: matches that must be, and matches that must not.

All functions take unit embeddings of one recogniser, a row an image, as arrays or CPU tensors. A
score strictly above the threshold is a match. Intervals are Wilson's where a person is one trial,
and the bootstrap over people where all pairs of different people are compared.

The names cross-domain (XDR) and anonymised-domain recognition (ADR) are those of PRO-Face,
DOI 10.1145/3503161.3548202.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from veilface.errors import ShapeError
from veilface.measures.intervals import (
    Estimate,
    cross_scores,
    rate_over_pairs,
    wilson,
)

Embeddings = npt.NDArray[np.float32] | npt.NDArray[np.float64] | Tensor
Indices = npt.NDArray[np.int64] | Tensor

_ROOM = 5.0  # times the rate: how many of the highest scores are sorted for a threshold


def clean_threshold(gallery: Embeddings, fmr: float) -> float:
    """The threshold at which at most the share ``fmr`` of all pairs of different people matches.

    Args:
        gallery: (M, D) embeddings of clean images, one a person.
        fmr: In (0, 1); with M people the threshold rests on ``fmr * M * (M - 1) / 2`` matches.

    Raises:
        ShapeError: Fewer than two people, or vectors that are not of unit length.
    """
    return cross_scores(_unit(gallery).astype(np.float32), keep=min(1.0, _ROOM * fmr)).threshold(
        fmr
    )


def source_match(protected: Embeddings, source: Embeddings, threshold: float) -> Estimate:
    """Share of X' that match the photo they were made from: the paper's accuracy.

    An image that was not changed at all scores 1; read it beside the controls only.

    Args:
        protected: (N, D) of X'.
        source: (N, D) of X, in the same order.
        threshold: Of the recogniser.

    Raises:
        ShapeError: Different or empty shapes, or vectors that are not of unit length.
    """
    return _row_by_row(protected, source, threshold)


def cross_domain(protected: Embeddings, other: Embeddings, threshold: float) -> Estimate:
    """XDR: share of X' that match another, clean photo of the person.

    Args:
        protected: (N, D) of X'.
        other: (N, D) of the other photos, in the same order.
        threshold: Of the recogniser.

    Raises:
        ShapeError: As in `source_match`.
    """
    return _row_by_row(protected, other, threshold)


def anonymised_domain(first: Embeddings, second: Embeddings, threshold: float) -> Estimate:
    """ADR: share of people of whom two protected images, of two photos, match.

    Args:
        first: (N, D) of X' of the one photo.
        second: (N, D) of X' of the other, in the same order.
        threshold: Of the recogniser.

    Raises:
        ShapeError: As in `source_match`.
    """
    return _row_by_row(first, second, threshold)


def false_matches_clean(
    protected: Embeddings,
    clean: Embeddings,
    threshold: float,
    labels: Indices | None = None,
    *,
    seed: int = 0,
) -> Estimate:
    """FMR p-c: share of pairs of X' and a clean photo of somebody else that match.

    Args:
        protected: (N, D) of X', one a person.
        clean: (M, D) of clean photos, one a person.
        threshold: Of the recogniser.
        labels: (N,) the row of ``clean`` that shows the person of each X', -1 where none does;
            by default the row of the same number.
        seed: Of the bootstrap over people.

    Raises:
        ShapeError: As in `source_match`, or labels that name no row.
    """
    x, y = _unit(protected), _unit(clean)
    rows = np.arange(len(x)) if labels is None else _labels(labels, len(x), len(y))
    # People without a clean photo get numbers of their own.
    people = np.where(rows >= 0, rows, len(y) + np.arange(len(x)))
    return rate_over_pairs(_scores(x, y) > threshold, rows=people, seed=seed)


def false_matches_protected(protected: Embeddings, threshold: float, *, seed: int = 0) -> Estimate:
    """FMR p-p: share of pairs of X' of different people that match.

    Args:
        protected: (N, D) of X', one a person; at least two.
        threshold: Of the recogniser.
        seed: Of the bootstrap over people.

    Raises:
        ShapeError: As in `source_match`.
    """
    x = _unit(protected)
    above = np.triu(_scores(x, x) > threshold, k=1)
    return rate_over_pairs(above | above.T, seed=seed)


def rank(protected: Embeddings, gallery: Embeddings, labels: Indices, k: int) -> Estimate:
    """Rank-k identification: share of X' whose person is among the k most similar of a gallery.

    Args:
        protected: (N, D) of X'.
        gallery: (M, D) of clean photos, one a person, none of them a source.
        labels: (N,) as in `false_matches_clean`; an X' without a row is no trial.
        k: At least 1; an equal score of somebody else counts against the person.

    Raises:
        ShapeError: As in `false_matches_clean`, or no X' has a row.
    """
    x, y = _unit(protected), _unit(gallery)
    rows = _labels(labels, len(x), len(y))
    scores = _scores(x, y)[rows >= 0]
    own = np.take_along_axis(scores, rows[rows >= 0, None], axis=1)
    hits = (scores >= own).sum(axis=1) <= k
    return wilson(int(hits.sum()), hits.size)


def _row_by_row(first: Embeddings, second: Embeddings, threshold: float) -> Estimate:
    x, y = _unit(first), _unit(second)
    if x.shape != y.shape:
        raise ShapeError(f"embeddings of {x.shape} and {y.shape}: one row each a person is needed")
    return wilson(int(((x * y).sum(axis=1) > threshold).sum()), len(x))


def _scores(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if x.shape[1] != y.shape[1]:
        raise ShapeError(f"embeddings of {x.shape[1]} and {y.shape[1]} dimensions")
    return np.asarray(x @ y.T)


def _unit(embeddings: Embeddings) -> npt.NDArray[np.float64]:
    x = np.asarray(embeddings, dtype=np.float64)
    if x.ndim != 2 or x.size == 0:
        raise ShapeError(f"embeddings must be (N, D) with N > 0, got {x.shape}")
    lengths = np.linalg.norm(x, axis=1)
    if not (np.abs(lengths - 1) < 1e-2).all():  # NaN fails as well
        raise ShapeError("embeddings must be finite and of unit length")
    return x


def _labels(labels: Indices, count: int, people: int) -> npt.NDArray[np.int64]:
    rows = np.asarray(labels, dtype=np.int64)
    if rows.shape != (count,) or not ((rows >= -1) & (rows < people)).all():
        raise ShapeError(f"labels must be {count} rows of {people} clean photos, or -1 for none")
    return rows
