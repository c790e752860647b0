"""One recogniser that decides: what it makes of the clean photos, and of protected ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from veilface.datasets.base import FacePairs
from veilface.evaluation.calibrate import calibrate
from veilface.evaluation.embeddings import PhotoTable
from veilface.evaluation.image_sets import ImageSet
from veilface.evaluation.protocol import Selection
from veilface.evaluation.results import MEASURES, Row
from veilface.measures.appearance import Measured
from veilface.measures.intervals import Estimate
from veilface.measures.recognition import CleanSide, recognise, scores
from veilface.recognizers.embedding import Vectors

_PAIRED = ("xdr", "tar_1e-2", "tar_1e-3", "tar_1e-4", "eer")


@dataclass(frozen=True, slots=True)
class Target:
    """A recogniser and the clean photos as it sees them.

    Attributes:
        name: Of the recogniser.
        clean: The clean photos.
        accuracy: Of the set's ten-fold protocol on clean photos; None without one.
    """

    name: str
    clean: CleanSide = field(repr=False)
    accuracy: Estimate | None

    @classmethod
    def of(
        cls, name: str, table: PhotoTable, chosen: Selection, pairs: FacePairs | None, *, seed: int
    ) -> Target:
        """From the embeddings of the clean photos.

        Raises:
            ShapeError: The pairs whose photos could be read are of one kind, or in one fold.
        """
        accuracy, best = None, None
        if pairs is not None:
            # Only the accuracy and the best threshold are wanted: one rate is enough.
            measured = calibrate(table.vectors[name], pairs, rates=(1e-2,), seed=seed)
            low, high = measured.intervals["accuracy"]
            accuracy = Estimate(measured.accuracy, low, high, measured.pairs)
            best = measured.best
        clean = CleanSide(
            probes=table.rows(name, chosen.probes),
            others=table.rows(name, chosen.others),
            gallery=table.rows(name, chosen.gallery),
            labels=chosen.labels,
            impostors=table.rows(name, chosen.impostors),
            best=best,
        )
        return cls(name, clean, accuracy)

    def row(
        self,
        images: ImageSet,
        protected: Vectors,
        second: Vectors | None,
        seen: Measured,
        *,
        seed: int,
    ) -> Row:
        """The row of one protector.

        Args:
            images: Which images these are.
            protected: (N, D) of the protected probes.
            second: (N, D) of the protected other photos, or None.
            seen: What is measured without a recogniser.
            seed: Of the bootstraps.
        """
        measures = dict(seen.measures) | recognise(self.clean, protected, second, seed=seed)
        if images.name == "clean" and self.accuracy is not None:
            measures["accuracy10"] = self.accuracy
        reasons = {**seen.reasons, **self._reasons(second)}
        return Row(
            protector=images.name,
            kind=images.kind,
            parameters=images.parameters,
            target=self.name,
            surrogates=images.surrogates,
            images=len(protected),
            measures={name: measures[name] for name in (*MEASURES, *measures) if name in measures},
            reasons={name: why for name, why in reasons.items() if name not in measures},
            scores=scores(self.clean, protected),
        )

    def _reasons(self, second: Vectors | None) -> Mapping[str, str]:
        """Why a measure would be absent."""
        alone = "nobody who is protected has a second photo"
        has_pairs = bool(self.clean.paired.any())
        return {
            **dict.fromkeys(_PAIRED, alone),
            "adr": "the other photos were not protected" if second is None and has_pairs else alone,
            **dict.fromkeys(("rank1", "rank5"), "nobody who is protected is in the gallery"),
            "accuracy10": "the pairs of the set were not run"
            if self.accuracy is None
            else "it is defined on the clean photos of the set's own pairs",
        }
