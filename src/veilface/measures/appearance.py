"""What is to be seen in protected images, whatever recogniser they are for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from veilface.errors import WeightsError
from veilface.measures import lineup, linkage, metrics, onlookers, perceptual, skin, visibility
from veilface.measures.intervals import Estimate, mean_over_people, wilson

_LINEUP = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures, and for those that are absent the reason.

    Attributes:
        measures: By name.
        reasons: By name of an absent measure.
    """

    measures: Mapping[str, Estimate]
    reasons: Mapping[str, str]


class Appearance:
    """The clean photos that protected images are compared with, prepared once.

    Args:
        probes: (N, 3, 112, 112) photos that are protected, one a person, in [0, 1].
        sources: (M, 3, 112, 112) the probes in their order, then photos of other people.
        seed: Of line-ups and bootstraps.
    """

    def __init__(self, probes: Tensor, sources: Tensor, *, seed: int) -> None:
        self.seed = seed
        self.probes = probes
        self._own = torch.arange(len(probes))
        self._tones = skin.typology_angle(probes)
        self._described = linkage.describe(sources)
        self._reasons: dict[str, str] = {}
        self._lpips: perceptual.Lpips | None = None
        self._networks: visibility.AttributeNetworks | None = None
        self._attributes: visibility.FaceAttributes | None = None
        self._lineups: Tensor | None = None
        self._onlookers: onlookers.Onlookers | None = None
        try:
            self._lpips = perceptual.named_lpips()
        except WeightsError as error:
            self._reasons["lpips"] = str(error)
        try:
            self._networks = visibility.load_attributes()
        except WeightsError as error:
            names = ("mesh_error", "age_error", "sex_agreement", "expression_agreement")
            self._reasons |= dict.fromkeys((*names, *_lineup_names()), str(error))
        else:
            self._look_at(sources)

    def stranger(self) -> Mapping[str, Estimate]:
        """SSIM and PSNR between the photos of two different people."""
        return metrics.stranger_level(self.probes, self.probes.roll(1, 0), seed=self.seed)

    def measure(self, protected: Tensor) -> Measured:
        """Compare protected probes (N, 3, 112, 112), in their order, with the photos."""
        reasons = dict(self._reasons)
        found = {
            "ssim": self._mean(metrics.ssim(self.probes, protected)),
            "psnr": self._mean(metrics.psnr(self.probes, protected)),
        }
        if math.isinf(found["psnr"].value):
            del found["psnr"]
            reasons["psnr"] = "infinite: an image equals its original"
        if self._lpips is not None:
            found["lpips"] = self._mean(self._lpips(self.probes, protected))
        table = linkage.similarities(linkage.describe(protected), self._described)
        linked = linkage.linked(table, self._own)
        found |= {f"link_{name}": share for name, share in linked.items()}
        if self._lineups is not None:
            picked = lineup.lineup_rate(table, self._lineups, self._own)
            found |= {f"lineup_{name}": share for name, share in picked.items()}
            if self._onlookers is not None:
                seen = onlookers.pick_rates(
                    self._onlookers.picks(protected), self._lineups, self._own
                )
                found |= {f"lineup_{name}": share for name, share in seen.items()}
        tones = skin.typology_angle(protected)
        found |= visibility.skin_error(self._tones, tones, seed=self.seed)
        faces = int(visibility.faces_found(protected).sum())
        found |= {"yunet": wilson(faces, len(protected))}
        found |= {"fta": wilson(len(protected) - faces, len(protected))}
        if self._networks is not None and self._attributes is not None:
            shown = visibility.attributes(protected, self._networks)
            found |= visibility.agreement(self._attributes, shown, seed=self.seed)
            if "mesh_error" not in found:
                reasons["mesh_error"] = "no image and its original both show a face to the mesh"
        return Measured(found, reasons)

    def _look_at(self, sources: Tensor) -> None:
        every = visibility.attributes(sources, self._networks)
        count = len(self.probes)
        self._attributes = visibility.FaceAttributes(
            every.age[:count],
            every.sex[:count],
            every.expression[:count],
            every.mesh[:count],
            every.presence[:count],
        )
        if len(sources) < _LINEUP:
            sentence = f"a line-up needs {_LINEUP} people, the sources are {len(sources)}"
            self._reasons |= dict.fromkeys(_lineup_names(), sentence)
            return
        alike = visibility.likeness(sources, every)
        self._lineups = lineup.lineups(alike, self._own, size=_LINEUP, seed=self.seed)
        try:
            self._onlookers = onlookers.Onlookers(sources, self._lineups)
        except WeightsError as error:
            self._reasons |= dict.fromkeys(_onlooker_names(), str(error))

    def _mean(self, values: Tensor) -> Estimate:
        return mean_over_people(values.numpy(), seed=self.seed)


def _lineup_names() -> list[str]:
    return [*(f"lineup_{name}" for name in linkage.MATCHERS), *_onlooker_names()]


def _onlooker_names() -> list[str]:
    return [f"lineup_{name}" for name in (*onlookers.ONLOOKERS, "mean")]
