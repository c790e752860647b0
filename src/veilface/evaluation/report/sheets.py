"""Sheets of faces: what a person sees of a protection, and of what an attacker makes of it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from veilface.core.files import write_atomic
from veilface.core.template import SIDE
from veilface.errors import ShapeError
from veilface.evaluation.results import Pictures
from veilface.imaging.encode import encode
from veilface.imaging.filters import gaussian_blur
from veilface.imaging.tensors import to_uint8

BLUR = 3.0  # pixels: what remains when somebody looks from afar
PUBLISHED = "protected-"
"""How the names of files begin that hold no photograph."""

_GAP, _MARGIN = 4, 116
_LETTERS = 14  # of a line of the margin
_INK, _EMPTY = "#202020", "#E4E4E4"


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """One row of a sheet.

    Attributes:
        label: What the row shows.
        faces: (N, 3, 112, 112) float RGB in [0, 1]; None for a row that cannot be filled, whose
            tiles then say so.
        private: Not for publication: photographs, and what averaging brings back of them.
        absent: What the tiles of an empty row say.
    """

    label: str
    faces: Tensor | None
    private: bool = False
    absent: str = "not yet"


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Rows of faces, one column a person.

    Attributes:
        title: What the sheet shows, such as the protector and its surrogates.
        strips: Its rows, of equally many faces.
    """

    title: str
    strips: tuple[Strip, ...]

    @property
    def publishable(self) -> Sheet:
        """The sheet without its private rows."""
        kept = tuple(strip for strip in self.strips if not strip.private)
        return Sheet(self.title, kept)


def protection_sheet(pictures: Pictures) -> Sheet:
    """The sheet of one protector: original, X', X' from afar, and the mean of several X'.

    Raises:
        ShapeError: The numbers of faces differ.
    """
    strips = [
        Strip("original", pictures.originals, private=True),
        Strip("X'", pictures.protected),
        Strip("X' blurred", gaussian_blur(pictures.protected, sigma=BLUR)),
    ]
    if pictures.draws is not None:
        mean = pictures.draws.mean(dim=0)
        strips.append(Strip(f"mean of {len(pictures.draws)} X'", mean, private=True))
    _columns(strips)
    return Sheet(pictures.title, tuple(strips))


def draw_sheet(sheet: Sheet) -> Image.Image:
    """The sheet as one RGB image, every face at its own size.

    Raises:
        ShapeError: The rows hold different numbers of faces, or none at all.
    """
    columns = _columns(sheet.strips)
    step = SIDE + _GAP
    size = (_MARGIN + columns * step, len(sheet.strips) * step + _GAP)
    canvas = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=14)
    for row, strip in enumerate(sheet.strips):
        top = _GAP + row * step
        middle = top + SIDE // 2
        label = textwrap.fill(strip.label, _LETTERS, break_long_words=False)
        pen.multiline_text((_GAP, middle), label, fill=_INK, font=font, anchor="lm")
        for column in range(columns):
            left = _MARGIN + column * step
            if strip.faces is None:
                box = (left, top, left + SIDE - 1, top + SIDE - 1)
                pen.rectangle(box, fill=_EMPTY)
                place = (left + SIDE // 2, middle)
                pen.text(place, strip.absent, fill=_INK, font=font, anchor="mm")
            else:
                face = np.ascontiguousarray(to_uint8(strip.faces[column]))
                canvas.paste(Image.fromarray(face), (left, top))
    return canvas


def write_published(pictures: Sequence[Pictures], folder: Path) -> list[Path]:
    """Write what may be shown of every protector: protected images, and no photograph.

    Args:
        pictures: Of an evaluation.
        folder: Gets ``protected-NAME.png`` for each protector; existing files are replaced.

    Raises:
        ImageError: A file cannot be written.
    """
    paths = []
    for each in pictures:
        name = re.sub(r"[^a-z0-9]+", "-", each.title.partition(" (")[0].lower()).strip("-")
        paths.append(folder / f"{PUBLISHED}{name}.png")
        sheet = draw_sheet(protection_sheet(each).publishable)
        write_atomic(paths[-1], encode(sheet, format="png"), overwrite=True)
    return paths


def _columns(strips: Sequence[Strip]) -> int:
    counts = {len(strip.faces) for strip in strips if strip.faces is not None}
    if len(counts) != 1:
        raise ShapeError(f"the rows of a sheet need equally many faces, not {sorted(counts)}")
    return counts.pop()
