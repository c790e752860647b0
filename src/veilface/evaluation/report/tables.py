"""The tables of an evaluation, as text that HTML and Markdown lay out alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veilface.evaluation.results import Evaluation, Row
from veilface.evaluation.table import (
    ABSENT,
    RECOGNITION,
    VISIBILITY,
    Measure,
    interval,
    number,
)
from veilface.measures.intervals import Estimate


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure: its value, its 95 % interval, chance, and why it is absent where it is."""

    value: str
    interval: str = ""
    chance: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TableLine:
    """One row: its label, whether it is a preset, a control or a level, and its cells."""

    label: str
    kind: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; ``columns`` are the measures, one a cell of every line."""

    caption: str
    columns: tuple[Measure, ...]
    lines: tuple[TableLine, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Why figures are absent, each reason once."""
        found: dict[str, list[str]] = {}
        for line in self.lines:
            for column, cell in zip(self.columns, line.cells, strict=True):
                titles = found.setdefault(cell.reason, [])
                if column.title not in titles:
                    titles.append(column.title)
        return tuple(f"{', '.join(titles)}: {why}" for why, titles in found.items() if why)


def targets(evaluation: Evaluation) -> dict[str, list[Row]]:
    """The rows of each target, presets first, in the order of the evaluation."""
    found: dict[str, list[Row]] = {}
    for row in evaluation.rows:
        found.setdefault(row.target, []).append(row)
    return {
        target: sorted(rows, key=lambda row: row.kind != "preset") for target, rows in found.items()
    }


def recognition_table(target: str, rows: Sequence[Row]) -> Table:
    """What one recogniser makes of the images of every protector and control."""
    return _table(f"Matches of {target}", rows, RECOGNITION, labels=[r.protector for r in rows])


def visibility_table(evaluation: Evaluation) -> Table:
    """What a person, a detector and plain image similarity make of the images.

    Leaving the target out makes other images for each target, so a protector may have several
    lines; beside SSIM and PSNR stands the level of photos of two different people.
    """
    images = {(row.protector, row.surrogates): row for row in evaluation.rows}
    rows = sorted(images.values(), key=lambda row: row.kind != "preset")
    count = Counter(row.protector for row in rows)
    labels = [
        f"{r.protector} ({', '.join(r.surrogates)})" if count[r.protector] > 1 else r.protector
        for r in rows
    ]
    table = _table("Images", rows, VISIBILITY, labels=labels)
    names = _present(VISIBILITY, rows)
    level = tuple(_cell(evaluation.stranger, name, VISIBILITY[name]) for name in names)
    return Table(
        table.caption, table.columns, (*table.lines, TableLine("a stranger", "level", level))
    )


def _table(
    caption: str, rows: Sequence[Row], measures: Mapping[str, Measure], *, labels: Sequence[str]
) -> Table:
    shown = _present(measures, rows)
    lines = (
        TableLine(
            label,
            row.kind,
            tuple(
                _cell(row.figures, name, measures[name], row.reasons.get(name, ""))
                for name in shown
            ),
        )
        for label, row in zip(labels, rows, strict=True)
    )
    return Table(caption, tuple(measures[name] for name in shown), tuple(lines))


def _cell(found: Mapping[str, Estimate], name: str, measure: Measure, reason: str = "") -> Cell:
    estimate, chance = found.get(name), found.get(f"{name}_chance")
    if estimate is None:
        return Cell(ABSENT, reason=reason)
    return Cell(
        number(estimate.value, measure.digits),
        interval(estimate, measure.digits),
        "" if chance is None else f"chance {number(chance.value, measure.digits)}",
    )


def _present(measures: Mapping[str, Measure], rows: Sequence[Row]) -> list[str]:
    """The measures that at least one row has a number of, in the order of the table."""
    return [name for name in measures if any(name in row.figures for row in rows)]
