from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from veilface.errors import ShapeError
from veilface.evaluation.report.sheets import Sheet, Strip, draw_sheet, protection_sheet
from veilface.evaluation.results import Pictures
from veilface.imaging.tensors import to_uint8


def _pictures(*, draws: int = 0) -> Pictures:
    faces = synthetic_faces(3)
    versions = torch.stack([faces.flip(0)] * draws) if draws else None
    return Pictures("persona (dlib)", faces, faces.flip(0), versions)


def test_faces_are_drawn_pixel_by_pixel() -> None:
    sheet = protection_sheet(_pictures())
    drawn = np.asarray(draw_sheet(sheet))
    step = 116
    for row, strip in enumerate(sheet.strips):
        assert strip.faces is not None
        for column, face in enumerate(to_uint8(strip.faces)):
            top, left = 4 + row * step, 116 + column * step
            assert (drawn[top : top + 112, left : left + 112] == face).all()


def test_the_rows_of_a_protection() -> None:
    labels = [strip.label for strip in protection_sheet(_pictures(draws=8)).strips]
    assert labels == ["original", "X'", "X' blurred", "mean of 8 X'"]
    assert len(protection_sheet(_pictures()).strips) == 3


def test_photographs_and_means_are_left_out_of_what_may_be_published() -> None:
    kept = protection_sheet(_pictures(draws=2)).publishable
    assert [strip.label for strip in kept.strips] == ["X'", "X' blurred"]
    assert not any(strip.private for strip in kept.strips)


def test_a_method_that_is_not_there_has_empty_tiles() -> None:
    faces = synthetic_faces(2)
    whole = np.asarray(draw_sheet(Sheet("", (Strip("a", faces), Strip("b", None)))))
    assert whole.shape == (2 * 116 + 4, 116 + 2 * 116, 3)
    assert (whole[130:140, 120:200] == 0xE4).all()


def test_rows_of_different_lengths_are_refused() -> None:
    faces = synthetic_faces(2)
    with pytest.raises(ShapeError, match=r"equally many faces, not \[1, 2\]"):
        draw_sheet(Sheet("", (Strip("a", faces), Strip("b", faces[:1]))))
    with pytest.raises(ShapeError, match="equally many faces"):
        draw_sheet(Sheet("", (Strip("b", None),)))
