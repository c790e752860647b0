"""The results that veilface hands out, as frozen dataclasses.

Pixel coordinates are (x, y) with x to the right and y down, pixel centres at whole numbers, as in
OpenCV; sides are in pixels, similarities are cosines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from veilface.errors import UncalibratedError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Detection:
    """One face in a photo.

    Attributes:
        box: x, y, width, height in pixels of the upright photo; may reach over its border.
        points: Five (x, y) landmarks: image-left eye, image-right eye, nose, image-left and
            image-right corner of the mouth.
        score: Confidence of the detector in [0, 1].
    """

    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float], ...]
    score: float


@dataclass(frozen=True, slots=True)
class Protected:
    """A batch of protected faces, as `protect` of any protector returns it.

    Most methods send an image. Some send a representation that only a recogniser of their own
    reads; its picture then stands in ``images``, for people and for recognisers of everybody.

    Attributes:
        images: (N, 3, 112, 112) float RGB in [0, 1], rounded to 8 bits, on the input's device.
        similarity: Per surrogate the (N,) cosines between the protected and the source images,
            measured on the rounded images; empty for protectors that use no recogniser.
        data: (N, C, H, W) exactly as transmitted; None when ``images`` are what is sent.
        hints: What is transmitted beside ``data``, each (N, ...).
        picture: (N, 3, 112, 112) what ``images`` were made of, before any stretch, clamping and
            rounding, for the other rule of `veilface.protectors.display`; None when that would
            change nothing but the rounding.
        secret: What the client keeps, each (N, ...): the permutation or the subset that was drawn.
            Never written to a file.
        degenerate: (N,) bool, whether a picture was flat and is shown as mid-grey; None for
            methods whose picture is not stretched.
        info: Parameters and hashes of weights, as JSON-ready values.
    """

    images: Tensor
    similarity: Mapping[str, Tensor]
    data: Tensor | None = None
    hints: tuple[Tensor, ...] = ()
    picture: Tensor | None = field(default=None, repr=False)
    secret: Mapping[str, Tensor] = field(default_factory=dict, repr=False)
    degenerate: Tensor | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def transmitted_bytes(self) -> int:
        """What one face costs to send, uncompressed; an image has 8 bits a value."""
        if self.data is None:
            return self.images.shape[1:].numel()
        sent = (self.data, *self.hints)
        return sum(part.shape[1:].numel() * part.element_size() for part in sent)


@dataclass(frozen=True, slots=True)
class ProtectedFace:
    """One protected face of a photo.

    Attributes:
        image: The 112x112 RGB image.
        similarity: Cosine to the source face by surrogate name.
        detection: Where the face was found; None for inputs that are aligned crops already.
    """

    image: Image
    similarity: Mapping[str, float]
    detection: Detection | None


@dataclass(frozen=True, slots=True)
class ProtectedPhoto:
    """What became of one photo.

    Attributes:
        faces: The protected faces, largest first.
        pasted: The whole photo with its faces replaced, when that was asked for.
    """

    faces: tuple[ProtectedFace, ...]
    pasted: Image | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer of one recogniser about two photos; true when it is a match.

    Attributes:
        recognizer: Its registry name.
        score: Cosine of the two embeddings, in [-1, 1]; of the best pair when a photo has
            several faces.
        threshold: The score that a match must exceed; None when the recogniser is uncalibrated.
        fmr: The false match rate of the threshold on clean impostor pairs.
        match: Whether ``score > threshold``; None when there is no threshold to say so.
        faces: Number of faces found in the first and the second photo.
        pair: Indices of the compared faces, counted from the largest.
    """

    recognizer: str
    score: float
    threshold: float | None
    fmr: float
    match: bool | None
    faces: tuple[int, int] = (1, 1)
    pair: tuple[int, int] = (0, 0)

    @property
    def decision(self) -> Literal["match", "no match", "uncalibrated"]:
        """`match` in words."""
        if self.match is None:
            return "uncalibrated"
        return "match" if self.match else "no match"

    def __bool__(self) -> bool:
        """The decision, so that ``if veilface.verify(a, b):`` means what it says.

        Raises:
            UncalibratedError: There is none.
        """
        if self.match is None:
            raise UncalibratedError(
                f"{self.recognizer} has no thresholds, so its similarity of {self.score:.3f} is no "
                "decision: look at .score, or calibrate it (.match is None)"
            )
        return self.match

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return asdict(self)
