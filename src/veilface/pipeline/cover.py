"""Photos whose faces are covered, for whoever wants nobody to match them: no recogniser needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Generator, Tensor

from veilface._version import __version__
from veilface.detection.base import FaceDetector
from veilface.detection.turned import look, place
from veilface.detection.yunet import YuNet
from veilface.errors import DoubtError, ImageError, UnknownNameError
from veilface.imaging.align import align_face
from veilface.imaging.cover import COVERS, cover, region_of
from veilface.imaging.decode import Photo, Pixels
from veilface.imaging.provenance import Mark
from veilface.imaging.tensors import to_uint8
from veilface.jobs.engine import FaceResult
from veilface.pipeline.faces import SMALLEST, find_faces
from veilface.pipeline.prepared import Prepared
from veilface.types import Detection, ProtectedFace, ProtectedPhoto


class Coverer:
    """Covers the faces of photos; what `Protector` is for strangers, and used in its place.

    Args:
        how: ``box``, ``blur`` or ``pixelate``.
        detector: Another face detector than YuNet.
        accept_doubt: Cover what seems to be there even where the looks at a photo disagree.

    Raises:
        UnknownNameError: Another name.
    """

    batch_size = 1
    keyed = False
    recognizers: tuple[str, ...] = ()
    device = "cpu"

    def __init__(
        self, how: str, *, detector: FaceDetector | None = None, accept_doubt: bool = False
    ) -> None:
        if how not in COVERS:
            raise UnknownNameError("cover", how, COVERS)
        self.how = how
        self.accept_doubt = accept_doubt
        self._detector = detector or YuNet(smallest=SMALLEST)

    @property
    def method(self) -> str:
        """Its name in marks and records."""
        return f"cover-{self.how}"

    @property
    def mark(self) -> Mark:
        """The provenance mark of the outputs."""
        return Mark(tool="veilface", version=__version__, preset=self.method)

    def parameters(self, *, seeded: bool = False) -> Mapping[str, Any]:
        """What a result depends on, for the manifest."""
        return {"tool": "veilface", "version": __version__, "preset": self.method}

    def prepare(
        self,
        photo: Photo,
        *,
        name: str,
        aligned: bool = False,
        largest: bool = False,
        seed: int | None = None,
    ) -> Prepared:
        """Find the faces of a decoded photo; see `Protector.prepare`. Nothing is random here.

        Raises:
            ImageError: The photo is an aligned crop: it would be all covered.
        """
        if aligned:
            raise ImageError(f"{name} is to be covered as a whole photo, not as an aligned crop")
        found = find_faces(
            photo,
            name=name,
            detector=self._detector,
            largest=largest,
            accept_doubt=self.accept_doubt,
        )
        return Prepared(photo, found, None, name)

    def protect_crops(
        self,
        crops: Sequence[Tensor],
        *,
        generators: Sequence[Generator] | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> list[FaceResult]:
        """Nothing is made of the crops: the photo is covered as a whole in `finish`."""
        return [FaceResult(crop, {}) for crop in crops]

    def finish(
        self, prepared: Prepared, results: Sequence[FaceResult], *, paste: bool = True
    ) -> ProtectedPhoto:
        """The whole photo with its faces covered.

        Raises:
            DoubtError: A face is seen outside of what was covered.
        """
        pixels = prepared.photo.pixels
        boxes = [face.detection for face in prepared.faces if face.detection is not None]
        for one in boxes:
            pixels = cover(pixels, one.box, self.how)
        if not self.accept_doubt:
            self._check(pixels, boxes, prepared)
        faces = tuple(
            ProtectedFace(
                image=Image.fromarray(to_uint8(align_face(pixels, one.points))),
                similarity={},
                detection=one,
            )
            for one in boxes
        )
        whole = Image.fromarray(np.ascontiguousarray(prepared.photo.like(pixels)))
        return ProtectedPhoto(faces, whole)

    def _check(self, pixels: Pixels, boxes: Sequence[Detection], prepared: Prepared) -> None:
        height, width = pixels.shape[:2]
        known = [*boxes, *prepared.found.others]
        regions = [region_of(one.box, width, height) for one in known]
        for face in look(self._detector, pixels).faces:
            x, y, w, h = face.box
            cx, cy = x + w / 2, y + h / 2
            inside = any(a <= cx <= c and b <= cy <= d for a, b, c, d in regions)
            if not inside and min(w, h) >= SMALLEST * 2:
                raise DoubtError(
                    f"in the result for {prepared.name} a face is still seen at {place(face)}, "
                    "which was not covered"
                )
