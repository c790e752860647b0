"""Colours of a photo as sRGB, whatever profile it carries."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow's mode for the colour spaces of profiles that photos have."""

_SPACE_OF = {"1": "GRAY", "L": "GRAY", "LA": "GRAY", "La": "GRAY", "CMYK": "CMYK"}
"""Colour space by Pillow's mode; all other modes hold RGB."""


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image from its colour profile to sRGB.

    Conversion is relative colorimetric with black point compensation, by LittleCMS; colours that
    sRGB does not have come out as its nearest. A profile that cannot be read, or that is for
    another number of channels than the image has, says nothing about these pixels: they count as
    untagged, that is, as sRGB.

    Args:
        image: An image of 8 bits a channel; transparency is ignored.
        profile: The bytes of its ICC profile, or None.

    Returns:
        An RGB image of the same size. Grey stays grey, and a profile that changes no colour by
        more than a rounding, such as that of sRGB itself, leaves the pixels as they are.
    """
    transform = None if not profile else _transform(profile, _SPACE_OF.get(image.mode, "RGB"))
    if transform is None:
        return image.convert("RGB")
    grey = transform.input_mode == "L"
    converted = transform.apply(image.convert(transform.input_mode))
    return converted.getchannel("G").convert("RGB") if grey else converted


def _transform(profile: bytes, space: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile to sRGB; None when it is for another space, broken, or not needed."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES[space]
        transform = ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode == "RGB" and _is_identity(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    changed = np.asarray(transform.apply(Image.fromarray(grid)))
    return int(np.abs(changed.astype(int) - grid).max()) <= 1
