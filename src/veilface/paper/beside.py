"""What stands beside every figure of utility: what is seen of the images, and what is sent."""

from __future__ import annotations

from statistics import fmean

import torch

from veilface.core.template import SIDE
from veilface.evaluation.results import Evaluation
from veilface.evaluation.table import MEASURES
from veilface.measures.intervals import wilson
from veilface.paper.comparison import NO_DATA, Value
from veilface.protectors.registry import METHODS, build_protector

_SEEN = "lineup_mean"
SEEN = MEASURES[_SEEN].title
SENT = "bytes sent"
SEEN_NOTE = f"{SEEN[0].upper()}{SEEN[1:]}: {MEASURES[_SEEN].meaning}"
SENT_NOTE = (
    "Bytes sent: of one face, uncompressed; an 8-bit RGB image has 37,632. Time and memory: "
    "benchmarks/costs.py."
)

_BYTES = 3 * SIDE * SIDE


def seen(found: Evaluation | None, protector: str) -> Value:
    """How often the source is picked out of a line-up, the mean over the ensembles.

    Args:
        found: The evaluation of a set; None when the set is not here.
        protector: The name of its rows.
    """
    if found is None:
        return NO_DATA
    rows = [row for row in found.rows if row.protector == protector]
    rates = [row.measures[_SEEN] for row in rows if _SEEN in row.measures]
    if not rates:
        return NO_DATA
    # The same people stand behind all of them, so that they are no more trials than one.
    people = rates[0].n
    return wilson(fmean(rate.value for rate in rates) * people, people)


def sent(protector: str) -> int:
    """The bytes of one face that a protector, which must be ready, sends.

    Args:
        protector: A name of `veilface.protectors.registry`.
    """
    if protector not in METHODS:
        return _BYTES  # presets and controls send an image
    grey = torch.full((1, 3, SIDE, SIDE), 0.5)
    return build_protector(protector).protect(grey).transmitted_bytes
