from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from matplotlib.figure import Figure

from tests.fixtures.evaluations import example
from veilface.evaluation.report import plots
from veilface.evaluation.results import Row

Draw = Callable[[Sequence[Row]], Figure]
DRAWN: tuple[Draw, ...] = (plots.det_curves, plots.score_histograms, plots.threshold_strips)


def _rows() -> list[Row]:
    return [Row.from_dict(row) for row in example()["rows"] if row["target"] == "dlib"]


def _labels(figure: Figure) -> set[str]:
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


@pytest.mark.parametrize("draw", DRAWN)
def test_equal_rows_make_equal_drawings_that_stand_alone(draw: Draw) -> None:
    first, second = (plots.to_svg(draw(_rows())) for _ in range(2))
    assert first == second
    ET.fromstring(first)  # noqa: S314 - our own drawing
    assert b"http://" not in first.replace(b"http://www.w3.org/", b"").replace(
        b"http://purl.org/", b""
    ).replace(b"http://creativecommons.org/", b"")


def test_the_trade_off_names_presets_and_the_clean_image() -> None:
    figure = plots.det_curves(_rows())
    assert _labels(figure) == {"persona", "paper", "clean", "other controls"}
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert lines["clean"].get_ydata()[0] == 0  # type: ignore[index]


def test_every_row_and_threshold_is_on_the_strips() -> None:
    figure = plots.threshold_strips(_rows())
    axes = figure.axes[0]
    ticks = [tick.get_text() for tick in axes.get_yticklabels()]
    assert ticks == ["persona", "paper", "clean", "blur", "noise"]
    assert {"FMR 1e-2", "FMR 1e-3", "FMR 1e-4", "against its source"} <= _labels(figure)
    lines = [line.get_xdata()[0] for line in axes.get_lines()]  # type: ignore[index]
    assert lines == [0.3, 0.4, 0.5]


def test_histograms_show_the_clean_image_first_and_no_other_control() -> None:
    titles = [axes.get_title(loc="left") for axes in plots.score_histograms(_rows()).axes]
    assert titles == ["clean", "persona", "paper"]


@pytest.mark.parametrize("draw", DRAWN)
def test_people_with_one_photo_leave_the_other_curves(draw: Draw) -> None:
    rows = [replace(row, scores={**row.scores, "xdr": []}) for row in _rows()]
    assert plots.to_svg(draw(rows))
