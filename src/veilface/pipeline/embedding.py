"""One face of a picture as a recogniser sees it, to be enrolled in a gallery or searched for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from veilface.errors import DoubtError
from veilface.pipeline.crops import FaceFinder, Picture
from veilface.recognizers.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class Embedded:
    """A face.

    Attributes:
        vector: (D,) float32 unit vector.
        source: What it was made from: ``protected`` when the picture bears veilface's mark, else
            ``photo``.
    """

    vector: NDArray[np.float32]
    source: str


def embed_face(
    picture: Picture,
    recognizer: Recognizer,
    *,
    finder: FaceFinder,
    largest: bool = False,
    name: str = "the image",
) -> Embedded:
    """The embedding of the one face of a picture.

    Args:
        picture: File, Pillow image, (H, W, 3) uint8 RGB, or a photo that is decoded already.
        recognizer: Whose embedding.
        finder: Finds the face.
        largest: Take the largest of several faces.
        name: What error messages call a picture that is no file.

    Raises:
        ImageError: It is not a photo that veilface reads.
        NoFaceError: No face is found in it.
        DoubtError: It has several faces, and the largest is not enough.
    """
    found = finder.find(picture, name=name)
    if len(found.crops) > 1 and not largest:
        called = picture if isinstance(picture, str) else name
        raise DoubtError(
            f"{called} has {len(found.crops)} faces, so it is doubtful who is meant; "
            "--largest takes the largest"
        )
    with torch.no_grad():
        vector = recognizer.embed(found.crops[:1].to(recognizer.scale.device))[0]
    return Embedded(vector.float().cpu().numpy(), "protected" if found.protected else "photo")
