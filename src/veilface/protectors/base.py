"""What a protector is: aligned faces in, protected faces out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Generator, Tensor

from veilface.core.template import SIDE
from veilface.errors import ProtectionError, ShapeError
from veilface.types import Protected


class Surrogate(Protocol):
    """What the method needs of a recogniser; `Recognizer` of the registry has it."""

    @property
    def name(self) -> str:
        """Registry name."""
        ...

    @property
    def centre(self) -> Tensor:
        """(D,) mean unit embedding over many people."""
        ...

    def embed(self, x: Tensor) -> Tensor:
        """(N, D) unit vectors of (N, 3, 112, 112) faces, differentiable to the faces."""
        ...


class FaceProtector(Protocol):
    """The contract of every method and control in the registry."""

    @property
    def name(self) -> str:
        """Registry name."""
        ...

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        """Protect (N, 3, 112, 112) float RGB faces in [0, 1]; images do not influence each other.

        ``generator`` is one generator for the batch, one an image, or None for the operating
        system's randomness.
        """
        ...


def check_faces(x: Tensor) -> None:
    """Check the tensor convention of aligned faces.

    Raises:
        ShapeError: ``x`` is not (N, 3, 112, 112) floating point in [0, 1].
    """
    if x.ndim != 4 or tuple(x.shape[1:]) != (3, SIDE, SIDE) or not x.is_floating_point():
        raise ShapeError(
            f"faces must be a float tensor (N, 3, {SIDE}, {SIDE}), not {x.dtype} {tuple(x.shape)}"
        )
    if x.numel() and not bool(((x >= 0) & (x <= 1)).all()):
        raise ShapeError("faces must lie in [0, 1]; divide 8-bit values by 255")


def checked(result: object, faces: Tensor, *, name: str) -> Protected:
    """What a protector of anybody returned, when it keeps the contract.

    Raises:
        ProtectionError: It does not; the sentence says what is wanted.
    """
    wanted = (
        f"the protector {name} has to return veilface.types.Protected(images, similarity) with "
        f"images {tuple(faces.shape)} in [0, 1]"
    )
    if not isinstance(result, Protected):
        raise ProtectionError(f"{wanted}, not a {type(result).__name__}")
    if result.images.shape != faces.shape:
        raise ProtectionError(f"{wanted}, not images {tuple(result.images.shape)}")
    if not bool(((result.images >= 0) & (result.images <= 1)).all()):
        raise ProtectionError(f"{wanted}; some of its values are outside of that, or not finite")
    return result


def quantise(x: Tensor) -> Tensor:
    """Round to the 256 levels of an 8-bit file; images in [0, 1] in and out."""
    return (x.clamp(0, 1) * 255).round() / 255
