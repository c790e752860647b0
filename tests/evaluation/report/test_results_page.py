from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.fixtures.evaluations import example
from tests.fixtures.faces import synthetic_faces
from tools.build_results_page import BEGIN, DOCS, END, main
from veilface.evaluation.report.sheets import write_published
from veilface.evaluation.results import Pictures
from veilface.paper.comparison import Comparison, Line


@pytest.fixture
def documents(tmp_path: Path) -> list[str]:
    run = tmp_path / "run"
    run.mkdir()
    document = example(targets=["sface"])
    document["command"] = (
        "veilface evaluate --dataset lfw --root '/home/me/LFW 112' -o=out --limit 9"
    )
    document["rows"][0]["flags"] = ["the photo is still there"]
    table = Comparison(
        "table2", "Table 2: accuracy", ("dlib",), (Line("Ours", "published", (1.0,)),)
    )
    for name, content in (("evaluation.json", document), ("table2.json", table.to_dict())):
        (run / name).write_text(json.dumps(content), encoding="utf-8")
    faces = synthetic_faces(2)
    write_published([Pictures("persona (sface)", faces, faces.flip(0))], run)
    (run / "photographs.png").write_bytes(b"nobody may see this")
    return [str(run / "evaluation.json"), str(run / "table2.json")]


def test_the_page_holds_tables_plots_and_protected_images_only(
    documents: list[str], tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    main(documents, docs=docs)
    page = (docs / "results.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page)
    assert sorted(shown) == [
        "images/results/1-generated-protected-persona.png",
        "images/results/1-generated-sface-det.svg",
        "images/results/1-generated-sface-scores.svg",
    ]
    assert sorted(
        f"images/results/{p.name}" for p in (docs / "images/results").iterdir()
    ) == sorted(shown)
    assert "veilface evaluate --dataset lfw --root DIR -o=DIR --limit 9" in page
    assert "/home/me" not in page
    assert "13 min on cpu with 2 cores, of which 10 min protected 80 images" in page
    assert "| **persona** |" in page
    assert "| a stranger |" in page
    assert "- **persona** (sface): the photo is still there" in page
    assert "**Table 2: accuracy**" in page
    for line in page.splitlines():
        if line.startswith("| ---"):
            assert set(line) <= set("| -")


def test_building_again_changes_nothing_and_keeps_the_reading(
    documents: list[str], tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    main(documents, docs=docs)
    page = docs / "results.md"
    written = page.read_text(encoding="utf-8")
    page.write_text(written.replace(BEGIN, f"{BEGIN}\n## Reading\n\nBelow the paper."), "utf-8")
    (docs / "images/results/old.svg").write_text("an image of an earlier run", "utf-8")
    main(documents, docs=docs)
    again = page.read_text(encoding="utf-8")
    assert "## Reading\n\nBelow the paper." in again
    assert re.sub(f"{BEGIN}.*{END}", "", again, flags=re.S) == re.sub(
        f"{BEGIN}.*{END}", "", written, flags=re.S
    )
    assert not (docs / "images/results/old.svg").exists()


@pytest.mark.parametrize("name", ["table1", "table2"])
def test_the_papers_tables_are_those_of_their_documents(name: str) -> None:
    path = DOCS.parent / "benchmarks" / "documents" / f"{name}.json"
    table = Comparison.from_dict(json.loads(path.read_text(encoding="utf-8")))
    assert table.to_markdown().strip() in (DOCS / "results.md").read_text(encoding="utf-8")
