"""The aligned faces of a picture that is only looked at: compared, enrolled or searched for."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from veilface.detection.base import FaceDetector
from veilface.detection.yunet import YuNet
from veilface.errors import NoFaceError
from veilface.imaging.decode import Photo, load_photo
from veilface.pipeline.faces import find_faces, is_own_crop
from veilface.pipeline.photos import photo_of

Picture = str | os.PathLike[str] | Image.Image | NDArray[np.uint8] | Photo


@dataclass(frozen=True, slots=True)
class Found:
    """The faces of a picture.

    Attributes:
        crops: (N, 3, 112, 112) float RGB in [0, 1], at least one, largest first.
        protected: Whether the picture bears veilface's mark.
    """

    crops: Tensor
    protected: bool


class FaceFinder:
    """Finds faces with a detector that is loaded when the first photo needs it.

    Args:
        aligned: Every picture is a 112x112 crop in the ArcFace template. Else only a 112x112
            output of veilface is taken for one.
    """

    def __init__(self, *, aligned: bool = False) -> None:
        self._aligned = aligned
        self._detector: FaceDetector | None = None

    def find(self, picture: Picture, *, name: str = "the image") -> Found:
        """The faces of a picture.

        Args:
            picture: File, Pillow image, (H, W, 3) uint8 RGB, or a photo that is decoded already.
            name: What error messages call a picture that is no file.

        Raises:
            ImageError: It is not a photo that veilface reads.
            NoFaceError: No face is found in it.
        """
        if isinstance(picture, str | os.PathLike):
            name = os.fspath(picture)
            photo = load_photo(name)
        else:
            photo = picture if isinstance(picture, Photo) else photo_of(picture, name=name)
        detector = None if self._aligned or is_own_crop(photo) else self._loaded()
        try:
            # Nothing is shown to anybody, so that the likeliest reading will do.
            faces = find_faces(photo, name=name, detector=detector, accept_doubt=True).chosen
        except NoFaceError as error:
            raise NoFaceError(
                f"{error}, so there is nothing to compare; --aligned says that a file is a "
                "112x112 crop already"
            ) from error
        return Found(torch.stack([face.crop for face in faces]), photo.mark is not None)

    def _loaded(self) -> FaceDetector:
        if self._detector is None:
            self._detector = YuNet()
        return self._detector
