"""Measures of verification: do scores separate pairs of one person from pairs of two?

A score strictly above the threshold is a match. The false match rate (FMR) is the share of
impostor pairs that match, the true match rate (TMR) that of genuine pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from veilface.errors import ShapeError

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Roc:
    """One point for every threshold at which something changes, from strict to lax.

    Attributes:
        thresholds: (K,) falling; the first is infinite (nothing matches), the last minus infinity.
        fmr: (K,) rising from 0 to 1.
        tmr: (K,) rising from 0 to 1.
    """

    thresholds: Floats
    fmr: Floats
    tmr: Floats

    @property
    def fnmr(self) -> Floats:
        """(K,) false non-match rate, 1 - TMR: over `fmr` it is the DET curve."""
        return 1 - self.tmr

    @property
    def area(self) -> float:
        """Area under TMR over FMR; ties between the two kinds count half."""
        return float(np.sum(np.diff(self.fmr) * (self.tmr[1:] + self.tmr[:-1]) / 2))

    @property
    def eer(self) -> float:
        """Equal error rate, interpolated where FMR and 1 - TMR cross."""
        gap = self.fmr + self.tmr - 1
        right = int(np.argmax(gap >= 0))
        if gap[right] == 0 or right == 0:
            return float(self.fmr[right])
        left = right - 1
        share = -gap[left] / (gap[right] - gap[left])
        return float(self.fmr[left] + share * (self.fmr[right] - self.fmr[left]))

    def tmr_at(self, fmr: float) -> float:
        """The largest TMR of a threshold whose FMR is at most ``fmr``."""
        return float(self.tmr[self.fmr <= fmr].max())


@dataclass(frozen=True, slots=True)
class FoldAccuracy:
    """Accuracy by cross-validation.

    Attributes:
        accuracies: (folds,) accuracy of each fold, with the threshold of the others.
        thresholds: (folds,) those thresholds.
    """

    accuracies: Floats
    thresholds: Floats

    @property
    def mean(self) -> float:
        """Mean over the folds."""
        return float(self.accuracies.mean())

    @property
    def std(self) -> float:
        """Standard deviation over the folds (divided by their number)."""
        return float(self.accuracies.std())


def roc(scores: Floats, same: Labels) -> Roc:
    """The operating points of scores (N,) with labels (N,).

    Raises:
        ShapeError: The shapes differ, or one of the two kinds of pairs is missing.
    """
    _check(scores, same)
    # A score equal to the threshold is no match: the last of several equal scores is the point.
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.append(np.flatnonzero(np.diff(falling)), falling.size - 1)
    genuine = np.cumsum(same[order])[last]
    impostor = last + 1 - genuine
    return Roc(
        thresholds=np.concatenate([[np.inf], falling[last][1:], [-np.inf]]),
        fmr=np.concatenate([[0.0], impostor / impostor[-1]]),
        tmr=np.concatenate([[0.0], genuine / genuine[-1]]),
    )


def threshold_at_fmr(impostor: Floats, fmr: float) -> float:
    """The lowest threshold at which at most the share ``fmr`` of impostor scores (N,) matches.

    Raises:
        ShapeError: There is no score, or the rate is not in [0, 1).
    """
    if impostor.size == 0 or not 0 <= fmr < 1:
        raise ShapeError(f"a threshold at FMR {fmr:g} of {impostor.size} impostor scores")
    allowed = matches_allowed(impostor.size, fmr)
    return float(np.partition(impostor, -allowed - 1)[-allowed - 1])


def matches_allowed(pairs: int, fmr: float) -> int:
    """How many of so many impostor pairs may match at a rate: 3 of 3,000 at 1e-3."""
    return int(np.floor(fmr * pairs * (1 + 1e-12)))


def best_threshold(scores: Floats, same: Labels) -> float:
    """The score that is the most accurate threshold; of equals the lowest.

    Raises:
        ShapeError: As in `roc`.
    """
    _check(scores, same)
    genuine, impostor = np.sort(scores[same]), np.sort(scores[~same])
    candidates = np.sort(scores)
    right = (genuine.size - np.searchsorted(genuine, candidates, side="right")) + (
        np.searchsorted(impostor, candidates, side="right")
    )
    return float(candidates[np.argmax(right)])


def fold_accuracy(scores: Floats, same: Labels, folds: npt.NDArray[np.int64]) -> FoldAccuracy:
    """Accuracy of each fold with the threshold that is the most accurate on the other folds.

    Args:
        scores: (N,) scores.
        same: (N,) labels.
        folds: (N,) fold numbers; LFW has ten.

    Raises:
        ShapeError: The shapes differ, or there are fewer than two folds.

    Source:
        LFW, view 2 (Huang et al. 2007, section III).
    """
    numbers = np.unique(folds)
    if folds.shape != scores.shape or numbers.size < 2:
        raise ShapeError(f"{numbers.size} folds of shape {folds.shape} for {scores.shape} scores")
    thresholds, accuracies = [], []
    for number in numbers:
        inside = folds == number
        thresholds.append(best_threshold(scores[~inside], same[~inside]))
        accuracies.append(accuracy(scores[inside], same[inside], thresholds[-1]))
    return FoldAccuracy(np.array(accuracies), np.array(thresholds))


def accuracy(scores: Floats, same: Labels, threshold: float) -> float:
    """Share of pairs that are decided rightly at a threshold."""
    return float(((scores > threshold) == same).mean())


def _check(scores: Floats, same: Labels) -> None:
    if scores.ndim != 1 or scores.shape != same.shape or same.all() or not same.any():
        raise ShapeError(
            f"scores {scores.shape} and labels {same.shape}, {int(same.sum())} of them genuine: "
            "one score a pair and pairs of both kinds are needed"
        )
    if not np.isfinite(scores).all():
        raise ShapeError("a score is not finite")
