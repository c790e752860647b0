"""From protected faces to the pictures of one photo: checked, in its mode, pasted where asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from veilface.errors import ProtectionError
from veilface.imaging.align import matrix_of
from veilface.imaging.decode import Photo
from veilface.imaging.filters import luma
from veilface.imaging.paste import paste_face
from veilface.imaging.tensors import to_uint8
from veilface.jobs.engine import Engine, FaceResult
from veilface.pipeline.faces import Face
from veilface.protectors.base import quantise
from veilface.types import ProtectedFace, ProtectedPhoto


def compose(
    photo: Photo,
    faces: Sequence[Face],
    results: Sequence[FaceResult],
    *,
    engine: Engine,
    paste: bool = False,
) -> ProtectedPhoto:
    """Put the result of one photo together.

    A grey photo gets grey faces, and their similarity is measured again on these.

    Args:
        photo: The source.
        faces: Its faces.
        results: One a face.
        engine: Measures similarities.
        paste: Make the whole photo with its faces replaced, too.

    Raises:
        ProtectionError: A result is not finite, or constant.
    """
    for result in results:
        check_image(result.image)
    if photo.grey:
        results = _grey(faces, results, engine)
    made = tuple(
        ProtectedFace(
            image=_picture(_in_mode(to_uint8(result.image), grey=photo.grey)),
            similarity=dict(result.similarity),
            detection=face.detection,
        )
        for face, result in zip(faces, results, strict=True)
    )
    return ProtectedPhoto(made, _paste(photo, faces, results) if paste else None)


def check_image(image: Tensor) -> None:
    """Check that an image has content.

    Raises:
        ProtectionError: It has values that are not finite, or all of them are equal.
    """
    if not bool(torch.isfinite(image).all()):
        raise ProtectionError("the protected face has values that are not finite; not written")
    if bool(image.amax() == image.amin()):
        raise ProtectionError("the protected face is a constant image; not written")


def _grey(faces: Sequence[Face], results: Sequence[FaceResult], engine: Engine) -> list[FaceResult]:
    images = torch.stack([result.image for result in results])
    grey = quantise(luma(images)).expand_as(images)
    crops = torch.stack([face.crop for face in faces])
    scores = engine.similarity(crops, grey)
    return [FaceResult(image, score) for image, score in zip(grey, scores, strict=True)]


def _paste(photo: Photo, faces: Sequence[Face], results: Sequence[FaceResult]) -> Image.Image:
    pixels = photo.pixels
    # Largest first: the smaller of two overlapping faces stays visible on top.
    for face, result in zip(faces, results, strict=True):
        if face.detection is None:
            pixels = to_uint8(result.image)
        else:
            pixels = paste_face(pixels, result.image, matrix_of(face.detection.points))
    return _picture(photo.like(pixels))


def _in_mode(pixels: NDArray[np.uint8], *, grey: bool) -> NDArray[np.uint8]:
    return pixels[:, :, 0] if grey else pixels


def _picture(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels))
