"""What the optimiser starts from: local features of X, or a stranger."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from veilface.core.randomness import Draws
from veilface.imaging.filters import luma
from veilface.imaging.frequency import high_pass
from veilface.protectors.veil.diversity import moved_each
from veilface.protectors.veil.filling import EYES, Ellipse, feature_mask, stochastic_fill
from veilface.protectors.veil.strangers import load_bank


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """A start made from X: high-passed regions in a stochastic filling (Eq. 1-4).

    Attributes:
        regions: Kept ellipses in the template; None keeps the high-pass everywhere (no pruning).
        cutoff: ω_C of Eq. 2, cycles per image.
        gain: Factor on the high-passed signal.
        spread: κ of Eq. 4.
        softness: Edge of the regions, as a share of their radius.
    """

    regions: tuple[Ellipse, ...] = EYES
    cutoff: float = 8.0
    gain: float = 2.0
    spread: float = 1.0
    softness: float = 0.3

    def draw(self, x: Tensor, draws: Draws) -> Tensor:
        """X_0 of the paper, (N, 3, H, W) in [0, 1], for faces ``x`` of the same shape."""
        colour = x.mean(dim=(2, 3), keepdim=True)
        fine = colour + self.gain * high_pass(x, cutoff=self.cutoff)
        filling = stochastic_fill(x, draws, spread=self.spread)
        mask = feature_mask(self.regions, softness=self.softness, side=x.shape[-1], device=x.device)
        return torch.lerp(filling, fine, mask.to(x.dtype)).clamp(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Variation:
    """How a portrait differs from draw to draw; each is drawn evenly, and a mirror by half.

    Attributes:
        scale: Zoom in [1 - scale, 1 + scale].
        rotation: In degrees, ±.
        shift: In pixels, ±, in each direction.
        brightness: Factor in [1 - brightness, 1 + brightness].
        contrast: Factor around the mean of the picture, likewise.
        tint: Factor of red and, the other way, of blue, likewise.
        saturation: Factor of the colour around its luma, likewise.
        room: What is left free at both ends of the range, so that the change is not clipped.
    """

    scale: float = 0.03
    rotation: float = 3.0
    shift: float = 1.5
    brightness: float = 0.12
    contrast: float = 0.12
    tint: float = 0.06
    saturation: float = 0.15
    room: float = 0.02

    def __call__(self, portraits: Tensor, draws: Draws) -> Tensor:
        """(N, 3, H, W) portraits in [0, 1], each varied by its own stream."""
        unit = draws.uniform(9, low=-1.0).to(portraits)
        mirrored = torch.where(unit[:, 0, None, None, None] < 0, portraits.flip(3), portraits)
        x = moved_each(
            mirrored,
            zoom=1 + self.scale * unit[:, 1],
            angle=math.radians(self.rotation) * unit[:, 2],
            offset=self.shift * unit[:, 3:5],
        )
        light, contrast, tint, saturation = (
            1
            + unit[:, 5:, None, None, None]
            * unit.new_tensor([self.brightness, self.contrast, self.tint, self.saturation])[
                :, None, None, None
            ]
        ).unbind(dim=1)
        grey = luma(x)
        x = grey + saturation * (x - grey)
        x = x * torch.cat([tint, torch.ones_like(tint), 2 - tint], dim=1)
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        x = light * (mean + contrast * (x - mean))
        return x.clamp(self.room, 1 - self.room)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A start that is the face of nobody; X enters through the embeddings only.

    Several portraits that look alike from afar are averaged. No draw can then be looked up in the
    bank, and the mean of a few faces is less of a person than each of them: what a recogniser
    still sees of the stranger stands less in the way of the subject (docs/method.md).

    Attributes:
        portraits: How many are averaged.
        among: Of how many random ones those are taken that look the most like the first, of its
            sex, and with glasses or a beard if it has them.
        variation: What is drawn anew for each photo beside the portraits themselves.
        bank: Path of a bank of portraits; the shipped one by default.
    """

    portraits: int = 2
    among: int = 128
    variation: Variation = Variation()
    bank: str | None = None

    def draw(self, x: Tensor, draws: Draws) -> Tensor:
        """X_0 for faces ``x``, of which nothing but the kind of numbers is used; see `faces`."""
        return self.faces(draws).to(x.dtype)

    def faces(self, draws: Draws) -> Tensor:
        """(N, 3, 112, 112) float32 strangers in [0, 1], one a stream, on the streams' device."""
        bank = load_bank(self.bank)
        place = draws.uniform(self.among).double().cpu() * len(bank)
        drawn = place.long().clamp_max(len(bank) - 1)
        seen = bank.thumbnails(drawn)
        distance = (seen - seen[:, :1]).square().mean(dim=2)
        for row, kinds in zip(distance, bank.kinds(drawn), strict=True):
            row.add_(torch.tensor([kind != kinds[0] for kind in kinds]))  # more than any distance
        # The first once more is no other portrait.
        distance[:, 1:][drawn[:, 1:] == drawn[:, :1]] = torch.inf
        likest = drawn.gather(1, distance.argsort(dim=1)[:, : self.portraits])
        mean = torch.stack([bank.faces(which).mean(dim=0) for which in likest])
        return self.variation(mean.to(draws.device), draws)
