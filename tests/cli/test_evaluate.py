from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fixtures.people import synthetic_people
from veilface.cli.main import app


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faces")
    for record in synthetic_people(3, alone=3).records:
        assert isinstance(record.source, bytes)
        (root / record.name).parent.mkdir(exist_ok=True)
        (root / record.name).write_bytes(record.source)
    (root / "person000" / "2.png").write_bytes(b"no image")
    return root


@pytest.fixture(scope="module", autouse=True)
def _without_fetched_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEILFACE_CACHE", str(tmp_path_factory.mktemp("none")))
        yield


def run(root: Path, output: Path, *options: str) -> Result:
    command = ["evaluate", "--dataset", "folders", "--root", str(root), "-o", str(output)]
    return CliRunner().invoke(app, [*command, "--targets", "dlib", "--device", "cpu", *options])


def test_folder_of_results(faces: Path, tmp_path: Path) -> None:
    made = run(faces, tmp_path, "--preset", "clean,negative", "--no-controls", "--no-adr")
    assert made.exit_code == 0, made.output
    assert "6 people, a gallery of 3" in made.stdout
    lines = {line.split()[0]: line for line in made.stdout.splitlines() if line.strip()}
    assert {"clean", "negative"} < set(lines)
    # six people: every figure stands with its interval
    assert re.search(r"1\.000 \[0\.\d+, 1\.000\] of \d", lines["clean"])
    assert "measuring: 2" in made.stderr
    document = json.loads((tmp_path / "evaluation.json").read_text())
    assert [row["protector"] for row in document["rows"]] == ["clean", "negative"]
    with (tmp_path / "table.csv").open() as file:
        assert [row["protector"] for row in csv.DictReader(file)] == ["clean", "negative"]
    page = (tmp_path / "report.html").read_text()
    assert "negative" in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "")
    assert (tmp_path / "cache").is_dir()


def test_a_report_of_controls_alone(faces: Path, tmp_path: Path) -> None:
    made = run(faces, tmp_path, "--preset", "blur", "--no-controls", "--no-adr")
    assert made.exit_code == 0, made.output
    assert "blur" in (tmp_path / "report.html").read_text()


def test_one_document_on_stdout(faces: Path, tmp_path: Path) -> None:
    first, second = (
        run(faces, tmp_path, "--preset", "clean", "--no-controls", "--limit", "2", "--json")
        for _ in range(2)
    )
    assert first.exit_code == 0, first.output
    document = json.loads(first.stdout)
    assert document["rows"] == json.loads(second.stdout)["rows"]
    assert document["dataset"]["people"] == 2
    assert document["rows"][0]["measures"]["adr"]["n"] == 2
    assert document["command"].split()[0] == "veilface"


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--preset", "personna"), 2, "did you mean 'persona'"),
        (("--surrogates", "dlib"), 1, "the target dlib leaves no surrogate"),
        (("--limit", "1", "--preset", "blur"), 1, "a limit of 1 people"),
        (("--surrogates", "dlip"), 2, "did you mean 'dlib'"),
        (("--draws", "0"), 2, "draws"),
    ],
)
def test_sentences(
    faces: Path, tmp_path: Path, options: tuple[str, ...], status: int, words: str
) -> None:
    made = run(faces, tmp_path, *options)
    assert made.exit_code == status
    assert words in made.stderr
    assert not (tmp_path / "evaluation.json").exists()


def test_no_such_set(tmp_path: Path) -> None:
    made = run(tmp_path / "missing", tmp_path, "--json")
    assert made.exit_code == 1
    assert "error" in json.loads(made.stdout)
