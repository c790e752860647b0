"""Photos whose crop passes the border of their source, completed by their mirror image.

A loss that leaves out what a photo does not show lets a network do there what it likes, and where
no photo shows anything, as at the upper edge of tight crops, it paints noise on whole photos.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

from veilface.core.template import SIDE
from veilface.errors import DatasetError
from veilface.training.images import TrainingImages

_HERE = np.indices((SIDE, SIDE))


def completed(images: TrainingImages) -> TrainingImages:
    """Photos every pixel of which counts, so that they need no mask.

    A pixel that the source does not show becomes the one as far behind the nearest that it does
    show, or that nearest one where nothing is shown so far behind.

    Args:
        images: Returned as they are where they have no mask.

    Raises:
        DatasetError: A source shows nothing of its crop.
    """
    if images.inside is None:
        return images
    filled = images.pixels.clone()
    for row, inside in enumerate(images.inside.numpy()):
        if not inside.any():
            raise DatasetError(f"the source of photo {row} of {images.name} shows nothing of it")
        if not inside.all():
            whence = torch.from_numpy(_whence(inside)).flatten()
            filled[row] = images.pixels[row].flatten(1)[:, whence].view(-1, SIDE, SIDE)
    return TrainingImages(images.name, filled, people=images.people)


def _whence(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """(112, 112) flat places of the pixels that are shown at each, from (112, 112) shown ones."""
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros((2, labels.max() + 1), np.int64)
    places[:, labels[inside]] = _HERE[:, inside]
    nearest = places[:, labels]
    behind = 2 * nearest - _HERE
    there = ((behind >= 0) & (behind < SIDE)).all(axis=0)
    row, column = behind.clip(0, SIDE - 1)
    there &= inside[row, column]
    row, column = np.where(there, behind, nearest)
    flat: npt.NDArray[np.int64] = row * SIDE + column
    return flat
