"""From the wanted rate of false identifications to the threshold of one comparison."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from veilface.errors import GalleryError
from veilface.gallery.space import Space


@dataclass(frozen=True, slots=True)
class Rule:
    """How a search of a gallery decides.

    Attributes:
        recognizer: Whose thresholds.
        size: N, the number of embeddings that a probe is compared with.
        fpir: The wanted false positive identification rate: in which share of searches for
            somebody who is not enrolled anybody at all may be called a match.
        needed: The false match rate of one comparison that guarantees it, FPIR / N.
        fmr: The calibrated false match rate in use, the largest that is not above ``needed``; None
            when there is none.
        threshold: The cosine that a match must exceed at ``fmr``; None with it.
        strictest: The smallest calibrated false match rate; None without a calibration.
    """

    recognizer: str
    size: int
    fpir: float
    needed: float
    fmr: float | None
    threshold: float | None
    strictest: float | None

    def decide(self, score: float) -> bool | None:
        """Whether a cosine is a match; None when that cannot be said."""
        return None if self.threshold is None else score > self.threshold

    def __str__(self) -> str:
        """The rule as a sentence."""
        start = (
            f"a false positive identification rate of {self.fpir:g} in {self.size:,} comparisons "
            f"needs a false match rate of {self.needed:.1e} each"
        )
        if self.threshold is not None:
            return (
                f"{start}; {self.recognizer} is used at {self.fmr:g}, where a match is above "
                f"{self.threshold:.4f}"
            )
        if self.strictest is None:
            return f"{start}, and {self.recognizer} is not calibrated, so nothing is decided"
        return (
            f"{start}, and {self.recognizer} is calibrated down to {self.strictest:g} only, so "
            f"nothing is decided; {self.strictest:g} would bound the rate of this gallery "
            f"by {min(1.0, self.strictest * self.size):.3g}"
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return asdict(self)


def rule_for(space: Space, *, size: int, fpir: float) -> Rule:
    """The rule of a gallery of a given size.

    Whatever the dependence between comparisons, the chance that at least one of N exceeds a
    threshold is at most N times the chance of one (Boole's inequality), so FMR = FPIR / N bounds
    the FPIR without the assumption of independence behind 1 - (1 - FMR)^N, and is not much
    stricter: the two differ by less than 1 % at an FPIR of 0.01. The bound holds for searches like
    the calibration's impostor pairs, and a gallery of siblings is not like them.

    Args:
        space: Says which thresholds there are.
        size: Number of embeddings that a probe is compared with.
        fpir: The wanted rate, in (0, 1).

    Raises:
        GalleryError: The rate is not in (0, 1).

    Source:
        The names are those of ISO/IEC 19795-1; the bound is a house rule.
    """
    if not 0 < fpir < 1:
        raise GalleryError(
            f"a false positive identification rate of {fpir:g}; it must be above 0 and below 1"
        )
    needed = fpir / max(size, 1)
    fitting = [rate for rate in space.thresholds if rate <= needed]
    fmr = max(fitting, default=None)
    return Rule(
        recognizer=space.recognizer,
        size=size,
        fpir=fpir,
        needed=needed,
        fmr=fmr,
        threshold=None if fmr is None else space.thresholds[fmr],
        strictest=min(space.thresholds, default=None),
    )
