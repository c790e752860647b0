"""The aligned faces of a data set's records; a bad file costs its own record only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from veilface.core.template import SIDE
from veilface.datasets.base import FaceRecord
from veilface.detection.yunet import YuNet
from veilface.errors import ImageError, NoFaceError
from veilface.imaging.align import align_face
from veilface.imaging.decode import Photo, decode_photo, load_photo
from veilface.imaging.tensors import to_tensor
from veilface.types import Detection


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """The faces of a sequence of records.

    Attributes:
        faces: (N, 3, 112, 112) float32 RGB in [0, 1].
        records: The N records that they come from, in the order given.
        failures: By name of each other record one sentence that says what is wrong with it.
    """

    faces: Tensor = field(repr=False)
    records: tuple[FaceRecord, ...]
    failures: Mapping[str, str]


class FaceReader:
    """Reads the face of one record at a time.

    An image of 112x112 pixels is taken as aligned to the ArcFace template. In any other the face
    of the person is detected; where there are several, the largest counts, with a penalty for its
    distance from the middle, where data sets have the person that they name. The detector is loaded
    with the first image that needs it.
    """

    def __init__(self) -> None:
        self._detector: YuNet | None = None

    def read(self, record: FaceRecord) -> Tensor:
        """(3, 112, 112) float32 RGB face in [0, 1].

        Raises:
            ImageError: The image cannot be read.
            NoFaceError: The detector finds no face in it.
        """
        photo = _decode(record)
        if photo.pixels.shape[:2] == (SIDE, SIDE):
            return to_tensor(photo.pixels)
        if self._detector is None:
            self._detector = YuNet()
        found = self._detector.detect(photo.pixels)
        if not found:
            raise NoFaceError(f"no face found in {record.name}")
        height, width = photo.pixels.shape[:2]
        face = max(found, key=lambda one: prominence(one, width=width, height=height))
        return align_face(photo.pixels, face.points)


def aligned_faces(
    records: Sequence[FaceRecord],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Aligned:
    """Read and align the face of every record.

    Args:
        records: Of any data set.
        progress: Told the number of records read and of all.

    Returns:
        The faces that could be read, and why the others could not.
    """
    reader = FaceReader()
    faces: list[Tensor] = []
    kept: list[FaceRecord] = []
    failures: dict[str, str] = {}
    for done, record in enumerate(records, start=1):
        try:
            faces.append(reader.read(record))
        except (ImageError, NoFaceError) as error:
            failures[record.name] = str(error)
        else:
            kept.append(record)
        if progress is not None:
            progress(done, len(records))
    stacked = torch.stack(faces) if faces else torch.empty(0, 3, SIDE, SIDE)
    return Aligned(stacked, tuple(kept), failures)


def prominence(face: Detection, *, width: int, height: int) -> float:
    """How much a face is the subject of its photo, in square pixels.

    Source:
        FaceNet's alignment script (github.com/davidsandberg/facenet, align_dataset_mtcnn.py): the
        area of the box less twice the squared distance of its centre from that of the photo.
    """
    x, y, w, h = face.box
    across, down = x + w / 2 - width / 2, y + h / 2 - height / 2
    return w * h - 2 * (across**2 + down**2)


def _decode(record: FaceRecord) -> Photo:
    if isinstance(record.source, bytes):
        return decode_photo(record.source, name=record.name)
    return load_photo(record.source)
