"""What more photos bring to an attack that learns, and how far that can be drawn on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from veilface.attacks.run import Outcome
from veilface.measures.intervals import Estimate


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The SSIM of what one attack recovers, by the photos that it learned from.

    Attributes:
        photos: Their numbers, rising.
        ssim: Of what is recovered, one each.
        planted: The SSIM of what the same attacker recovers of a planted cheat; None where there
            is no such control.
        null: Of an attacker who knows nothing.
    """

    photos: tuple[int, ...]
    ssim: tuple[Estimate, ...]
    planted: tuple[Estimate | None, ...]
    null: Estimate

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> LearningCurve:
        """The curve of attacks that differ in their photos; of equal numbers the last one counts.

        Where pairs cost, a budget may reach fewer photos than were asked for.
        """
        known = {int(each.about["photos"]): each for each in outcomes}
        rising = [known[count] for count in sorted(known)]
        return cls(
            tuple(sorted(known)),
            tuple(each.measures["ssim"] for each in rising),
            tuple(each.planted for each in rising),
            outcomes[-1].null["ssim"],
        )

    @property
    def gain(self) -> float | None:
        """What a doubling of the photos brought at the end of the curve; None for one point."""
        if len(self.photos) < 2:
            return None
        doublings = math.log2(self.photos[-1] / self.photos[-2])
        return (self.ssim[-1].value - self.ssim[-2].value) / doublings

    @property
    def needed(self) -> int | None:
        """Photos with which the curve reaches what the null may score, if it goes on so.

        Curves flatten, so that it will rather be more. None where it does not rise, or is there.
        """
        missing = self.null.high - self.ssim[-1].value
        if self.gain is None or self.gain <= 0 or missing <= 0:
            return None
        doublings = missing / self.gain
        # Nobody has a million times the photos: the curve does not tell of them.
        return None if doublings > 20 else math.ceil(self.photos[-1] * 2**doublings)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"gain_per_doubling": self.gain, "photos_to_beat_null": self.needed}

    def __str__(self) -> str:
        """What it says, in a sentence."""
        if self.gain is None:
            return "one number of photos makes no curve"
        said = f"the last doubling of the photos brings {self.gain:+.3f} in SSIM"
        if self.needed is not None:
            said += f"; {self.needed} photos would reach what somebody scores who knows nothing"
        return said
