from __future__ import annotations

from benchmarks.study.tables import HEAD, line
from veilface.evaluation.results import Row
from veilface.measures.intervals import Estimate, wilson


def row(target: str, **picked: Estimate) -> Row:
    measures = {
        name: wilson(2, 20)
        for name in ("ssim", "yunet", "link_ncc", "link_hog", "link_lbp", "fmr_pp")
    }
    scores = {"source": [0.9] * 20, "xdr": [0.2] * 20, "threshold": {"0.001": 0.5}}
    return Row("mine", "preset", {}, target, (), 20, measures | picked, {}, scores)


def picks(sface: int, dlib: int) -> dict[str, Estimate]:
    return {
        "lineup_sface": wilson(sface, 20),
        "lineup_dlib": wilson(dlib, 20),
        "lineup_mean": wilson((sface + dlib) / 2, 20),
    }


def test_blurred_recognisers_stand_beside_the_older_measures() -> None:
    rows = [row("a", **picks(2, 4)), row("b", **picks(6, 8))]
    cells = [cell.strip() for cell in line("mine", rows, seed=0).strip("|").split("|")]
    assert len(cells) == len(HEAD)
    found = dict(zip(HEAD, cells, strict=True))["line-up, blurred"]
    assert found.startswith(".250 [")
    assert found.endswith("(sface .20, dlib .30)")


def test_without_the_fetched_networks_the_cell_is_empty() -> None:
    cells = [cell.strip() for cell in line("mine", [row("a")], seed=0).strip("|").split("|")]
    assert dict(zip(HEAD, cells, strict=True))["line-up, blurred"] == "–"
