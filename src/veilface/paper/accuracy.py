"""The paper's accuracy, the share of X' that are accepted against their own source, as cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from veilface.evaluation.results import Evaluation, Row
from veilface.measures.intervals import Estimate, share_over_people
from veilface.paper.comparison import NO_DATA, NOT_TRAINED, Value

THRESHOLDS: Mapping[str, str] = {"0.001": "FMR 1e-3", "best": "best accuracy"}
"""Thresholds of an evaluation and how a reader calls them. The paper names none; recognisers are
usually quoted at the threshold of the highest accuracy."""


def accuracy(
    found: Evaluation | None,
    protector: str | None,
    targets: Sequence[str],
    threshold: str,
    *,
    seed: int,
) -> Value:
    """The cell of a protector: its mean over targets, or why there is none.

    Args:
        found: The evaluation of a set; None when the set is not here.
        protector: Its name; None for a method that is not trained.
        targets: Names of recognisers; none of them here leaves the cell empty.
        threshold: One of `THRESHOLDS`.
        seed: Of the bootstrap over people.
    """
    if not targets:
        return None
    if protector is None:
        return NOT_TRAINED
    if found is None:
        return NO_DATA
    rows = [row for row in found.rows if row.protector == protector and row.target in targets]
    return source_match(rows, threshold, seed=seed)


def source_match(rows: Sequence[Row], threshold: str, *, seed: int) -> Estimate:
    """Source match averaged over rows of the same people, who are drawn for the interval.

    Args:
        rows: At least one, of one set.
        threshold: One of `THRESHOLDS`.
        seed: Of the bootstrap.
    """
    shares = np.mean([_accepted(row, threshold) for row in rows], axis=0)
    return share_over_people(shares, seed=seed)


def _accepted(row: Row, threshold: str) -> list[bool]:
    return [score > row.scores["threshold"][threshold] for score in row.scores["source"]]
