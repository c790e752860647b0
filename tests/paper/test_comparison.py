from __future__ import annotations

import csv
import io
import json

from veilface.measures.intervals import Estimate
from veilface.paper.comparison import Comparison, Line

TABLE = Comparison(
    name="table9",
    title="Table 9: anything",
    columns=("LFW", "CELEBA"),
    lines=(
        Line("Ours", "published", (0.9475, None)),
        Line("persona", "measured", (Estimate(0.98, 0.95, 0.995, 400), "no data")),
    ),
    percent=True,
    notes=("A note.",),
    details=({"target": "dlib"},),
)


def test_a_share_is_printed_in_percent_with_its_interval() -> None:
    assert TABLE.cells()[1:] == [
        ["Ours", "published", "94.75 %", "–"],
        ["persona", "measured", "98.0 % [95.0, 99.5]", "no data"],
    ]


def test_other_figures_are_printed_plainly() -> None:
    plain = Comparison("t", "", ("SSIM",), (Line("a", "measured", (Estimate(0.25, 0.2, 0.3, 9),)),))
    assert plain.cells()[1][2] == ".25 [.20, .30]"


def test_markdown_has_one_line_a_row() -> None:
    text = TABLE.to_markdown().splitlines()
    assert text[0] == "**Table 9: anything**"
    assert text[2:4] == ["|  | origin | LFW | CELEBA |", "| --- | --- | --- | --- |"]
    assert text[-1] == "A note."


def test_csv_keeps_full_precision_and_empty_cells() -> None:
    rows = list(csv.DictReader(io.StringIO(TABLE.to_csv())))
    assert [row["value"] for row in rows] == ["0.9475", "", "0.98", "no data"]
    assert (rows[2]["low"], rows[2]["high"], rows[2]["n"]) == ("0.95", "0.995", "400")


def test_json_brings_the_table_back() -> None:
    assert Comparison.from_dict(json.loads(json.dumps(TABLE.to_dict()))) == TABLE
