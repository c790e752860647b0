"""One random stream for each face, that depends on nothing but the seed and the photo."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from torch import Generator

from veilface.core.randomness import entropic_generator


def pixel_digest(pixels: NDArray[np.uint8]) -> bytes:
    """SHA-256 of the shape and the bytes of an upright photo."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.digest()


def face_generator(seed: int, photo: bytes, face: int) -> Generator:
    """The generator of one face under a seed that the caller chose.

    It depends on the seed, the pixels and the place of the face in the photo, not on the order of
    the photos or on how they were batched, so that a resumed run continues with the same images.

    Args:
        seed: The caller's seed.
        photo: The photo's `pixel_digest`.
        face: Index of the face in the photo, largest first.

    Returns:
        A CPU generator.
    """
    digest = hashlib.sha256(b"veilface face\0%d\0%d\0" % (seed, face) + photo).digest()
    return entropic_generator(digest)
