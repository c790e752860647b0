"""Photos in and out: decoding, encoding, alignment, pasting, provenance.

Only this package knows files, Pillow and uint8; everything else works on float tensors. Functions
that are named as their module (`encode.encode`, `warp.warp`) are imported from there.
"""

from __future__ import annotations

from veilface.core.files import read_bytes, write_atomic
from veilface.core.template import SIDE, TEMPLATE
from veilface.imaging.align import align_face, matrix_of
from veilface.imaging.decode import Photo, Pixels, decode_photo, load_photo
from veilface.imaging.encode import Format
from veilface.imaging.paste import paste_face
from veilface.imaging.provenance import Mark, read_mark
from veilface.imaging.tensors import to_tensor, to_uint8
from veilface.imaging.transforms import similarity_from_points

__all__ = [
    "SIDE",
    "TEMPLATE",
    "Format",
    "Mark",
    "Photo",
    "Pixels",
    "align_face",
    "decode_photo",
    "load_photo",
    "matrix_of",
    "paste_face",
    "read_bytes",
    "read_mark",
    "similarity_from_points",
    "to_tensor",
    "to_uint8",
    "write_atomic",
]
