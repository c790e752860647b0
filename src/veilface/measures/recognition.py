"""What one recogniser makes of clean and of protected photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from veilface.measures import operating
from veilface.measures.intervals import Estimate
from veilface.measures.roc import Floats, best_threshold, roc
from veilface.recognizers.embedding import Vectors

RATES = (1e-2, 1e-3, 1e-4)
OPERATING_POINT = 1e-3
"""False match rate on clean photos at which everything counts that names no rate."""

_EDGES = np.round(np.linspace(-1, 1, 801), 4)
_GRID = 2000  # thresholds at which the draws of the bootstrap look for the equal error rate
_ROUNDS = 1000


@dataclass(frozen=True)
class CleanSide:
    """The clean photos of an evaluation, as one recogniser sees them.

    Attributes:
        probes: (N, D) of the photos that are protected.
        others: (N, D) of another photo of each person; NaN where there is none.
        gallery: (M, D), one photo a person.
        labels: (N,) row of the gallery that shows each person, -1 for none.
        impostors: (K, D), one photo a person, for the thresholds.
        best: The most accurate threshold of the set's own pairs; None where it has none.
    """

    probes: Vectors
    others: Vectors
    gallery: Vectors
    labels: npt.NDArray[np.int64]
    impostors: Vectors
    best: float | None

    @cached_property
    def thresholds(self) -> Mapping[str, float]:
        """By rate, as ``0.001``, and ``best`` where there are pairs to choose it on."""
        by_rate = {f"{rate:g}": operating.clean_threshold(self.impostors, rate) for rate in RATES}
        best = self._best_of_probes() if self.best is None else self.best
        return by_rate if best is None else by_rate | {"best": best}

    @property
    def paired(self) -> npt.NDArray[np.bool_]:
        """(N,) whether there is another photo of the person."""
        return np.asarray(np.isfinite(self.others).all(axis=1))

    def _best_of_probes(self) -> float | None:
        """Each other photo with its own probe and with the next: equally many of both kinds."""
        has = self.paired
        if has.sum() < 2:
            return None
        probes, others = self.probes[has], self.others[has]
        scores = np.concatenate([_rows(probes, others), _rows(np.roll(probes, 1, axis=0), others)])
        return best_threshold(scores, np.arange(scores.size) < len(probes))


def recognise(
    clean: CleanSide, protected: Vectors, second: Vectors | None, *, seed: int
) -> dict[str, Estimate]:
    """Every measure of one recogniser that exists for these images.

    Args:
        clean: The clean photos.
        protected: (N, D) of the protected probes.
        second: (N, D) of the protected other photos, NaN for none; None when they were not made.
        seed: Of the bootstraps over people.

    Returns:
        By name; what needs another photo of the person is left out where nobody has one.
    """
    threshold = clean.thresholds[f"{OPERATING_POINT:g}"]
    found = {
        "source": operating.source_match(protected, clean.probes, threshold),
        "fmr_pc": operating.false_matches_clean(
            protected, clean.gallery, threshold, clean.labels, seed=seed
        ),
        "fmr_pp": operating.false_matches_protected(protected, threshold, seed=seed),
    }
    has = clean.paired
    if has.any():
        pairs = protected[has], clean.others[has]
        found["xdr"] = operating.cross_domain(*pairs, threshold)
        for rate in RATES:
            name = f"tar_{rate:.0e}".replace("e-0", "e-")
            found[name] = operating.cross_domain(*pairs, clean.thresholds[f"{rate:g}"])
        found["eer"] = _equal_error(clean, protected, seed=seed)
        if second is not None:
            found["adr"] = operating.anonymised_domain(protected[has], second[has], threshold)
    if (clean.labels >= 0).any():
        for k in (1, 5):
            found[f"rank{k}"] = operating.rank(protected, clean.gallery, clean.labels, k)
    return found


def scores(clean: CleanSide, protected: Vectors) -> dict[str, Any]:
    """The scores behind the measures, as JSON-ready values for plots."""
    has = clean.paired
    pairs = np.triu_indices(len(protected), k=1)
    return {
        "threshold": dict(clean.thresholds),
        "clean_genuine": _listed(_rows(clean.probes[has], clean.others[has])),
        "clean_impostor_histogram": _histogram(_impostors(clean, clean.probes)),
        "source": _listed(_rows(protected, clean.probes)),
        "xdr": _listed(_rows(protected[has], clean.others[has])),
        "fmr_pc_histogram": _histogram(_impostors(clean, protected)),
        "fmr_pp_histogram": _histogram((protected @ protected.T)[pairs]),
    }


def _equal_error(clean: CleanSide, protected: Vectors, *, seed: int) -> Estimate:
    """EER of X' against clean photos; the interval draws people with all their pairs."""
    has = clean.paired
    genuine = _rows(protected[has], clean.others[has])
    table = protected[has] @ clean.gallery.T
    other = np.arange(len(clean.gallery)) != clean.labels[has][:, None]
    impostor = table[other].astype(np.float64)
    all_scores = np.concatenate([genuine, impostor])
    value = roc(all_scores, np.arange(all_scores.size) < genuine.size).eer
    grid = np.quantile(all_scores, np.linspace(0, 1, _GRID))
    missed = (genuine[:, None] <= grid).astype(np.float64)
    matched = np.stack([_above(row[mask], grid) for row, mask in zip(table, other, strict=True)])
    draws = np.random.default_rng(seed)
    people = len(genuine)
    weights = draws.multinomial(people, np.full(people, 1 / people), _ROUNDS) / people
    fnmr, fmr = weights @ missed, weights @ matched
    crossing = (fnmr >= fmr).argmax(axis=1)[:, None]
    rates = (np.take_along_axis(fnmr, crossing, 1) + np.take_along_axis(fmr, crossing, 1)) / 2
    low, high = np.percentile(rates, (2.5, 97.5))
    return Estimate(value, min(value, float(low)), max(value, float(high)), people)


def _above(values: Vectors, grid: Floats) -> Floats:
    below = np.searchsorted(np.sort(values.astype(np.float64)), grid, side="right")
    return np.asarray(1 - below / max(1, values.size))


def _impostors(clean: CleanSide, probes: Vectors) -> Vectors:
    other = np.arange(len(clean.gallery)) != clean.labels[:, None]
    return np.asarray((probes @ clean.gallery.T)[other])


def _rows(first: Vectors, second: Vectors) -> Floats:
    return np.asarray((first.astype(np.float64) * second).sum(axis=1))


def _listed(values: Floats) -> list[float]:
    return [round(float(value), 5) for value in values]


def _histogram(values: npt.NDArray[Any]) -> dict[str, list[float]]:
    counts, _ = np.histogram(np.clip(values, -1, 1), _EDGES)
    return {"edges": _EDGES.tolist(), "counts": counts.tolist()}
