"""Attackers who know nothing of the photo: what does not beat them has recovered nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from veilface.attacks.base import Fitted, Setting
from veilface.training.images import TrainingImages
from veilface.types import Protected

FEW = 0.01
"""Share of the photos that must show a pixel."""

_BATCH = 256


def look(setting: Setting) -> Fitted:
    """No attack: the protected image as it is."""
    return Fitted(lambda protected: protected.images)


def grey_card(setting: Setting) -> Fitted:
    """Mid-grey for everybody."""
    return Fitted(lambda protected: torch.full_like(protected.images, 0.5))


def average_face(setting: Setting) -> Fitted:
    """The mean of other people's photos for everybody.

    Raises:
        DatasetError: There are no photos.
    """
    faces = setting.training_faces()
    mean = mean_face(faces)
    return Fitted(
        lambda protected: _repeated(mean, protected), {"faces": faces.name, "photos": len(faces)}
    )


def mean_face(faces: TrainingImages) -> Tensor:
    """(3, 112, 112) mean of the pixels that their sources show, in [0, 1].

    Few sources reach the corners of the template. A pixel that fewer than `FEW` of them show leans
    to the mean of all pixels, the more the fewer: a null is not to be weakened by noise.
    """
    total, seen = torch.zeros(3, 1, 1), torch.zeros(1, 1, 1)
    for indices in torch.split(torch.arange(len(faces)), _BATCH):
        batch = faces.batch(indices)
        total = total + (batch.faces * batch.inside).sum(dim=0)
        seen = seen + batch.inside.sum(dim=0)
    overall = total.sum((1, 2), keepdim=True) / seen.sum()
    known = (seen / (FEW * len(faces))).clamp_max(1)
    return overall.lerp(total / seen.clamp_min(1), known)


def _repeated(mean: Tensor, protected: Protected) -> Tensor:
    return mean.to(protected.images).expand_as(protected.images)
