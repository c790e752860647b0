"""Thresholds of a recogniser from labelled pairs of clean faces.

A threshold at a false match rate is read from the protocol's own impostor pairs when at least
thirty of them may match at that rate, the rule of thirty; with the 3,000 of LFW that is 1e-2 and
above. Lower rates are read from all pairs of different people, one image a person: 9.2 million of
them in LFW, 916 of which match at 1e-4. Where even these allow fewer than thirty matches, the
threshold is still given and `weak_rates` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone

import numpy as np
import numpy.typing as npt
import torch

from veilface.datasets.base import FacePairs
from veilface.errors import ImageError, NoFaceError, ShapeError
from veilface.evaluation.aligned import FaceReader
from veilface.measures.intervals import CrossScores, cross_scores, over_pairs
from veilface.measures.roc import (
    Floats,
    best_threshold,
    fold_accuracy,
    matches_allowed,
    threshold_at_fmr,
)
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.spec import Calibration

RATES = (1e-2, 1e-3, 1e-4)
ENOUGH = 30
"""Matches that a threshold should rest on (the rule of thirty)."""

_BATCH = 16
_KEEP = 5.0  # times the largest rate: room for the draws of the bootstrap

Embeddings = Mapping[str, npt.NDArray[np.float32]]


def embed_images(
    recognizer: Recognizer,
    pairs: FacePairs,
    *,
    progress: Callable[[int, int], None] | None = None,
    failed: Callable[[str], None] | None = None,
) -> Embeddings:
    """The unit embedding (D,) of every image of the pairs.

    Args:
        recognizer: On any device.
        pairs: Their images are aligned to 112x112, or photos in which the face is found first.
        progress: Told the number of images read and of all.
        failed: Told in one sentence what is wrong with an image, which is then left out. Without
            it the first such image ends the work.

    Raises:
        ImageError: An image cannot be read, and nobody is told.
        NoFaceError: No face is found in an image, and nobody is told.
    """
    images = pairs.images
    reader = FaceReader()
    result: dict[str, npt.NDArray[np.float32]] = {}
    for start in range(0, len(images), _BATCH):
        faces: dict[str, torch.Tensor] = {}
        for name in images[start : start + _BATCH]:
            try:
                faces[name] = reader.read(pairs.records[name])
            except (ImageError, NoFaceError) as error:
                if failed is None:
                    raise
                failed(str(error))
        if faces:
            found = embed_faces(recognizer, torch.stack(list(faces.values())))
            result.update(zip(faces, found, strict=True))
        if progress is not None:
            progress(min(start + _BATCH, len(images)), len(images))
    return result


def pair_scores(embeddings: Embeddings, pairs: FacePairs) -> Floats:
    """(pairs,) cosines."""
    first = np.stack([embeddings[pair.first] for pair in pairs.pairs]).astype(np.float64)
    second = np.stack([embeddings[pair.second] for pair in pairs.pairs])
    return np.asarray((first * second).sum(axis=1))


def calibrate(
    embeddings: Embeddings,
    pairs: FacePairs,
    *,
    rates: Sequence[float] = RATES,
    seed: int = 0,
    rounds: int = 1000,
) -> Calibration:
    """Measure thresholds, accuracy and their 95 % confidence intervals.

    Args:
        embeddings: Unit vectors, from `embed_images`.
        pairs: The protocol; pairs of which an image has no embedding are left out.
        rates: False match rates.
        seed: Of the bootstrap: over pairs for what comes from the protocol's pairs, over people
            for thresholds from all pairs of different people.
        rounds: Draws of the bootstrap.

    Returns:
        The calibration; ``date`` is today in UTC.

    Raises:
        ShapeError: Embedded pairs of both kinds and at least two folds are needed.
    """
    pairs = pairs.within(embeddings)
    if not pairs.pairs:
        raise ShapeError("of no pair could both images be embedded")
    scores, same = pair_scores(embeddings, pairs), pairs.same
    folds = fold_accuracy(scores, same, pairs.folds)
    impostor = scores[~same]
    thresholds: dict[float, float] = {}
    impostors: dict[float, int] = {}
    intervals: dict[str, tuple[float, float]] = {}
    low = [rate for rate in rates if matches_allowed(impostor.size, rate) < ENOUGH]
    cross = _cross(embeddings, pairs, max(low)) if low else None
    for rate in sorted(rates, reverse=True):
        if cross is not None and rate in low and cross.pairs > impostor.size:
            thresholds[rate] = cross.threshold(rate)
            impostors[rate] = cross.pairs
            intervals[f"{rate:g}"] = cross.interval(rate, seed=seed, rounds=rounds)
        else:
            thresholds[rate] = threshold_at_fmr(impostor, rate)
            impostors[rate] = impostor.size
            intervals[f"{rate:g}"] = over_pairs(
                scores,
                same,
                lambda s, y, rate=rate: threshold_at_fmr(s[~y], rate),  # type: ignore[misc]
                seed=seed,
                rounds=rounds,
            )
    intervals["best"] = over_pairs(scores, same, best_threshold, seed=seed, rounds=rounds)
    hits = (scores > folds.thresholds[np.searchsorted(np.unique(pairs.folds), pairs.folds)]) == same
    intervals["accuracy"] = over_pairs(
        hits.astype(np.float64), same, lambda s, _: float(s.mean()), seed=seed, rounds=rounds
    )
    return Calibration(
        data=f"{pairs.name}, {len(pairs.pairs):,} pairs",
        thresholds=thresholds,
        best=best_threshold(scores, same),
        impostor_mean=float(impostor.mean()),
        impostor_std=float(impostor.std()),
        genuine_mean=float(scores[same].mean()),
        accuracy=folds.mean,
        accuracy_std=folds.std,
        pairs=len(pairs.pairs),
        date=datetime.now(tz=timezone.utc).date().isoformat(),
        impostors=impostors,
        intervals=intervals,
    )


def weak_rates(calibration: Calibration) -> dict[float, int]:
    """The rates whose threshold rests on fewer than thirty matches, and on how many it does."""
    return {
        rate: allowed
        for rate, pairs in calibration.impostors.items()
        if (allowed := matches_allowed(pairs, rate)) < ENOUGH
    }


def _cross(embeddings: Embeddings, pairs: FacePairs, rate: float) -> CrossScores | None:
    """The scores of all pairs of people; None where the data set does not name them."""
    people = pairs.one_each()
    if len(people) < 2:
        return None
    chosen = np.stack([embeddings[image] for image in people])
    return cross_scores(chosen, keep=min(1.0, _KEEP * rate))
