"""What a viewer sees of one case, and sheets of several cases as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from veilface.evaluation.asking.key import Task
from veilface.imaging.tensors import to_uint8

FACE, CANDIDATE = 224, 104
"""Sides in pixels of the face that is asked about, and of each candidate."""

CASES = 5
"""Most cases of a sheet."""

QUESTIONS = MappingProxyType[Task, str](
    {
        "pick": "Which of the ten is the person in the large picture?",
        "name": "Do you know this person? Who is it?",
    }
)
_INK, _LINE = "#202020", "#C8C8C8"
_EDGE, _GAP, _HEAD, _LABEL = 20, 14, 54, 26
_LOWER = _LABEL + CANDIDATE + _GAP  # where the second row of candidates begins
_ROW = _LOWER + _LABEL + CANDIDATE  # also holds the large picture under its label
_BESIDE = _EDGE + FACE + 36  # where the candidates begin


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One case as a viewer sees it.

    Attributes:
        number: Of the case, from 1.
        face: 224x224 RGB.
        candidates: 104x104 RGB each, in the order of their numbers; none where nobody is picked.
    """

    number: int
    face: Image.Image = field(repr=False)
    candidates: tuple[Image.Image, ...] = field(repr=False)


def make_panel(number: int, face: Tensor, candidates: Tensor) -> Panel:
    """From aligned faces (3, 112, 112) and (K, 3, 112, 112) in [0, 1]."""
    tiles = tuple(_tile(photo, CANDIDATE) for photo in candidates)
    return Panel(number, _tile(face, FACE), tiles)


def draw_panels(panels: Sequence[Panel], *, task: Task, title: str) -> Image.Image:
    """A sheet of at most `CASES` cases.

    Args:
        panels: In the order of their numbers.
        task: Says what is asked, and so how they are laid out.
        title: Which sheet this is; it must not say what is shown.
    """
    step = _ROW + 2 * _GAP
    width = _BESIDE + 5 * (CANDIDATE + _GAP) - _GAP + _EDGE
    rows = len(panels) if task == "pick" else -(-len(panels) // _ABREAST)
    sheet = Image.new("RGB", (width, _HEAD + rows * step), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((_EDGE, _HEAD // 2), QUESTIONS[task], _INK, ImageFont.load_default(22), anchor="lm")
    small = ImageFont.load_default(16)
    pen.text((width - _EDGE, _HEAD // 2), title, _INK, small, anchor="rm")
    for place, panel in enumerate(panels):
        if task == "pick":
            left, top = _EDGE, _HEAD + place * step
        else:
            row, column = divmod(place, _ABREAST)
            left, top = _EDGE + column * (FACE + 4 * _GAP), _HEAD + row * step
        pen.line((_EDGE, top, width - _EDGE, top), _LINE)
        _draw(sheet, panel, left, top + _GAP)
    return sheet


_ABREAST = 3  # faces in a row where there are no candidates


def _draw(sheet: Image.Image, panel: Panel, left: int, top: int) -> None:
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(24)
    pen.text((left, top + _LABEL - 6), f"Case {panel.number}", _INK, font, anchor="ls")
    sheet.paste(panel.face, (left, top + _LABEL))
    for place, photo in enumerate(panel.candidates):
        row, column = divmod(place, 5)
        x = _BESIDE + column * (CANDIDATE + _GAP)
        y = top + row * _LOWER
        above = (x + CANDIDATE // 2, y + _LABEL - 6)
        pen.text(above, str(place + 1), _INK, font, anchor="ms")
        sheet.paste(photo, (x, y + _LABEL))


def _tile(face: Tensor, side: int) -> Image.Image:
    pixels = np.ascontiguousarray(to_uint8(face.to(torch.float32)))
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)
