"""Photos that are seen nowhere but inside their source, completed by their mirror image.

A loss that leaves out what a photo does not show lets a network do there what it likes, and where
no photo shows anything, as at the upper edge of tight crops, it paints noise on whole photos.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from veilface.core.template import SIDE
from veilface.training.images import TrainingImages


def mirrored(images: TrainingImages) -> TrainingImages:
    """Photos every pixel of which counts.

    A pixel that the source does not show becomes the one as far behind the nearest that it does
    show, or that nearest one where nothing is shown so far behind.

    Args:
        images: Unchanged where they know of no such pixel.
    """
    if images.inside is None:
        return images
    here = np.indices((SIDE, SIDE))
    filled = torch.empty_like(images.pixels)
    for made, photo, inside in zip(filled, images.pixels, images.inside.numpy(), strict=True):
        nearest = distance_transform_edt(~inside, return_distances=False, return_indices=True)
        behind = (2 * nearest - here).clip(0, SIDE - 1)
        row, column = np.where(inside[tuple(behind)], behind, nearest)
        whence = torch.from_numpy(row * SIDE + column).flatten()
        made.copy_(photo.flatten(1)[:, whence].view_as(photo))
    return TrainingImages(images.name, filled, people=images.people)
