"""Learning curves: what they say of the photos that nobody tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.attacks.test_run import outcome
from veilface.attacks.curves import LearningCurve
from veilface.attacks.run import Outcome
from veilface.evaluation.report.curves import learning_curve


def learned(photos: int, ssim: float) -> Outcome:
    return replace(outcome(ssim=ssim, matched=0, planted=0.95), about={"photos": photos})


def test_the_end_of_the_curve_is_drawn_on() -> None:
    """Twice the photos bring .02: from .36 it is three doublings to the .42 of the null."""
    curve = LearningCurve.of([learned(500, 0.30), learned(1000, 0.34), learned(2000, 0.36)])
    assert curve.gain == pytest.approx(0.02)
    assert curve.needed in {16_000, 16_001}
    assert "+0.020" in str(curve)


def test_four_times_the_photos_are_two_doublings() -> None:
    assert LearningCurve.of([learned(500, 0.5), learned(2000, 0.6)]).gain == pytest.approx(0.05)


@pytest.mark.parametrize("last", [0.2, 0.3, 0.3 + 1e-9, 0.5])
def test_nothing_is_promised_where_it_falls_or_is_there_or_far_away(last: float) -> None:
    assert LearningCurve.of([learned(500, 0.3), learned(1000, last)]).needed is None


def test_what_a_budget_cut_to_one_number_is_no_curve() -> None:
    curve = LearningCurve.of([learned(400, 0.3), learned(400, 0.31)])
    assert curve.photos == (400,)
    assert curve.gain is None
    assert "no curve" in str(curve)


def test_the_plot_shows_the_null_the_cheat_and_the_limit() -> None:
    figure = learning_curve(LearningCurve.of([learned(500, 0.3), learned(1000, 0.4)]), "x")
    (legend,) = figure.legends
    names = {text.get_text() for text in legend.get_texts()}
    assert names == {"recovered", "planted cheat", "knows nothing", "weak below"}
