"""Attackers who know nothing of the photo: what does not beat them has recovered nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from veilface.attacks.base import Fitted, Setting
from veilface.training.images import TrainingImages
from veilface.types import Protected

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
    """(3, 112, 112) mean in [0, 1] of photos every pixel of which counts: those of a `Setting`."""
    sums = [part.sum(dim=0, dtype=torch.int64) for part in torch.split(faces.pixels, _BATCH)]
    return torch.stack(sums).sum(dim=0).float() / (255 * len(faces))


def _repeated(mean: Tensor, protected: Protected) -> Tensor:
    return mean.to(protected.images).expand_as(protected.images)
