"""Photos from pictures that are in memory already, under the same rules as files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from veilface.errors import ImageError
from veilface.imaging.colour import to_srgb
from veilface.imaging.decode import Photo
from veilface.imaging.headers import check_size

_DEEP = ("I", "F")  # Pillow's modes of more than 8 bits begin with one of these


def photo_of(image: Image.Image | NDArray[np.uint8], *, name: str = "the image") -> Photo:
    """A photo from a Pillow image or an array.

    Args:
        image: A Pillow image of 8 bits (its EXIF orientation and its colour profile are applied),
            or (H, W, 3) sRGB or (H, W) grey uint8.
        name: What error messages call it.

    Raises:
        ImageError: Another shape or type, or too large.
    """
    alpha: NDArray[np.uint8] | None = None
    if isinstance(image, Image.Image):
        check_size(image.size, name=name)
        if image.mode.startswith(_DEEP):
            raise ImageError(f"{name} has the mode {image.mode}; images of 8 bits are read")
        upright = ImageOps.exif_transpose(image)
        if upright.has_transparency_data:
            opacity = np.asarray(upright.convert("RGBA"))[:, :, 3]
            alpha = None if bool((opacity == 255).all()) else opacity
        pixels = np.asarray(to_srgb(upright, upright.info.get("icc_profile")))
    else:
        good = image.dtype == np.uint8 and image.shape[2:] in ((), (3,)) and image.ndim >= 2
        if not good or image.size == 0:
            raise ImageError(
                f"{name} is an array of shape {image.shape} and type {image.dtype}; "
                "(H, W, 3) RGB or (H, W) grey of 8 bits is read"
            )
        check_size((image.shape[1], image.shape[0]), name=name)
        pixels = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
    grey = bool((pixels == pixels[:, :, :1]).all())
    return Photo(np.ascontiguousarray(pixels), grey=grey, alpha=alpha)
