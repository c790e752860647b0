"""The code in README and docs does what it says."""

from __future__ import annotations

import os
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from skimage import data

from tests.fixtures.people import synthetic_people
from tests.fixtures.program import command
from tests.fixtures.quick import make_quick
from veilface.cli.main import app

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
ELSEWHERE = "<!-- needs: downloads -->"
"""Stands before a block that cannot run here; its options are looked up all the same."""

_BLOCK = re.compile(r"(?P<before>[^\n]*)\n```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)
_PLACES = ("LFW", "onnx:", "fetch", "lfw")  # data and weights that are not in the repository


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    code: str
    runs: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text()
        for found in _BLOCK.finditer(text):
            yield Block(
                page.name,
                text[: found.start("code")].count("\n") + 1,
                found["language"],
                found["code"],
                ELSEWHERE not in found["before"],
            )


BLOCKS = list(blocks())
COMMANDS = [
    (str(block), line.split("  #")[0].strip())
    for block in BLOCKS
    for line in block.code.splitlines()
    if line.startswith("veilface ")
]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photo, a folder of photos, people, and a quick `veilface` on the path."""
    monkeypatch.chdir(tmp_path)
    photo = Image.fromarray(data.astronaut())
    photo.save("photo.jpg", quality=95)
    (tmp_path / "photos").mkdir()
    for number in range(2):
        photo.rotate(2 * number).save(f"photos/{number}.jpg", quality=95)
    for record in synthetic_people(3, alone=2).records:
        assert isinstance(record.source, bytes)
        path = tmp_path / "faces" / record.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record.source)
    program = tmp_path / "bin" / "veilface"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(command())} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "none"))  # a bare installation
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_there_are_blocks() -> None:
    assert len([block for block in BLOCKS if block.language == "python"]) >= 5
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize(("where", "line"), COMMANDS)
def test_commands_and_options_exist(where: str, line: str) -> None:
    words = shlex.split(line)[1:]
    if words == ["..."]:
        return
    found: Any = typer.main.get_command(app)
    while hasattr(found, "commands") and words and words[0] in found.commands:
        found = found.commands[words.pop(0)]
    assert not hasattr(found, "commands") or not words or words[0].startswith("-"), where
    known = {name for option in found.params for name in (*option.opts, *option.secondary_opts)}
    known.add("--help")
    assert {word.split("=")[0] for word in words if re.match("--?[a-z]", word)} <= known, where


@pytest.mark.parametrize(
    "block",
    [b for b in BLOCKS if b.language == "python" and b.runs and "LFW" not in b.code],
    ids=str,
)
@pytest.mark.usefixtures("workshop")
def test_python(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)
    exec(compile(block.code, str(block), "exec"), {"__name__": "docs"})  # noqa: S102 - ours


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
@pytest.mark.parametrize("page", ["README.md", "gallery.md", "guide.md"])
def test_shell(page: str, workshop: Path) -> None:
    """The blocks of a page one after the other, as somebody who follows it types them."""
    lines = [
        line
        for block in BLOCKS
        if block.page == page and block.runs and block.language in ("", "sh")
        for line in block.code.splitlines()
        if not (line.startswith(("make", "pip")) or any(place in line for place in _PLACES))
    ]
    # Two steps against tiny networks do not make a match; that there is an answer is what counts.
    asking = ("veilface verify", "veilface gallery find")
    script = "\n".join(
        f"{line.split('  #')[0]} || [ $? -eq 1 ]" if line.startswith(asking) else line
        for line in lines
    )
    assert "veilface protect" in script
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=workshop, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert (workshop / "out" / "photo.veil.png").is_file()


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as its readers derive them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
        goal = page.parent / target if target else page
        assert goal.exists(), target
        assert not anchor or anchor in anchors(goal), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """A page that says where something is says so of this repository."""
    named = re.findall(
        r"`((?:src|docs|tests|tools|benchmarks|examples)/[\w./-]+)`", page.read_text()
    )
    assert [path for path in named if not (REPOSITORY / path.split("NAME")[0]).exists()] == []


def test_what_the_reference_names_exists() -> None:
    names = re.findall(r"^::: (\S+)$", (REPOSITORY / "docs" / "reference.md").read_text(), re.M)
    assert len(names) > 10
    for name in names:
        assert pkgutil.resolve_name(name).__doc__, name


def test_the_notice_names_everything_that_is_redistributed() -> None:
    """Whatever the wheel carries besides code and pages of our own is named with its origin."""
    notice = (REPOSITORY / "NOTICE").read_text()
    carried = [
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "src" / "veilface").rglob("*")
        if path.is_file()
        and path.suffix not in {".py", ".pyc", ".typed", ".html", ".css", ".js", ".md", ".mako"}
    ]
    assert len(carried) >= 2
    assert [path for path in carried if path not in notice] == []
