"""The faces of one photo, aligned and ready for recognisers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from veilface.core.template import SIDE
from veilface.detection.base import MIN_SIDE, FaceDetector, is_part, landmarks_agree
from veilface.detection.turned import look, place
from veilface.errors import DoubtError, ImageError, NoFaceError
from veilface.imaging.align import align_face
from veilface.imaging.decode import Photo, Pixels
from veilface.imaging.tensors import to_tensor
from veilface.types import Detection

SMALLEST = 4.0
"""Least side in pixels of a face that is counted, though it is too small to be protected."""


@dataclass(frozen=True, slots=True)
class Face:
    """One aligned face.

    Attributes:
        crop: (3, 112, 112) float RGB in [0, 1].
        detection: Where it is in the photo; None when the photo is an aligned crop.
    """

    crop: Tensor
    detection: Detection | None = None


@dataclass(frozen=True, slots=True)
class Faces:
    """What is in a photo.

    Attributes:
        chosen: The faces to work on, at least one, largest first.
        others: Faces that are left as they are, because only the largest is wanted.
        too_small: Number of faces of less than `MIN_SIDE` pixels, which stay as they are.
    """

    chosen: tuple[Face, ...]
    others: tuple[Detection, ...] = ()
    too_small: int = 0


def find_faces(
    photo: Photo,
    *,
    name: str,
    detector: FaceDetector | None,
    largest: bool = False,
    accept_doubt: bool = False,
) -> Faces:
    """Detect and align the faces of a photo, however they are turned.

    Args:
        photo: The photo.
        name: What error messages call it.
        detector: None for photos that are aligned crops already.
        largest: Choose the largest face only.
        accept_doubt: Take the likeliest reading of a photo whose faces can be read in two ways.

    Raises:
        NoFaceError: The detector finds none.
        DoubtError: Two looks at the photo contradict each other, or landmarks are no face's.
        ImageError: An aligned crop has another size than 112x112.
    """
    if detector is None:
        height, width = photo.pixels.shape[:2]
        if (height, width) != (SIDE, SIDE):
            raise ImageError(
                f"{name} is {width}x{height}; an aligned crop is {SIDE}x{SIDE} "
                "(leave out --aligned to have its face found)"
            )
        return Faces((Face(to_tensor(photo.pixels)),))
    looks = look(detector, photo.pixels)
    found = [face for face in looks.faces if min(face.box[2:]) >= MIN_SIDE]
    too_small = len(looks.faces) - len(found)
    if not found:
        seen = f" but {too_small} of less than {MIN_SIDE:.0f} pixels" if too_small else ""
        raise NoFaceError(f"no face found in {name}{seen}")
    if looks.doubts and not accept_doubt:
        raise DoubtError(f"in {name} {looks.doubts[0]}")
    count = 1 if largest else len(found)
    chosen = tuple(Face(align_face(photo.pixels, one.points), one) for one in found[:count])
    return Faces(chosen, tuple(found[count:]), too_small)


def check_replaced(
    pixels: Pixels,
    faces: Faces,
    *,
    name: str,
    detector: FaceDetector,
    visible: bool,
) -> None:
    """Look at a photo whose faces were replaced: is everybody gone who should be?

    A recogniser cannot tell, since it matches the stranger with the subject on purpose. What can is
    the place: every face that is still seen has its eyes, nose and mouth where a stranger was put.

    Args:
        pixels: (H, W, 3) uint8 RGB photo with the faces replaced.
        faces: What was in it before.
        name: What error messages call it.
        detector: Finds upright faces.
        visible: Whether what was put in looks like a face, so that it has to be found.

    Raises:
        DoubtError: A face is seen elsewhere, or none where a stranger should be.
    """
    replaced = [face.detection for face in faces.chosen if face.detection is not None]
    seen = [face for face in look(detector, pixels).faces if min(face.box[2:]) >= MIN_SIDE]
    for face in seen:
        if not any(_explains(known, face) for known in (*replaced, *faces.others)):
            raise DoubtError(
                f"in the result for {name} a face is still seen at {place(face)}, where none was "
                "replaced"
            )
    for face in replaced if visible else ():
        if not any(_explains(face, other) for other in seen):
            raise DoubtError(
                f"in the result for {name} no face is seen at {place(face)}, where one was replaced"
            )


def is_own_crop(photo: Photo) -> bool:
    """Whether veilface wrote this file as an aligned crop, so that nothing has to be detected."""
    return photo.mark is not None and photo.pixels.shape[:2] == (SIDE, SIDE)


def _explains(known: Detection, seen: Detection) -> bool:
    return landmarks_agree(known, seen) or is_part(seen, known)
