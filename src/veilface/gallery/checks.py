"""What may be enrolled: ids that are text, embeddings that are unit vectors."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veilface.errors import GalleryError
from veilface.gallery.space import Space
from veilface.text import is_safe, printable

LONGEST_ID = 128
"""Characters of an id, and of the note of where embeddings come from."""

_NORM = 1e-3  # how far the length of a vector may be from 1: float32 and float16 recognisers do

Vectors = NDArray[np.float32]


def check_id(id: str) -> str:
    """The id of a person, when it may be one.

    An id is 1 to 128 printable characters in Unicode's composed form (NFC, so that no two look the
    same and differ), without a space at either end and without slashes, which would end a part of
    a web address, as ``.`` and ``..`` would change it.

    Raises:
        GalleryError: It is not; the message says why.
    """
    return _check_text(id, "the id")


def check_source(source: str) -> str:
    """The note of where embeddings come from, under the same conditions as an id."""
    return _check_text(source, "the source")


def _check_text(text: str, what: str) -> str:
    shown = f"{what} '{printable(text[:LONGEST_ID])}'"
    if not text:
        problem = f"{what} is empty"
    elif len(text) > LONGEST_ID:
        problem = f"{what} has {len(text):,} characters"
    elif not all(map(is_safe, text)):
        problem = f"{shown} has characters that do not print"
    elif text != text.strip():
        problem = f"{shown} begins or ends with a space"
    elif "/" in text or "\\" in text or text in (".", ".."):
        problem = f"{shown} would be a path"
    elif not unicodedata.is_normalized("NFC", text):
        problem = f"{shown} is not in the composed form of Unicode (NFC)"
    else:
        return text
    raise GalleryError(
        f"{problem}; allowed are 1 to {LONGEST_ID} printable characters without slashes"
    )


def check_embeddings(embeddings: ArrayLike, space: Space) -> Vectors:
    """Embeddings as (N, D) float32 of length 1.

    Args:
        embeddings: (D,) or (N, D), N at least 1; tensors must be on the CPU.
        space: Whose embeddings they are.

    Raises:
        GalleryError: Another shape, values that are not finite, or vectors that are not of length
            1 (within 0.001).
    """
    name = space.recognizer
    try:
        found = np.atleast_2d(np.asarray(embeddings, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise GalleryError(f"the embeddings are no array of numbers ({error})") from error
    if found.ndim != 2 or found.shape[1] != space.dim or not len(found):
        raise GalleryError(
            f"embeddings of shape {found.shape}; {name} gives ({space.dim},) or (N, {space.dim})"
        )
    lengths = np.linalg.norm(found, axis=1)
    # Not "any is off": a length that is not a number is not within anything.
    if not np.all(np.abs(lengths - 1) <= _NORM):
        worst = float(lengths[np.argmax(~(np.abs(lengths - 1) <= _NORM))])
        raise GalleryError(f"an embedding of length {worst:.4g}; {name} gives unit vectors")
    return np.asarray(found / lengths[:, None], dtype=np.float32)
