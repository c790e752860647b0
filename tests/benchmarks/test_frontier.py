"""The picture of viewers against recognisers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from benchmarks.frontier import draw, main, read_points
from veilface.measures.intervals import wilson

ROWS = [
    {
        "label": "mine & yours",
        "viewers": {"right": 9, "n": 60},
        "xdr": {"value": 0.9, "low": 0.85, "high": 0.94, "n": 128},
    },
    {
        "label": "blur",
        "viewers": {"right": 60, "n": 60},
        "xdr": {"value": 0.67, "low": 0.6, "high": 0.74, "n": 128},
        "kind": "control",
    },
]


def test_points_carry_their_intervals() -> None:
    mine, blur = read_points(ROWS)
    assert (mine.picked, mine.matched.n, mine.kind == "control") == (wilson(9, 60), 128, False)
    assert (blur.picked.value, blur.kind == "control") == (1, True)
    (axes,) = draw([mine, blur]).axes
    across, up, *_ = (
        lines.get_segments()[0] for lines in axes.collections if isinstance(lines, LineCollection)
    )
    np.testing.assert_allclose(across, [(mine.picked.low, 0.9), (mine.picked.high, 0.9)])
    np.testing.assert_allclose(up, [(0.15, 0.85), (0.15, 0.94)])
    assert {text.get_text() for text in axes.texts} == {"guessing", "mine & yours", "blur"}


@pytest.mark.parametrize(
    "row",
    [
        {"label": "x", "viewers": {"right": 3, "n": 2}, "xdr": ROWS[0]["xdr"]},
        {"label": "x", "viewers": {"right": 1, "n": 2}, "xdr": 0.9},
        {"viewers": {"right": 1, "n": 2}, "xdr": ROWS[0]["xdr"]},
    ],
)
def test_a_row_that_is_none_is_named(row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="row 2 is not"):
        read_points([ROWS[0], row])


def test_equal_rows_write_equal_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, out = tmp_path / "rows.json", tmp_path / "frontier.svg"
    rows.write_text(json.dumps(ROWS), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["frontier", str(rows), "--out", str(out)])
    main()
    first = out.read_bytes()
    main()
    assert first == out.read_bytes()
    assert first.startswith(b"<?xml")
