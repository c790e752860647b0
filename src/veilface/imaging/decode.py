"""Photos from files: upright 8-bit RGB, without metadata, or one clear refusal."""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from veilface.core.files import read_bytes
from veilface.errors import DoubtError, ImageError
from veilface.imaging.colour import to_srgb
from veilface.imaging.damage import find_damage
from veilface.imaging.headers import Header, check_size, read_header
from veilface.imaging.heif import heif_opener
from veilface.imaging.provenance import Mark, read_mark

Pixels = npt.NDArray[np.uint8]

_ORIENTATION = 0x0112  # EXIF and TIFF tag
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # TIFF tags
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, upright, read-only.
        grey: Whether every pixel has R = G = B, so that an output can be grey as well.
        alpha: (H, W) uint8 opacity; None when the photo is opaque.
        mark: The provenance mark, when veilface wrote the file.
    """

    # Not shown by repr, so that no log ever holds pixels.
    pixels: Pixels = field(repr=False)
    grey: bool = False
    alpha: Pixels | None = field(default=None, repr=False)
    mark: Mark | None = None

    def like(self, pixels: Pixels) -> Pixels:
        """Other pixels of the same size in the mode of this photo.

        Args:
            pixels: (H, W, 3) uint8 RGB.

        Returns:
            (H, W) when the photo is grey, else (H, W, 3); with its alpha as a last channel where
            it has one, (H, W, 2) or (H, W, 4). Grey pixels keep their value exactly.
        """
        image = np.asarray(Image.fromarray(pixels).convert("L")) if self.grey else pixels
        if self.alpha is None:
            return image
        return np.dstack([image, self.alpha])


def load_photo(path: str | os.PathLike[str], *, accept_damage: bool = False) -> Photo:
    """Read and decode a photo; see `decode_photo`.

    Args:
        path: A JPEG, PNG, WebP, BMP, TIFF or HEIC file of at most 64 MiB; the extension is not
            looked at.
        accept_damage: As in `decode_photo`.

    Raises:
        ImageError: The file cannot be read or decoded; the message names it.
        MissingExtraError: The file is HEIC and pillow-heif is not installed.
    """
    data = read_bytes(path)
    return decode_photo(data, name=os.fspath(path), accept_damage=accept_damage)


def decode_photo(
    data: bytes, *, name: str, accept_damage: bool = False, max_pixels: int | None = None
) -> Photo:
    """Decode a still photo.

    The format and the size are checked from the header before anything is decoded. The EXIF
    orientation is applied (for HEIC the container's own, which its standard puts above EXIF's) and
    the colours are converted to sRGB; EXIF, thumbnails, profiles and comments are dropped. Of a
    HEIC or MPO file with several images the first, or the one named as primary, is the photo.

    Args:
        data: The whole file.
        name: What error messages call it.
        accept_damage: Take what the decoder makes of data that it warns about.
        max_pixels: Largest width × height that is decoded, by default and at most
            `headers.MAX_PIXELS`.

    Returns:
        The photo: 16-bit channels are scaled to 8, palettes and CMYK converted to RGB.

    Raises:
        ImageError: Empty, too large, unknown format, animated, several pages, truncated,
            or samples that are neither 8 nor 16 bits.
        MissingExtraError: The file is HEIC and pillow-heif is not installed.
        DoubtError: The file decodes, but its data are damaged; see `find_damage`.
    """
    header = read_header(data, name=name)
    if header.size is not None:
        check_size(header.size, name=name, max_pixels=max_pixels)
    with warnings.catch_warnings():
        # Pillow warns about large sizes, where our own caps are stricter, and about damaged EXIF,
        # which is dropped anyway.
        warnings.simplefilter("ignore")
        image = _open_checked(data, header, name=name, max_pixels=max_pixels)
        damage = None if accept_damage else find_damage(data, header.format)
        try:
            image.load()
            # libheif has turned HEIC images already, and pillow-heif resets EXIF's word on it.
            orientation = _orientation(image)
            pixels, alpha = _to_rgb(image)
        except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
            raise ImageError(f"{name} is a truncated or damaged {header.format} file") from error
    if damage is not None:
        raise DoubtError(
            f"{name} is a damaged {header.format} file ({damage}): parts of it may be shifted"
        )
    alpha = None if alpha is None or bool((alpha == 255).all()) else _upright(alpha, orientation)
    pixels = _upright(pixels, orientation)
    return Photo(pixels, grey=_is_grey(pixels), alpha=alpha, mark=read_mark(data))


def _open_checked(data: bytes, header: Header, *, name: str, max_pixels: int | None) -> Image.Image:
    """Pillow's lazy image, after the checks that need its parsed header."""
    heif = heif_opener(name) if header.format == "HEIF" else None
    try:
        file = io.BytesIO(data)
        image = heif(file) if heif else Image.open(file, formats=[header.format])
    except Image.DecompressionBombError:
        raise ImageError(f"{name} is too large: its header claims a huge image") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name} is a damaged {header.format} file") from None
    except Exception as error:  # as above
        raise ImageError(f"{name} is a truncated or damaged {header.format} file") from error
    check_size(image.size, name=name, max_pixels=max_pixels)
    # MPO is a JPEG photo with previews behind it, as many phones write; the first image counts,
    # and of a HEIC collection the primary one.
    if image.format not in ("MPO", "HEIF") and getattr(image, "is_animated", False):
        kind = "has several pages" if header.format == "TIFF" else "is animated"
        raise ImageError(f"{name} {kind}; only still photos with one image are read")
    _check_samples(image, name=name)
    return image


def _check_samples(image: Image.Image, *, name: str) -> None:
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))
    odd_tiff = image.mode in _SIXTEEN_BITS and (bits != (16,) or tags.get(_PHOTOMETRIC, 1) != 1)
    if image.mode in ("I", "F") or odd_tiff:
        raise ImageError(f"{name} has samples that are not read; 8 and 16 bits unsigned are")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF is optional, and damaged EXIF is common: the photo counts as upright
        return 1


def _upright(array: Pixels, orientation: int) -> Pixels:
    """Apply an EXIF orientation (1 to 8; anything else means upright) to (H, W, ...) pixels."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    array = np.ascontiguousarray(array)
    array.setflags(write=False)
    return array


def _to_rgb(image: Image.Image) -> tuple[Pixels, Pixels | None]:
    """(H, W, 3) sRGB and, where the file has transparency, (H, W) alpha."""
    profile = image.info.get("icc_profile")
    alpha = None
    if image.mode in _SIXTEEN_BITS:
        values = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
    return np.asarray(to_srgb(image, profile)), alpha


def _is_grey(pixels: Pixels) -> bool:
    red = pixels[:, :, 0]
    return bool((red == pixels[:, :, 1]).all() and (red == pixels[:, :, 2]).all())
