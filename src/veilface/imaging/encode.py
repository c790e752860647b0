"""Images to bytes: PNG or JPEG, the same bytes for the same pixels, with a provenance mark."""

from __future__ import annotations

import io
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from veilface.core.files import write_atomic
from veilface.errors import ImageError, UnknownNameError
from veilface.imaging.provenance import KEYWORD, Mark

__all__ = ["JPEG_QUALITY", "Format", "encode", "write_atomic"]

Format = Literal["png", "jpeg"]

JPEG_QUALITY = 95
"""High enough, with full-resolution colour, to keep what recognisers look at."""

_MODES = {2: "LA", 3: "RGB", 4: "RGBA"}


def encode(
    image: npt.NDArray[np.uint8] | Image.Image, *, format: Format, mark: Mark | None = None
) -> bytes:
    """Encode an image without any metadata but the mark.

    Args:
        image: (H, W) grey, (H, W, 2) grey with alpha, (H, W, 3) RGB or (H, W, 4) RGBA uint8, or a
            Pillow image of these modes; its own metadata is not written.
        format: "png" (lossless) or "jpeg" (quality 95, colour at full resolution).
        mark: The provenance mark to store.

    Returns:
        The bytes of the file; equal arguments give equal bytes.

    Raises:
        ImageError: The pixels are of another shape or type, or JPEG is asked to keep alpha.
        UnknownNameError: `format` is neither.
    """
    if format not in get_args(Format):
        raise UnknownNameError("format", format, get_args(Format))
    clean = _image(np.asarray(image))
    buffer = io.BytesIO()
    if format == "png":
        text = PngInfo()
        if mark is not None:
            text.add_text(KEYWORD, mark.to_json())
        clean.save(buffer, "PNG", pnginfo=text, compress_level=6)
        return buffer.getvalue()
    if clean.mode in ("LA", "RGBA"):
        raise ImageError("JPEG has no transparency; write this photo as png")
    comment = b"" if mark is None else f"{KEYWORD} {mark.to_json()}".encode()
    clean.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4", comment=comment)
    return buffer.getvalue()


def _image(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """A Pillow image that carries nothing but these pixels."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2] if pixels.ndim == 3 else 0
    if pixels.dtype != np.uint8 or channels not in (1, *_MODES) or pixels.size == 0:
        raise ImageError(
            f"cannot encode pixels of shape {pixels.shape} and type {pixels.dtype}; "
            "grey, RGB or RGBA images of 8 bits can be"
        )
    if channels == 1:
        return Image.fromarray(np.ascontiguousarray(pixels.reshape(pixels.shape[:2])))
    height, width = pixels.shape[:2]
    return Image.frombytes(_MODES[channels], (width, height), pixels.tobytes())
