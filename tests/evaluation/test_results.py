from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

from veilface.evaluation.results import Evaluation, Row, to_csv
from veilface.evaluation.table import MEASURES
from veilface.measures.intervals import Estimate, wilson


def evaluation() -> Evaluation:
    row = Row(
        protector="persona",
        kind="preset",
        parameters={"steps": 2},
        target="sface",
        surrogates=("dlib", "faceres"),
        images=4,
        measures={
            "source": wilson(3, 4),
            "psnr": Estimate(math.inf, math.inf, math.inf, 4),
            "mesh_found": wilson(4, 4),
        },
        reasons={"lpips": "no weights"},
        scores={"xdr": [0.5]},
    )
    return Evaluation(
        dataset={"name": "Generated", "people": 4, "images": 8, "gallery": 4},
        rows=(row, row.flagged(["look, here"])),
        stranger={"ssim": Estimate(0.2, 0.1, 0.3, 4)},
        failures={"broken.png": "is no image"},
        seed=3,
        seconds=12.345,
        protecting={"seconds": 10.0, "protected": 4, "found": 0},
        device="cpu",
        cores=2,
    )


def test_document_is_strict_json() -> None:
    document = replace(evaluation(), command="veilface evaluate").to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["machine"] == {"device": "cpu", "cores": 2}
    assert (document["seconds"], document["seed"]) == (12.3, 3)
    first, second = document["rows"]
    assert set(MEASURES) < set(first["measures"])
    assert first["measures"]["source"] == {"value": 0.75, "low": 0.300642, "high": 0.954413, "n": 4}
    assert first["measures"]["psnr"] is None, "JSON has no infinity"
    assert first["measures"]["lpips"] is None
    assert first["measures"]["mesh_found"]["value"] == 1
    assert (first["flags"], second["flags"]) == ([], ["look, here"])


def test_table_reads_back() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(evaluation().to_dict()))))
    assert len(rows) == 2
    assert rows[0]["surrogates"] == "dlib faceres"
    assert (rows[0]["source"], rows[0]["source_high"]) == ("0.75", "0.954413")
    assert rows[0]["lpips"] == rows[0]["lpips_low"] == ""
    assert rows[1]["flags"] == "look, here"


def test_a_document_reads_back() -> None:
    document = replace(evaluation(), command="veilface evaluate").to_dict()
    found = Evaluation.from_dict(json.loads(json.dumps(document)))
    assert found.to_dict() == document
    assert (found.device, found.cores, found.command) == ("cpu", 2, "veilface evaluate")
    (row, flagged), (first, _) = found.rows, evaluation().rows
    assert row == replace(first, measures=row.measures)
    assert flagged.flags == ("look, here",)
    assert row.figures == row.measures
    assert set(row.measures) == set(first.figures) == {"source", "mesh_found"}, "no infinity"
    assert row.measures["source"].value == 0.75
