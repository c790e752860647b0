"""The method from end to end; the only module that knows the order of its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Generator, Tensor

from veilface.core.randomness import Draws
from veilface.errors import ShapeError
from veilface.protectors.base import Steps, Surrogate, check_faces, quantise
from veilface.protectors.veil.band import FineBand
from veilface.protectors.veil.masking import masked_radius
from veilface.protectors.veil.noise import multi_scale_noise, positive_field
from veilface.protectors.veil.objective import (
    Objective,
    Recognition,
    Term,
    centred,
    centred_embedding,
    entropy_term,
)
from veilface.protectors.veil.optimizer import MomentumRule, ascend
from veilface.protectors.veil.penalties import DecoyRepulsion, StartFidelity
from veilface.protectors.veil.presets import Modulation, Preset
from veilface.types import Protected


class VeilProtector:
    """Protects aligned faces with one preset and one ensemble.

    Args:
        preset: The parameters.
        surrogates: At least one recogniser, all on the device on which images will arrive.

    Raises:
        ShapeError: No surrogate is given.
    """

    def __init__(self, preset: Preset, surrogates: Sequence[Surrogate]) -> None:
        if not surrogates:
            raise ShapeError(f"the preset {preset.name} needs at least one recogniser")
        self.name = preset.name
        self.preset = preset
        self.surrogates = tuple(surrogates)

    def protect(
        self,
        x: Tensor,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        progress: Steps | None = None,
    ) -> Protected:
        """Rewrite faces so that people do not see them and the surrogates still match them.

        Args:
            x: (N, 3, 112, 112) float RGB in [0, 1], aligned to the ArcFace template.
            generator: None for the operating system's randomness (recommended); one generator,
                or one an image, for repeatable results.
            progress: Told after each step.

        Returns:
            The protected images, rounded to 8 bits, and their similarities to ``x``.

        Raises:
            ShapeError: ``x`` is not of the stated shape or range.
        """
        check_faces(x)
        preset = self.preset
        draws = Draws(x.shape[0], generator=generator, device=x.device)
        with torch.no_grad():
            sources = {s.name: s.embed(x) for s in self.surrogates}
            targets = {s.name: centred(s, sources[s.name]) for s in self.surrogates}
            start = preset.start.draw(x, draws)
        band = self._band(x)
        objective = Objective(
            self.surrogates,
            terms=self._terms(x, start, targets, draws),
            view=self._view(draws),
        )
        rule = MomentumRule(
            step_size=preset.step_size,
            momentum=preset.momentum,
            modulation=self._modulation(preset.modulation, draws, side=x.shape[-1]),
        )
        images = ascend(
            start,
            objective,
            rule=rule,
            steps=preset.steps,
            radius=self._radius(start),
            band=band,
            progress=progress,
        )
        if band is not None:
            images = band.settle(images, start)
        images = quantise(images)
        return Protected(images, self._similarity(sources, images))

    def _band(self, x: Tensor) -> FineBand | None:
        band = self.preset.band
        if band is None:
            return None
        return FineBand(cutoff=band.cutoff, edge=band.edge, side=x.shape[-1], device=x.device)

    def _radius(self, start: Tensor) -> Tensor | float | None:
        radius, masking = self.preset.radius, self.preset.masking
        if radius is None or masking == 0:
            return radius
        return masked_radius(start, radius=radius, masking=masking)

    def _embed(self, x: Tensor) -> dict[str, Tensor]:
        return {s.name: centred_embedding(s, x) for s in self.surrogates}

    def _view(self, draws: Draws) -> Callable[[Tensor], Tensor]:
        diversity = self.preset.diversity
        return (lambda x: x) if diversity is None else (lambda x: diversity.view(x, draws))

    @staticmethod
    def _modulation(
        noise: Modulation | None, draws: Draws, *, side: int
    ) -> Callable[[], Tensor] | None:
        if noise is None:
            return None

        def field() -> Tensor:
            levels = multi_scale_noise(
                draws,
                side=side,
                wavelength=noise.wavelength,
                octaves=noise.octaves,
                persistence=noise.persistence,
                lacunarity=noise.lacunarity,
            )
            return positive_field(levels, amplitude=noise.amplitude)

        return field

    def _terms(
        self, x: Tensor, start: Tensor, targets: Mapping[str, Tensor], draws: Draws
    ) -> list[tuple[float, Term]]:
        preset = self.preset
        terms: list[tuple[float, Term]] = [(1.0, Recognition(targets))]
        if preset.entropy:
            terms.append((preset.entropy, entropy_term))
        if preset.repulsion:
            with torch.no_grad():
                others = (preset.start.draw(x, draws) for _ in range(preset.decoys - 1))
                embedded = [self._embed(decoy) for decoy in (start, *others)]
            decoys = {name: torch.stack([e[name] for e in embedded], dim=1) for name in targets}
            terms.append((preset.repulsion, DecoyRepulsion(targets, decoys)))
        if preset.fidelity:
            terms.append((preset.fidelity, StartFidelity(start)))
        return terms

    @torch.no_grad()
    def _similarity(self, sources: Mapping[str, Tensor], images: Tensor) -> dict[str, Tensor]:
        return {s.name: (sources[s.name] * s.embed(images)).sum(dim=1) for s in self.surrogates}
