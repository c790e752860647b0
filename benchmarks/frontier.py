"""One picture of what people see against what recognisers match.

    python -m benchmarks.frontier rows.json --out docs/images/frontier.svg

The file holds a list of rows

    {"label": "persona", "viewers": {"right": 4, "n": 60},
     "xdr": {"value": 0.91, "low": 0.87, "high": 0.94, "n": 128}, "kind": "control"}

``viewers`` from `veilface lineup score`, ``xdr`` from `veilface evaluate` or the study; ``kind``
is ``ours`` unless it says ``method`` (of other authors) or ``control``. The best corner is at the
top left: nobody picks, everybody matches.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from veilface.core.files import write_atomic
from veilface.evaluation.asking.material import SIZE
from veilface.evaluation.report.plots import to_svg
from veilface.measures.intervals import Estimate, wilson

_GUESS = "#D55E00"


class Kind(str, Enum):
    """Whose a condition is."""

    OURS = "ours"
    METHOD = "method"
    CONTROL = "control"


_LOOKS = {
    Kind.OURS: ("#0072B2", "o"),
    Kind.METHOD: ("#009E73", "^"),
    Kind.CONTROL: ("#8A8A8A", "s"),
}
"""Colour and marker."""


@dataclass(frozen=True, slots=True)
class Point:
    """One condition: how often viewers pick the source, how often its person is matched."""

    label: str
    picked: Estimate
    matched: Estimate
    kind: Kind


def read_points(rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    """Points of the rows of a file; Wilson's interval for the viewers.

    Raises:
        ValueError: A row lacks a field, or holds another value than it should.
    """
    points = []
    for number, row in enumerate(rows, start=1):
        try:
            picked = wilson(row["viewers"]["right"], row["viewers"]["n"])
            matched = Estimate(**row["xdr"])
            kind = Kind(row.get("kind", Kind.OURS))
            points.append(Point(row["label"], picked, matched, kind))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"row {number} is not {{label, viewers, xdr}}: {error}") from error
    return points


def draw(points: Sequence[Point]) -> Figure:
    """Pick rate (x) against XDR (y) with 95 % intervals, and the rate of guessing."""
    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1 / SIZE, color=_GUESS, linewidth=0.9, linestyle="--")
    axes.text(1 / SIZE, 1.05, "guessing", color=_GUESS, ha="center", fontsize=8)
    for point in points:
        x, y = point.picked, point.matched
        colour, marker = _LOOKS[point.kind]
        axes.errorbar(
            x.value,
            y.value,
            xerr=[[x.value - x.low], [x.high - x.value]],
            yerr=[[y.value - y.low], [y.high - y.value]],
            fmt=marker,
            color=colour,
            markersize=5,
            elinewidth=0.7,
            alpha=0.9,
        )
        axes.annotate(
            point.label,
            (x.value, y.value),
            xytext=(5 if x.value < 0.7 else -5, 5),
            ha="left" if x.value < 0.7 else "right",
            textcoords="offset points",
            color=colour,
            fontsize=8,
        )
    axes.set(
        xlim=(-0.02, 1.04),
        ylim=(-0.02, 1.04),
        xlabel="viewers pick the person out of ten",
        ylabel="recognisers match another photo of the person (XDR)",
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    """Parse the command line and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, help="JSON list of rows")
    parser.add_argument("--out", type=Path, default=Path("docs/images/frontier.svg"))
    arguments = parser.parse_args()
    try:
        points = read_points(json.loads(arguments.rows.read_text(encoding="utf-8")))
    except ValueError as error:
        parser.error(str(error))
    write_atomic(arguments.out, to_svg(draw(points)), overwrite=True)


if __name__ == "__main__":
    main()
