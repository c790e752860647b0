"""Bad inputs: one sentence each, exit status 1, the rest goes on, nothing else on the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.fixtures.bad_files import BAD
from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import make_quick
from veilface.cli.main import app
from veilface.core.files import MAX_BYTES


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_quick(monkeypatch, steps=1)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo_pixels(1)).save("good.png")


def check(name: str, words: str) -> None:
    """Run the command on a bad input before a good one and look at everything it leaves."""
    before = {path: path.lstat().st_size for path in Path().iterdir()}
    result = CliRunner().invoke(app, ["protect", name, "good.png", "-o", "out"])
    assert result.exit_code == 1, result.output
    # On a busy machine the good photo takes long enough for a line about the progress.
    (line,) = (one for one in result.stderr.splitlines() if " done, about " not in one)
    assert line.startswith("failed: ")
    assert name in line
    assert words in line
    assert "1 done, 1 failed; outputs in out" in result.stdout
    assert {path.name for path in Path("out").iterdir()} == {"good.veil.png", ".veilface.lock"}
    made = {Path("out"), Path("out.veilface.jsonl")}
    assert {path: path.lstat().st_size for path in Path().iterdir() if path not in made} == before
    record = Path("out.veilface.jsonl").read_text()
    lines = [json.loads(line) for line in record.splitlines()]
    assert {entry["input"]: (entry["status"], bool(entry["error"])) for entry in lines} == {
        name: ("failed", True),
        "good.png": ("done", False),
    }


def test_there_are_forty() -> None:
    assert len(BAD) + len(ODD) >= 40


@pytest.mark.parametrize("name", BAD)
def test_bad_content(name: str) -> None:
    content, words = BAD[name]
    Path(name).write_bytes(content())
    check(name, words)
    assert Path(name).read_bytes() == content()


def _link() -> None:
    Path("link.jpg").symlink_to("nowhere.jpg")


def _pipe() -> None:
    os.mkfifo("pipe.jpg")


def _sparse() -> None:
    with Path("film.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)


def _own() -> None:
    result = CliRunner().invoke(app, ["protect", "good.png", "-o", "own", "--manifest", "own.txt"])
    assert result.exit_code == 0, result.output
    Path("own/good.veil.png").rename("own.png")


ODD: dict[str, tuple[Callable[[], None], str]] = {
    "nowhere.jpg": (lambda: None, "does not exist"),
    "no/where.jpg": (lambda: None, "does not exist"),
    "link.jpg": (_link, "does not exist"),
    "pipe.jpg": (_pipe, "is not a regular file"),
    "film.jpg": (_sparse, "has more than the 67,108,864 bytes"),
    "own.png": (_own, "was made by veilface already (preset persona)"),
    "*.gone": (lambda: None, "no file matches"),
    "folder": (lambda: Path("folder").mkdir(), "the folder folder contains no images"),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
@pytest.mark.parametrize("name", ODD)
def test_bad_places(name: str) -> None:
    make, words = ODD[name]
    make()
    check(name, words)
