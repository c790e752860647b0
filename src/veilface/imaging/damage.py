"""Image data that decodes and is damaged all the same.

Decoders of JPEG go on where they can: behind a damaged place the rest of a picture is shifted, or
keeps parts of its old self, and nothing is said. A face that is half in its old place is found in
part, and a protection of that part would show the rest.
"""

from __future__ import annotations

import simplejpeg


def find_damage(data: bytes, form: str) -> str | None:
    """What is wrong with the compressed pixels of a file, in a few words.

    JPEG has no checksum: its data are read once more, at an eighth of the size, by a decoder that
    stops at libjpeg's warnings. It sees whatever shifts the rest of the picture; where the Huffman
    codes find back into step within a few blocks, other colours may be all that is left of the
    damage, which stays unseen. PNG has a checksum, which Pillow compares; WebP, BMP and TIFF have
    nothing of the kind.

    Args:
        data: The whole file.
        form: Pillow's name of the format.

    Returns:
        A few words, or None when nothing is known to be wrong.
    """
    if form != "JPEG":
        return None
    try:
        space = simplejpeg.decode_jpeg_header(data)[2]
        wanted = "CMYK" if space in ("CMYK", "YCCK") else "GRAY"
        simplejpeg.decode_jpeg(
            data, colorspace=wanted, min_height=1, min_width=1, min_factor=8, strict=True
        )
    except ValueError as error:
        return str(error)
    return None
