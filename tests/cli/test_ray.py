"""`veilface protect --engine ray`: the same files, words and exit status as in one process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.fixtures.cluster import nodes
from tests.fixtures.photos import photo_pixels
from veilface.cli.main import app

__all__ = ["nodes"]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for k in range(3):
        Image.fromarray(photo_pixels(1, seed=k)).save(f"in/photo{k}.png")
    Path("in/broken.jpg").write_bytes(b"no photo")


def test_covers_on_a_cluster_as_in_one_process(nodes: str) -> None:
    there = ["--engine", "ray", "--address", nodes, "--actors", "2"]
    for place, folder in ((there, "there"), ([], "here")):
        result = CliRunner().invoke(
            app, ["protect", "in", "-o", folder, "--cover", "box", "--json", *place]
        )
        assert result.exit_code == 1, result.output
        document = json.loads(result.stdout)
        assert document["counts"] == {"done": 3, "skipped": 0, "failed": 1, "passed_over": 0}
        assert document["preset"] == "cover-box"
        (error,) = (one["error"] for one in document["files"] if one["error"])
        assert "in/broken.jpg" in error
    mine, theirs = (
        {path.name: path.read_bytes() for path in Path(folder).glob("*.png")}
        for folder in ("there", "here")
    )
    assert len(mine) == 3
    assert mine == theirs
    again = CliRunner().invoke(app, ["protect", "in/photo0.png", "-o", "there", "--cover", "box"])
    assert again.exit_code == 0
    assert "1 skipped" in again.stdout, "what a cluster did, one process need not do again"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--engine", "rey"], "unknown engine 'rey'; did you mean 'ray'? available: process, ray"),
        (["--actors", "2"], "are about a Ray cluster: add --engine ray"),
        (["--address", "auto"], "are about a Ray cluster: add --engine ray"),
    ],
)
def test_wrong_words(given: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["protect", "in", "-o", "out", *given])
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert not Path("out").exists()
