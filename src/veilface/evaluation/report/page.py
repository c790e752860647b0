"""An evaluation as one HTML file, with everything inside it."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veilface.core.files import write_atomic
from veilface.errors import MissingExtraError
from veilface.evaluation.report.sheets import draw_sheet, protection_sheet
from veilface.evaluation.report.tables import Table, recognition_table, targets, visibility_table
from veilface.evaluation.results import Evaluation, Row
from veilface.evaluation.table import RECOGNITION, VISIBILITY
from veilface.imaging.encode import encode

try:
    import jinja2
    from matplotlib.figure import Figure

    from veilface.evaluation.report import plots
except ModuleNotFoundError as error:
    raise MissingExtraError(
        f"{error.name} is needed to write a report and is not installed; "
        "run: pip install jinja2 matplotlib"
    ) from error


@dataclass(frozen=True, slots=True)
class Picture:
    """An image inside the page: what it shows, and its data URI."""

    title: str
    uri: str


@dataclass(frozen=True, slots=True)
class Section:
    """What there is about one target: its table and its plots."""

    target: str
    table: Table
    plots: tuple[Picture, ...]


def write_report(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
) -> None:
    """Write the report; an existing file is replaced.

    Args:
        evaluation: What was found. With pictures, which hold photographs, the file is not for
            publication.
        path: The HTML file; its folder must exist.

    Raises:
        ImageError: The file cannot be written.
        ShapeError: The numbers of faces differ.
    """
    write_atomic(Path(path), render(evaluation).encode(), overwrite=True)


def render(evaluation: Evaluation) -> str:
    """The report as HTML text, which refers to nothing outside of itself."""
    sheets = [protection_sheet(each) for each in evaluation.pictures]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("veilface.evaluation.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        about=evaluation,
        flags=[(row, sentence) for row in evaluation.rows for sentence in row.flags],
        images=visibility_table(evaluation),
        sections=[_section(target, rows) for target, rows in targets(evaluation).items()],
        sheets=[
            Picture(sheet.title, _uri(encode(draw_sheet(sheet), format="png"), "png"))
            for sheet in sheets
        ],
        private=bool(sheets),
        meanings=[*RECOGNITION.values(), *VISIBILITY.values()],
    )


def _section(target: str, rows: Sequence[Row]) -> Section:
    drawn: dict[str, Figure] = {
        f"Detection error trade-off of {target}": plots.det_curves(rows),
        f"Scores of {target} that should match, and that should not": plots.score_histograms(rows),
        f"Every X′ beside the thresholds of {target}": plots.threshold_strips(rows),
    }
    pictures = (
        Picture(title, _uri(plots.to_svg(figure), "svg+xml")) for title, figure in drawn.items()
    )
    return Section(target, recognition_table(target, rows), tuple(pictures))


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
