"""Source match after what pictures go through, beside the plain value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from benchmarks.study.rows import StudyRow
from benchmarks.study.tables import shown
from veilface.evaluation.results import Row
from veilface.jobs.cache import Job
from veilface.jobs.sets import protect_set
from veilface.measures import operating
from veilface.measures.robustness import DISTURBANCES
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.registry import load_recognizer


def robustness(
    row: StudyRow, measured: Sequence[Row], faces: Tensor, *, seed: int, cache: Path
) -> list[str]:
    """Table lines, one a black box: plain, then every disturbance.

    Args:
        row: The line of the study.
        measured: Its results, for the thresholds.
        faces: (N, 3, 112, 112) sources.
        seed: Of the protection.
        cache: Where the study keeps its images.
    """
    lines = []
    for result in measured:
        recognizer = load_recognizer(result.target, differentiable=False)
        images = protect_set(Job(row.preset, result.surrogates), faces, seed=seed, cache=cache)
        source = embed_faces(recognizer, faces)
        threshold = result.scores["threshold"]["0.001"]
        cells = [row.name, result.target]
        for disturb in (lambda x: x, *DISTURBANCES.values()):
            seen = embed_faces(recognizer, disturb(images))
            cells.append(shown(operating.source_match(seen, source, threshold)))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def head() -> str:
    """The first two lines of the table."""
    names = ("", "black box", "plain", *DISTURBANCES)
    return "| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|"
