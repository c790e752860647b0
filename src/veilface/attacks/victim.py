"""The protector that is attacked: made once, and asked as often as an attacker likes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Generator, Tensor

from veilface.core.template import SIDE
from veilface.errors import AttackError
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import CHUNK, Job, generators, ingredients
from veilface.jobs.sets import Progress, protect_set
from veilface.protectors.base import FaceProtector
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.starts import Stranger
from veilface.types import Protected


@dataclass(frozen=True)
class Victim:
    """A protector behind one way to ask it.

    Attributes:
        protector: A job of the registry, or an object that only transforms.
        cache: Folder of the images of protectors that optimise.
        seed: Of its randomness.
        jobs: Processes on a CPU, by default one a core.
        device: Where it computes.
    """

    protector: Job | FaceProtector
    cache: Path
    seed: int = 0
    jobs: int | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def name(self) -> str:
        """Of the protector."""
        return self.protector.name

    @property
    def is_cheap(self) -> bool:
        """Whether protecting costs next to nothing, so that an attacker need not keep pairs."""
        return not isinstance(self.protector, Job) or self.protector.is_transform

    @property
    def surrogates(self) -> tuple[str, ...]:
        """Recognisers that its images are made against."""
        return self.protector.surrogates if isinstance(self.protector, Job) else ()

    @property
    def hides_behind_strangers(self) -> bool:
        """Whether its images start from portraits of the public bank."""
        preset = self.protector.preset if isinstance(self.protector, Job) else None
        return preset is not None and isinstance(preset.start, Stranger)

    def protect(
        self, faces: Tensor, *, draw: int = 0, progress: Progress | None = None
    ) -> Protected:
        """Protect (N, 3, 112, 112) faces; equal faces, seeds and draws give equal results.

        The secret of the client and the similarities are not among what is returned.
        """
        if isinstance(self.protector, Job) and not self.protector.is_transform:
            images = protect_set(
                self.protector,
                faces,
                seed=self.seed,
                cache=self.cache,
                jobs=self.jobs,
                progress=progress,
                draw=draw,
                device=self.device,
            )
            return Protected(images, {})
        parts = []
        for part in torch.split(faces, CHUNK):
            streams = generators(to_uint8(part), seed=self.seed, draw=draw)
            parts.append(self.fresh(part, streams))
        return join(parts)

    def fresh(self, faces: Tensor, generator: Generator | Sequence[Generator]) -> Protected:
        """Protect faces with the caller's randomness, kept nowhere; of cheap protectors only."""
        return seen(self._built.protect(faces, generator=generator))

    def hastened(self, steps: int) -> Victim:
        """One whose images take another number of steps, as long in sum as those of its preset.

        Few long steps make images that are not quite what the preset makes, and many of them.

        Args:
            steps: Gradient evaluations.

        Raises:
            AttackError: It optimises nothing, or there is no step.
        """
        job = self.protector
        if not isinstance(job, Job) or (preset := job.preset) is None:
            raise AttackError(f"{self.name} optimises nothing: its pairs take no steps")
        if steps < 1:
            raise AttackError(f"pairs of {steps} steps: at least one is needed")
        length = preset.step_size * preset.steps / steps
        hasty = replace(preset, steps=steps, step_size=length)
        return replace(self, protector=replace(job, protector=hasty))

    def describe(self) -> str:
        """What it sends depends on, beside faces and draws, as one line.

        Of a preset that is all its kept images depend on; of a method what it says in
        `Protected.info`, its parameters and the weights that it was trained to, so that what was
        learnt of others is not taken for its own.
        """
        if not isinstance(self.protector, Job):
            return repr(self.protector)
        if not self.is_cheap:
            return json.dumps(ingredients(self.protector, self.device), sort_keys=True)
        grey = torch.full((1, 3, SIDE, SIDE), 0.5, device=self.device)
        about = self.fresh(grey, Generator().manual_seed(0)).info
        return json.dumps([self.name, dict(about)], sort_keys=True, default=str)

    @cached_property
    def _built(self) -> FaceProtector:
        if isinstance(self.protector, Job):
            return build_protector(self.protector.protector)
        return self.protector


def seen(protected: Protected) -> Protected:
    """What leaves the client: without its secret, the recognisers' verdict and the picture."""
    return replace(protected, secret={}, similarity={}, picture=None)


def join(parts: Sequence[Protected]) -> Protected:
    """Batches of one protector as one batch, as `seen`."""
    first = parts[0]

    def joined(name: str) -> Tensor | None:
        if getattr(first, name) is None:
            return None
        return torch.cat([getattr(part, name) for part in parts])

    info: Mapping[str, object] = first.info
    return Protected(
        torch.cat([part.images for part in parts]),
        {},
        data=joined("data"),
        hints=tuple(map(torch.cat, zip(*(part.hints for part in parts), strict=True))),
        degenerate=joined("degenerate"),
        info=info,
    )


def averaged(versions: Sequence[Protected]) -> Protected:
    """The mean of independent protections of the same faces, not rounded.

    Fresh randomness cancels in it; what all versions have in common stays. Of what is transmitted
    the channels are averaged as they come.
    """
    first = versions[0]
    data = None
    if first.data is not None:
        data = torch.stack([v.data for v in versions if v.data is not None]).mean(dim=0)
    return replace(first, images=torch.stack([v.images for v in versions]).mean(dim=0), data=data)
