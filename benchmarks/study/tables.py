"""The study's table: means over black boxes, with intervals over people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from veilface.evaluation.results import Row
from veilface.evaluation.table import ABSENT, MEASURES, number
from veilface.measures.intervals import Estimate, share_over_people
from veilface.measures.onlookers import ONLOOKERS

HEAD = (
    *("", "people", "line-up, blurred"),
    *(MEASURES[name].heading for name in ("ssim", "yunet", "link_ncc", "link_hog", "link_lbp")),
    *(MEASURES[name].heading for name in ("source", "xdr")),
    *("margins", MEASURES["fmr_pp"].heading, "black box"),
)


def pooled(rows: Sequence[Row], scores: str, *, seed: int) -> Estimate:
    """Share of images that match, over several black boxes; the interval draws people.

    Args:
        rows: One a black box, of the same people in the same order.
        scores: ``source`` or ``xdr``.
        seed: Of the bootstrap.
    """
    matches = [np.array(row.scores[scores]) > row.scores["threshold"]["0.001"] for row in rows]
    return share_over_people(np.mean(matches, axis=0), seed=seed)


def margin(rows: Sequence[Row], scores: str) -> float:
    """Mean of score minus threshold: tells apart what a share of few people cannot."""
    return float(
        np.mean([np.mean(row.scores[scores]) - row.scores["threshold"]["0.001"] for row in rows])
    )


def averaged(rows: Sequence[Row], measure: str) -> Estimate:
    """Mean of a measure over rows, and of the ends of its intervals: wider than the mean's own."""
    found = [row.measures[measure] for row in rows]
    value, low, high = (
        float(np.mean([getattr(estimate, end) for estimate in found]))
        for end in ("value", "low", "high")
    )
    return Estimate(value, low, high, found[0].n)


def line(label: str, rows: Sequence[Row], *, seed: int) -> str:
    """One line of the table.

    Args:
        label: Its first cell.
        rows: The same protector against each black box; what depends on the image only is
            averaged, since every black box has its own ensemble and so its own images.
        seed: Of the bootstraps.
    """
    cells = [label, str(rows[0].images)]
    cells.append(onlookers(rows))
    cells += [shown(averaged(rows, name)) for name in ("ssim", "yunet")]
    cells += [shown(averaged(rows, f"link_{name}")) for name in ("ncc", "hog", "lbp")]
    cells += [shown(pooled(rows, name, seed=seed)) for name in ("source", "xdr")]
    cells.append(" / ".join(f"{margin(rows, name):+.3f}" for name in ("source", "xdr")))
    cells += [shown(averaged(rows, "fmr_pp"), digits=4), ", ".join(row.target for row in rows)]
    return "| " + " | ".join(cells) + " |"


def onlookers(rows: Sequence[Row]) -> str:
    """How often blurred recognisers pick the source: the mean, then each."""
    if "lineup_mean" not in rows[0].measures:
        return ABSENT  # line-ups need networks that are fetched, not installed
    each = (f"{name} {number(averaged(rows, f'lineup_{name}').value, 2)}" for name in ONLOOKERS)
    return f"{shown(averaged(rows, 'lineup_mean'))} ({', '.join(each)})"


def head() -> str:
    """The first two lines of the table."""
    return "| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|"


def shown(estimate: Estimate, *, digits: int = 3) -> str:
    """``.950 [.912, .977]``."""
    value, low, high = (
        number(end, digits) for end in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} [{low}, {high}]"
