"""The table of data sets: what every reader and every refusal has in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from tests.datasets import layouts
from veilface.datasets import DATASETS, load_faces
from veilface.datasets.matlab import read_matlab
from veilface.errors import DatasetError, UnknownNameError

LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "lfw": layouts.lfw,
    "celeba": layouts.celeba,
    "agedb": layouts.agedb_protocol,
    "calfw": layouts.calfw,
    "cplfw": layouts.cplfw,
    "cfp-ff": layouts.cfp,
    "cfp-fp": layouts.cfp,
    "folders": layouts.lfw,
}


def test_every_set_but_bin_has_a_layout_here() -> None:
    assert set(LAYOUTS) | {"bin"} == set(DATASETS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_records_are_sorted_unique_and_there(name: str, tmp_path: Path) -> None:
    faces = load_faces(name, LAYOUTS[name](tmp_path))
    names = [record.name for record in faces.records]
    assert names == sorted(set(names))
    for record in faces.records:
        assert record.identity
        assert isinstance(record.source, Path)
        assert record.source == tmp_path / record.name
        assert record.source.is_file()
    assert sum(map(len, faces.identities.values())) == len(names)
    if faces.pairs is not None:
        assert set(faces.pairs.images) <= set(names)
        assert {faces.pairs.records[i] for i in faces.pairs.images} <= set(faces.records)


@pytest.mark.parametrize("name", DATASETS)
def test_a_missing_set_says_what_is_expected_where_and_who_has_it(
    name: str, tmp_path: Path
) -> None:
    info = DATASETS[name]
    missing = tmp_path / "nowhere"
    with pytest.raises(DatasetError) as caught:
        load_faces(name, missing)
    sentence = str(caught.value)
    assert str(missing) in sentence
    assert f"'{name}' is {info.layout} (distributed by {info.home})" in sentence
    assert "\n" not in sentence


def test_the_page_agrees_with_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(DATASETS)
    for row, info in zip(rows, DATASETS.values(), strict=True):
        assert info.summary in row
        assert info.home in row


def test_an_unknown_name_lists_those_that_are() -> None:
    with pytest.raises(UnknownNameError, match="unknown data set 'lwf'; did you mean 'lfw'") as e:
        load_faces("lwf", ".")
    assert all(re.search(rf"\b{name}\b", str(e.value)) for name in DATASETS)


@pytest.mark.parametrize("compressed", [True, False])
def test_matlab_files_read_as_scipy_reads_them(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "some.mat"
    cells = np.empty((2, 2), object)
    cells[:] = [["a", "bc"], [np.arange(6.0).reshape(2, 3), ""]]
    content = {
        "cells": cells,
        "one": {"name": "Zoë", "age": np.uint8(70), "deep": {"x": np.array([[1.5, -2.0]])}},
        "many": np.array([(1.0, "p"), (2.0, "q")], [("n", object), ("t", object)]),
        "short": np.arange(3, dtype=np.int16),
        "wide": np.array([2**40], np.int64),
    }
    scipy.io.savemat(path, content, do_compression=compressed)
    found, oracle = read_matlab(path), scipy.io.loadmat(path, simplify_cells=True)
    assert found["cells"][0] == oracle["cells"][0, 0]
    assert found["cells"][2] == oracle["cells"][0, 1]
    assert found["cells"][1].tolist() == oracle["cells"][1, 0].ravel(order="F").tolist()
    assert found["one"]["name"] == oracle["one"]["name"] == "Zoë"
    assert found["one"]["age"].item() == oracle["one"]["age"]
    assert found["one"]["deep"]["x"].tolist() == oracle["one"]["deep"]["x"].tolist()
    assert [record["t"] for record in found["many"]] == [r["t"] for r in oracle["many"]]
    assert found["short"].tolist() == oracle["short"].tolist()
    assert found["wide"].tolist() == [2**40]


def test_what_is_no_matlab_file_is_refused(tmp_path: Path) -> None:
    root = layouts.agedb_protocol(tmp_path)
    path = root / "04_FINAL_protocol_30_years.mat"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(DatasetError, match="damaged MATLAB file"):
        load_faces("agedb", root)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(200))
    with pytest.raises(DatasetError, match=r"not a MATLAB file of level 5 .*-v7"):
        load_faces("agedb", root)
    scipy.io.savemat(path, {"splits": np.zeros(3)})
    with pytest.raises(DatasetError, match="does not hold the splits"):
        load_faces("agedb", root)
