"""The denoiser: what it learns from, and that it takes noise away which it never saw."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Generator

from tests.fixtures.faces import synthetic_faces
from veilface.attacks.base import Setting
from veilface.attacks.denoising import STRONGEST, DenoisingTask, denoised, noisy
from veilface.attacks.learning import apply
from veilface.attacks.victim import Victim
from veilface.imaging.frequency import high_pass
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import Job
from veilface.training.images import TrainingImages
from veilface.training.loop import Budget, train

CPU = torch.device("cpu")


def photos(count: int) -> TrainingImages:
    pixels = torch.from_numpy(to_uint8(synthetic_faces(count, seed=3))).movedim(-1, 1)
    return TrainingImages("drawn", pixels)


def test_half_of_the_noise_lies_in_the_fine_band_and_none_is_stronger_than_told() -> None:
    faces = torch.full((64, 3, 112, 112), 0.5)
    noise = noisy(faces, Generator().manual_seed(0)) - 0.5
    coarse = (noise - high_pass(noise, cutoff=3.9)).std(dim=(1, 2, 3))
    strength = noise.std(dim=(1, 2, 3))
    fine = coarse < 1e-4
    assert 20 < int(fine.sum()) < 44
    assert float(strength.max()) < 1.01 * STRONGEST
    assert float(strength[fine].max()) > 0.5 * STRONGEST


def test_noise_that_was_never_seen_is_taken_away(tmp_path: Path) -> None:
    task = DenoisingTask(photos(40), width=1 / 4, seed=0, device=CPU)
    task.batch = 2
    train(task, folder=tmp_path, recipe={}, seed=0, budget=Budget(minutes=60, steps=100))
    faces = synthetic_faces(4, seed=9)
    spoiled = faces + 12 / 255 * torch.randn(faces.shape, generator=Generator().manual_seed(1))
    cleaned = apply(task.module, spoiled.clamp(0, 1), CPU)
    before, after = ((each - faces).square().mean() for each in (spoiled, cleaned))
    assert float(after) < 0.6 * float(before)


def test_it_is_trained_once_for_all_protectors(tmp_path: Path) -> None:
    settings = [
        Setting(Victim(Job(name), tmp_path), tmp_path, photos(20), minutes=0.001, width=1 / 16)
        for name in ("blur", "partialface")
    ]
    first, second = (denoised(setting).about for setting in settings)
    assert first == second
    assert len(list(tmp_path.glob("denoise-*"))) == 1
