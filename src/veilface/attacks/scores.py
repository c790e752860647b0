"""How much of the photo, and of the person, is in what an attacker got out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from veilface.attacks.victim import Victim
from veilface.errors import AttackError
from veilface.measures.appearance import Appearance
from veilface.measures.intervals import Estimate
from veilface.measures.operating import source_match
from veilface.measures.recognition import OPERATING_POINT, CleanSide, recognise
from veilface.protectors.base import quantise
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer

SHOWN = {
    "ssim": "SSIM",
    "psnr": "PSNR",
    "source": "is the photo",
    "xdr": "is the person",
    "stranger": "is the stranger",
    "rank1": "rank 1",
    "lineup_mean": "line-up",
}
"""The measures of the printed table; all others are in the JSON document."""

_RECOGNISED = ("source", "xdr", "rank1", "rank5", "fmr_pc")


@dataclass(frozen=True, slots=True)
class Judge:
    """The clean photos that recovered images are compared with.

    Attributes:
        appearance: SSIM, PSNR, linkage, line-ups and attributes.
        clean: The clean photos as the recogniser sees them; thresholds at FMR 1e-3.
        recognizer: One that neither the protector nor the attacker used.
    """

    appearance: Appearance = field(repr=False)
    clean: CleanSide = field(repr=False)
    recognizer: Recognizer = field(repr=False)
    _known: dict[str, Mapping[str, Estimate]] = field(default_factory=dict, init=False, repr=False)

    def measure(self, images: Tensor) -> Mapping[str, Estimate]:
        """Every measure of recovered images (N, 3, 112, 112), in the order of the people.

        They are rounded to 8 bits first, as an attacker would keep them. Equal images, such as
        those of a null, are measured once.
        """
        kept = quantise(images.cpu().float())
        key = hashlib.sha256(kept.numpy().tobytes()).hexdigest()
        if key not in self._known:
            self._known[key] = self._measured(kept)
        return self._known[key]

    def matched(self, images: Tensor, others: Tensor) -> Estimate:
        """Share of recovered images that the recogniser matches with other faces, row by row.

        Args:
            images: (N, 3, 112, 112) as in `measure`.
            others: (N, 3, 112, 112), such as the strangers that somebody was hidden behind.
        """
        known, wanted = (
            embed_faces(self.recognizer, quantise(each.cpu().float())) for each in (images, others)
        )
        return source_match(known, wanted, self.clean.thresholds[f"{OPERATING_POINT:g}"])

    def _measured(self, kept: Tensor) -> Mapping[str, Estimate]:
        found = dict(self.appearance.measure(kept).measures)
        vectors = embed_faces(self.recognizer, kept)
        known = recognise(self.clean, vectors, None, seed=self.appearance.seed)
        return found | {name: known[name] for name in _RECOGNISED if name in known}


def check_uninvolved(judge: str, victim: Victim, attacker: str | None) -> None:
    """Refuse a judge that saw the images before.

    Raises:
        AttackError: The protector or the attacker used it.
    """
    used = (*victim.surrogates, *([attacker] if attacker else []))
    if judge in used:
        raise AttackError(
            f"{judge} cannot judge: the protector or the attacker uses it; "
            "name another recogniser with --judge"
        )
