"""Names that are no text, or that a terminal would obey; and names that say nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from tests.fixtures.photos import photo_pixels
from tests.fixtures.program import command
from tests.fixtures.quick import make_quick
from veilface.cli.main import app
from veilface.text import is_safe, printable

ODD = (b"caf\xe9.png", b"two\nlines.png", b"\x1b[2J\x1b]0;title\x07.png", "\u202egnp.png".encode())


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes")
def test_no_name_ends_a_batch_or_reaches_the_terminal_raw() -> None:
    Image.fromarray(photo_pixels(1)).save("in/good.png")
    for name in ODD:
        Path(os.fsdecode(b"in/" + name)).write_bytes(Path("in/good.png").read_bytes())
    Path(os.fsdecode(b"in/bad\xff\n.png")).write_bytes(b"no photo")
    Path(os.fsdecode(b"in/over\xff\n.txt")).touch()
    done = subprocess.run(command("protect", "in", "-o", "out"), capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    text = (done.stdout + done.stderr).decode()
    assert "Traceback" not in text
    assert all(is_safe(c) for c in text if c != "\n")
    assert r"in/caf\udce9.png: 1 face" in text
    assert r"in/two\nlines.png: 1 face" in text
    assert r"passed over: in/over\udcff\n.txt" in text
    assert "5 done, 1 failed, 1 passed over" in text
    names = [os.fsencode(path).decode() for path in Path("out").glob("*.png")]
    assert len(names) == 5
    assert all(is_safe(c) for name in names for c in name)
    again = subprocess.run(
        command("protect", "in", "-o", "out", "--json"), capture_output=True, check=False
    )
    document = json.loads(again.stdout)
    assert document["counts"] == {"done": 0, "skipped": 5, "failed": 1, "passed_over": 1}
    assert all(is_safe(c) for c in again.stdout.decode() if c != "\n")
    inputs = {entry["input"] for entry in document["files"]}
    assert inputs >= {f"in/{os.fsdecode(name)}" for name in ODD}


def test_a_terminal_of_another_encoding_is_no_obstacle() -> None:
    Image.fromarray(photo_pixels(1)).save("in/zoë.png")
    done = subprocess.run(
        command("protect", "in", "-o", "out"),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
    )
    assert done.returncode == 0, done.stderr
    assert b".png: 1 face" in done.stdout


@given(st.text())
def test_printable_is_one_safe_line_and_keeps_plain_text(text: str) -> None:
    shown = printable(text)
    assert all(is_safe(c) for c in shown)
    if all(is_safe(c) for c in text):
        assert shown == text


def protect(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["protect", *arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_neutral_names_say_nothing_and_a_second_run_knows_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_quick(monkeypatch)
    Path("in/team").mkdir()
    Image.fromarray(photo_pixels(1)).save("in/team/alice.png")
    Image.fromarray(photo_pixels(2)).save("in/alice-and-bob.png")
    protect("in", "-o", "out", "--names", "neutral")
    names = sorted(path.name for path in Path("out").iterdir() if path.suffix == ".png")
    assert len(names) == 3
    assert not any("alice" in name or "team" in name for name in names)
    assert "2 skipped" in protect("in", "-o", "out", "--names", "neutral")
    # a changed photo keeps its name: whoever has the old one can replace it
    Image.fromarray(photo_pixels(1, seed=3)).save("in/team/alice.png")
    protect("in", "-o", "out", "--names", "neutral")
    assert sorted(p.name for p in Path("out").iterdir() if p.suffix == ".png") == names
    assert "available: neutral, source" in protect("in", "-o", "x", "--names", "odd", status=2)


def test_the_folder_that_is_sent_holds_images_and_no_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_quick(monkeypatch)
    Image.fromarray(photo_pixels(1)).save("in/alice.png")
    protect("in", "-o", "out", "--names", "neutral")
    for path in Path("out").iterdir():
        assert path.suffix == ".png" or path.read_bytes() == b""
        assert b"alice" not in path.read_bytes()
    record = Path("out.veilface.jsonl")
    assert json.loads(record.read_text())["input"] == "in/alice.png"
    protect("in", "-o", "two", "--manifest", "kept/elsewhere.jsonl", status=1)
    Path("kept").mkdir()
    protect("in", "-o", "two", "--manifest", "kept/elsewhere.jsonl")
    assert not Path("two.veilface.jsonl").exists()
    assert "1 skipped" in protect("in", "-o", "two", "--manifest", "kept/elsewhere.jsonl")


def test_the_record_of_a_former_version_moves_out_of_the_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_quick(monkeypatch)
    Image.fromarray(photo_pixels(1)).save("in/alice.png")
    protect("in", "-o", "out")
    Path("out.veilface.jsonl").rename("out/veilface-manifest.jsonl")
    assert "1 skipped" in protect("in", "-o", "out")
    assert not Path("out/veilface-manifest.jsonl").exists()
