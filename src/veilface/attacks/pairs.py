"""Pairs (X, what is sent of it) that an attacker makes of other people's photos."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Generator, Tensor

from veilface.attacks.base import Setting, observed
from veilface.attacks.spending import protect_affordable
from veilface.attacks.victim import Victim
from veilface.errors import AttackError
from veilface.jobs.cache import CHUNK
from veilface.training.images import TrainingImages

SHARE = 0.1
"""Of the photos that are kept for validation, at most `MOST`."""

MOST = 64

_AT_ONCE = 16  # a photo enlarged eightfold takes 10 MB, and its coefficients as much again


@dataclass(frozen=True, slots=True)
class Pairs:
    """Aligned tensors of a batch.

    Attributes:
        sent: (N, C, 112, 112) as `observed`.
        faces: (N, 3, 112, 112) the photos.
    """

    sent: Tensor
    faces: Tensor


class Source(Protocol):
    """Where a training draws its pairs from."""

    @property
    def faces(self) -> TrainingImages:
        """All photos that pairs are made of."""
        ...

    @property
    def photos(self) -> int:
        """All that pairs are made of."""
        ...

    @property
    def count(self) -> int:
        """Those that are drawn."""
        ...

    def draw(self, size: int, generator: Generator) -> Pairs:
        """A random batch."""
        ...

    def validation(self) -> Pairs:
        """The same pairs every time, of photos that are never drawn."""
        ...


@dataclass(frozen=True, slots=True)
class FreshPairs:
    """Protected anew every time a photo is seen, so that fixed randomness is never learned.

    Attributes:
        victim: A cheap protector.
        faces: Photos.
        shuffled: Whether each photo stands beside what is sent of another: a null, which learns
            what all faces have in common.
        device: Where they are protected.
    """

    victim: Victim
    faces: TrainingImages = field(repr=False)
    shuffled: bool = False
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def photos(self) -> int:
        """All that pairs are made of."""
        return len(self.faces)

    @property
    def count(self) -> int:
        """Those that are drawn."""
        return len(_split(self.faces)[0])

    def draw(self, size: int, generator: Generator) -> Pairs:
        """A random batch, half of it mirrored before it is protected."""
        batch = _split(self.faces)[0].draw(size, generator, device=self.device)
        return self._pairs(batch.faces, generator)

    def validation(self) -> Pairs:
        """The last photos under one draw."""
        kept = _split(self.faces)[1]
        batch = kept.batch(torch.arange(len(kept)), device=self.device)
        return self._pairs(batch.faces, Generator().manual_seed(0))

    def _pairs(self, faces: Tensor, generator: Generator) -> Pairs:
        parts = torch.split(faces, _AT_ONCE)
        sent = torch.cat([observed(self.victim.fresh(part, generator)) for part in parts])
        return Pairs(sent.roll(1, 0) if self.shuffled else sent, faces)


@dataclass(frozen=True, slots=True)
class KeptPairs:
    """Protected once and kept, for protectors where every image costs an optimisation.

    Attributes:
        images: (N, 3, 112, 112) of the protector.
        faces: The N photos.
        shuffled: As in `FreshPairs`.
    """

    images: Tensor = field(repr=False)
    faces: TrainingImages = field(repr=False)
    shuffled: bool = False

    @property
    def photos(self) -> int:
        """All that pairs are made of."""
        return len(self.faces)

    @property
    def count(self) -> int:
        """Those that are drawn."""
        return len(_split(self.faces)[0])

    def draw(self, size: int, generator: Generator) -> Pairs:
        """A random batch; both sides of half of it are mirrored."""
        batch = _split(self.faces)[0].draw(size, generator)
        flipped = torch.rand(size, generator=generator) < 0.5
        mirror = flipped[:, None, None, None]
        faces = self.faces.batch(batch.indices, flipped=flipped).faces
        sent = self.images[batch.indices]
        return self._pairs(torch.where(mirror, sent.flip(-1), sent), faces)

    def validation(self) -> Pairs:
        """The last photos."""
        kept = _split(self.faces)[1]
        batch = kept.batch(torch.arange(len(kept)))
        return self._pairs(self.images[-len(kept) :], batch.faces)

    def _pairs(self, sent: Tensor, faces: Tensor) -> Pairs:
        return Pairs(sent.roll(1, 0) if self.shuffled else sent, faces)


def make_pairs(setting: Setting, *, shuffled: bool = False) -> Source:
    """The pairs of a setting: fresh ones where they are cheap, else what the budget protects.

    Raises:
        DatasetError: There are no photos.
        AttackError: Fewer than two chunks could be protected, or there is no victim of so many
            steps.
    """
    faces = setting.training_faces()
    victim = setting.pair_victim
    if victim.is_cheap:
        return FreshPairs(victim, faces, shuffled, setting.device)
    done = protect_affordable(setting, faces)
    if done < 2 * CHUNK:
        raise AttackError(
            f"{done} pairs are too few to learn from; allow more --pair-minutes or --pairs"
        )
    made = faces.part(slice(done))
    images = victim.protect(
        made.batch(torch.arange(done)).faces,
        # They are kept; where the images were removed since, it takes as long as it did.
        progress=lambda count, total: setting.progress("pairs", count, total),
    ).images
    return KeptPairs(images, made, shuffled)


def _split(faces: TrainingImages) -> tuple[TrainingImages, TrainingImages]:
    return faces.split(max(1, min(MOST, round(SHARE * len(faces)))))
