"""The faces of one photo, aligned and ready for recognisers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from veilface.detection.base import FaceDetector
from veilface.errors import ImageError, NoFaceError
from veilface.imaging.align import SIDE, align_face
from veilface.imaging.decode import Photo
from veilface.imaging.tensors import to_tensor
from veilface.types import Detection


@dataclass(frozen=True, slots=True)
class Face:
    """One aligned face.

    Attributes:
        crop: (3, 112, 112) float RGB in [0, 1].
        detection: Where it is in the photo; None when the photo is an aligned crop.
    """

    crop: Tensor
    detection: Detection | None = None


def find_faces(
    photo: Photo,
    *,
    name: str,
    detector: FaceDetector | None,
    largest: bool = False,
) -> list[Face]:
    """Detect and align the faces of a photo.

    Args:
        photo: The photo.
        name: What error messages call it.
        detector: None for photos that are aligned crops already.
        largest: Keep the largest face only.

    Returns:
        At least one face, largest first.

    Raises:
        NoFaceError: The detector finds none.
        ImageError: An aligned crop has another size than 112x112.
    """
    if detector is None:
        height, width = photo.pixels.shape[:2]
        if (height, width) != (SIDE, SIDE):
            raise ImageError(
                f"{name} is {width}x{height}; an aligned crop is {SIDE}x{SIDE} "
                "(leave out --aligned to have its face found)"
            )
        return [Face(to_tensor(photo.pixels))]
    found = detector.detect(photo.pixels)
    if not found:
        raise NoFaceError(f"no face found in {name}")
    kept = found[:1] if largest else found
    return [Face(align_face(photo.pixels, one.points), one) for one in kept]


def is_own_crop(photo: Photo) -> bool:
    """Whether veilface wrote this file as an aligned crop, so that nothing has to be detected."""
    return photo.mark is not None and photo.pixels.shape[:2] == (SIDE, SIDE)
