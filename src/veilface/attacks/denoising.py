"""Purification by a denoising autoencoder that never saw a protected image.

A small residual network learns on clean photos to take random noise away: white, or confined to the
fine band where adversarial signals live. What it makes of X' says whether the match lives in what a
network of faces takes for noise.

Source:
    The residual network is that of Zhang et al., Beyond a Gaussian denoiser (DnCNN), IEEE TIP 2017,
    smaller and without normalisation. The noise is a choice of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import l1_loss

from veilface.attacks.base import Fitted, Setting
from veilface.attacks.learning import batch_size, learn, recipe_of, seeded
from veilface.imaging.frequency import high_pass
from veilface.training.images import TrainingImages
from veilface.training.straight import silence
from veilface.training.unet import keep_scale, scaled

DEPTH, CHANNELS = 6, 96
"""Convolutions, and their channels at full width."""

STRONGEST = 20 / 255
"""Largest standard deviation of the noise; `persona` changes pixels by up to 16 grey levels."""

_CUTOFFS = (4.0, 24.0)  # cycles per image, of the band that half of the noise is confined to
_VALIDATED = 64
_RATE = 1e-3


class Denoiser(nn.Module):
    """An image minus the noise that 3x3 convolutions see in it.

    Args:
        width: Multiplies the channels.
    """

    def __init__(self, *, width: float) -> None:
        super().__init__()
        channels = [3, *[scaled(CHANNELS, width)] * (DEPTH - 1), 3]
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
        self.noise = nn.Sequential(*layers[:-1])
        keep_scale(self.noise)
        last = self.noise[-1]
        assert isinstance(last, nn.Conv2d)  # noqa: S101
        silence(last)  # it starts from the image itself

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 3, H, W), not clamped."""
        cleaned: Tensor = x - self.noise(x - 0.5)
        return cleaned


def noisy(faces: Tensor, generator: Generator) -> Tensor:
    """Noise of a random strength on (N, 3, H, W) faces, of half of them in the fine band only.

    Returns:
        In [0, 1].
    """
    count, device = len(faces), faces.device
    noise = torch.randn(faces.shape, generator=generator).to(device)
    draws = torch.rand(3, count, generator=generator).to(device)
    low, high = _CUTOFFS
    cutoff = low + (high - low) * float(draws[0, 0])  # one for a batch
    fine = high_pass(noise, cutoff=cutoff)
    fine = fine / fine.std(dim=(1, 2, 3), keepdim=True)
    banded = (draws[1] < 0.5).view(-1, 1, 1, 1)
    strength = (STRONGEST * draws[2]).view(-1, 1, 1, 1)
    return (faces + strength * torch.where(banded, fine, noise)).clamp(0, 1)


class DenoisingTask:
    """The L1 distance to the photos before the noise.

    Args:
        faces: Clean photos of other people.
        width: Of the network.
        seed: Of its initial weights.
        device: To train on.
    """

    def __init__(
        self, faces: TrainingImages, *, width: float, seed: int, device: torch.device
    ) -> None:
        self._trained, self._kept = faces.split(max(1, min(_VALIDATED, len(faces) // 10)))
        self.device = device
        self.batch = batch_size(device)
        self.module = seeded(lambda: Denoiser(width=width), seed=seed)
        self.module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=_RATE)

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        """Of one batch."""
        batch = self._trained.draw(self.batch, generator, device=self.device)
        return {"loss": self._loss(batch.faces, generator)}

    def validate(self, generator: Generator) -> Mapping[str, float]:
        """On photos that are never drawn."""
        batch = self._kept.batch(torch.arange(len(self._kept)), device=self.device)
        return {"loss": float(self._loss(batch.faces, generator))}

    def _loss(self, faces: Tensor, generator: Generator) -> Tensor:
        return l1_loss(self.module(noisy(faces, generator)), faces)


def denoised(setting: Setting) -> Fitted:
    """Train on clean photos, or continue a training that was ended; no protected image is needed.

    Raises:
        DatasetError: There are no photos.
    """
    faces = setting.training_faces()
    recipe = recipe_of("denoise", setting)
    task = DenoisingTask(faces, width=setting.width, seed=setting.seed, device=setting.device)
    return learn(task, recipe, setting, lambda protected: protected.images)
