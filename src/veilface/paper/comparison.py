"""A table of the paper with the measured values under the published ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from veilface.evaluation.table import ABSENT, number
from veilface.measures.intervals import Estimate

NOT_TRAINED = "not trained"
NO_DATA = "no data"

Value = Estimate | float | str | None
"""A measured figure, a published one or, as an int, a count, a reason why there is none, or nothing
to say."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table.

    Attributes:
        label: Method, recogniser or variant.
        origin: Where its values come from.
        cells: One a column.
    """

    label: str
    origin: Literal["published", "measured"]
    cells: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table of the paper beside ours.

    Attributes:
        name: As on the command line.
        title: What it shows, with the measure and the protocol.
        columns: Headings.
        lines: Published and measured lines.
        percent: Whether the values are shares that the paper prints in percent.
        notes: Sentences that the reader needs.
        details: What the cells were made of, for the JSON document.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    percent: bool = False
    notes: tuple[str, ...] = ()
    details: tuple[Mapping[str, Any], ...] = ()

    def cells(self) -> list[list[str]]:
        """Everything as text, heading first."""
        heading = ["", "origin", *self.columns]
        return [
            heading,
            *([ln.label, ln.origin, *map(self._text, ln.cells)] for ln in self.lines),
        ]

    def to_markdown(self) -> str:
        """The table and its notes."""
        rows = self.cells()
        rows.insert(1, ["---"] * len(rows[0]))
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return "\n\n".join([f"**{self.title}**", table, *self.notes]) + "\n"

    def to_csv(self) -> str:
        """One record a cell: line, origin, column, value, interval, number of images or pairs."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(("line", "origin", "column", "value", "low", "high", "n"))
        for line in self.lines:
            for column, value in zip(self.columns, line.cells, strict=True):
                if isinstance(value, Estimate):
                    figures: Sequence[object] = (value.value, value.low, value.high, value.n)
                else:
                    figures = ("" if value is None else value, "", "", "")
                writer.writerow((line.label, line.origin, column, *figures))
        return buffer.getvalue()

    def to_dict(self) -> dict[str, Any]:
        """The table for JSON; shares stay in [0, 1]."""
        return {
            "experiment": self.name,
            "title": self.title,
            "columns": list(self.columns),
            "percent": self.percent,
            "lines": [
                {
                    "label": line.label,
                    "origin": line.origin,
                    "cells": [asdict(v) if isinstance(v, Estimate) else v for v in line.cells],
                }
                for line in self.lines
            ],
            "notes": list(self.notes),
            "details": [dict(detail) for detail in self.details],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Comparison:
        """Inverse of `to_dict`."""
        return cls(
            name=stored["experiment"],
            title=stored["title"],
            columns=tuple(stored["columns"]),
            lines=tuple(
                Line(
                    line["label"],
                    line["origin"],
                    tuple(Estimate(**v) if isinstance(v, dict) else v for v in line["cells"]),
                )
                for line in stored["lines"]
            ),
            percent=stored["percent"],
            notes=tuple(stored["notes"]),
            details=tuple(stored["details"]),
        )

    def _text(self, value: Value) -> str:
        if value is None:
            return ABSENT
        if isinstance(value, str):
            return value
        if isinstance(value, int):
            return f"{value:,}"
        if not isinstance(value, Estimate):
            return f"{100 * value:.2f} %" if self.percent else number(value, 2)
        if self.percent:
            return f"{100 * value.value:.1f} % [{100 * value.low:.1f}, {100 * value.high:.1f}]"
        ends = f"{number(value.low, 2)}, {number(value.high, 2)}"
        return f"{number(value.value, 2)} [{ends}]"
