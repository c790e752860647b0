"""The copied values against what the paper's own text says about them."""

from __future__ import annotations

from statistics import fmean

import pytest

from veilface.datasets import DATASETS
from veilface.paper.published import (
    FAMILIES,
    METHODS,
    OURS,
    SETS,
    TABLE_1,
    TABLE_2,
    TABLE_4,
    TABLE_5,
    TABLE_6,
)
from veilface.recognizers.table import RECOGNIZERS


def test_the_averages_are_those_of_the_text() -> None:
    assert 100 * fmean(TABLE_2[OURS].values()) == pytest.approx(96.71, abs=0.005)
    cells = [value for family in TABLE_4.values() for value in family.values()]
    assert 100 * fmean(cells) == pytest.approx(94.21, abs=0.005)


def test_the_tables_agree_with_one_another() -> None:
    assert {family: row["LFW"] for family, row in TABLE_4.items()} == TABLE_2[OURS]
    # Table 2 repeats three surrogates of Table 5 but for FaceNet and CosFace, which repeat four.
    same = {family: TABLE_5[3][family] == TABLE_2[OURS][family] for family in FAMILIES}
    assert [family for family, equal in same.items() if not equal] == ["FaceNet", "CosFace"]
    assert TABLE_6[OURS]["SSIM"] == TABLE_1[OURS]["LFW"]


def test_every_cell_is_there() -> None:
    assert set(TABLE_1) == set(TABLE_2) == {*METHODS, OURS}
    assert all(set(row) == set(SETS) for row in TABLE_1.values())
    assert all(set(row) == set(FAMILIES) for row in (*TABLE_2.values(), *TABLE_5.values()))


def test_names_are_those_of_the_registries() -> None:
    assert set(SETS.values()) <= set(DATASETS)
    assert set(FAMILIES.values()) <= {spec.family for spec in RECOGNIZERS.values()}
