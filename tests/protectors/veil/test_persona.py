"""The stranger that a photo gets."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.surrogate import TinySurrogate
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.objective import centred_embedding
from veilface.protectors.veil.persona import nearest
from veilface.protectors.veil.presets import PRESETS, Persona
from veilface.protectors.veil.randomness import child_generators


def test_the_nearest_is_chosen_for_each_subject_by_itself() -> None:
    candidates = torch.rand(7, 5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    draws = iter(candidates)

    def likeness(faces: Tensor) -> Tensor:
        return faces.mean(dim=(1, 2, 3))

    found = nearest(lambda: next(draws), likeness, candidates=7)
    which = candidates.mean(dim=(2, 3, 4)).argmax(dim=0)
    assert len(set(which.tolist())) > 1
    assert torch.equal(found, candidates[which, torch.arange(5)])


def test_a_single_candidate_is_compared_with_nobody() -> None:
    face = torch.zeros(1, 3, 4, 4)

    def likeness(faces: Tensor) -> Tensor:
        raise AssertionError("an embedding that nobody needs")

    assert nearest(lambda: face, likeness, candidates=1) is face


@pytest.mark.parametrize("more", [2, 8, 32])
def test_more_candidates_start_nearer_to_the_subject(more: int) -> None:
    x = synthetic_faces(6, seed=9)
    surrogate = TinySurrogate()

    def likeness(candidates: int) -> Tensor:
        preset = replace(PRESETS["persona"], steps=0, start=Persona(candidates=candidates))
        generators = child_generators(torch.Generator().manual_seed(4), 6)
        start = build_protector(preset, [surrogate]).protect(x, generator=generators).images
        return (centred_embedding(surrogate, x) * centred_embedding(surrogate, start)).sum(dim=1)

    # The first draw is among the candidates, so nobody gets further; 8 bits move the cosine a bit.
    assert bool((likeness(more) >= likeness(1) - 1e-3).all())
    assert float((likeness(more) - likeness(1)).mean()) > 0.02
