"""The one place that imports the package of the extra ``veilface[heif]``, when it is needed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from io import BytesIO

from PIL import Image

from veilface.errors import MissingExtraError

COMMAND = "pip install pillow-heif"


def heif_opener(name: str) -> Callable[[BytesIO], Image.Image]:
    """What opens HEIC and HEIF files, like `PIL.Image.open` and as lazily.

    Pillow's table of formats, which the whole process shares, is left as it is.

    Args:
        name: What error messages call the file.

    Raises:
        MissingExtraError: pillow-heif is not installed, or does not load here.
    """
    try:
        opener: Callable[[BytesIO], Image.Image] = importlib.import_module(
            "pillow_heif"
        ).HeifImageFile
    except ImportError as error:
        missing = (error.name or "").partition(".")[0] == "pillow_heif"
        reason = "is not installed" if missing else f"does not load: {error}"
        raise MissingExtraError(
            f"{name} is a HEIC photo; pillow-heif is needed to read it and {reason}; run: {COMMAND}"
        ) from error
    return opener
