"""What files, folders and globs stand for."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from veilface.pipeline.inputs import collect


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(given: list[str | Path], *, output: Path | None = None) -> list[str]:
    found = collect(given, output=output)
    assert not found.problems
    return [source.path.as_posix() for source in found.sources]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_folder_is_walked_and_passes_over_what_is_hidden_or_no_image() -> None:
    touch(Path(), "in/b.JPG", "in/a.png", "in/notes.txt", "in/.hidden.png", "in/.git/x.png")
    touch(Path(), "in/deep/er/c.webp", "in/deep/d.tif")
    found = collect(["in"])
    assert not found.problems
    assert [(s.path.as_posix(), s.folder) for s in found.sources] == [
        ("in/a.png", PurePath()),
        ("in/b.JPG", PurePath()),
        ("in/deep/d.tif", PurePath("deep")),
        ("in/deep/er/c.webp", PurePath("deep/er")),
    ]


def test_named_file_is_taken_whatever_it_is_called() -> None:
    touch(Path(), "photo.heic", ".hidden", "notes.txt")
    assert names(["photo.heic", ".hidden", "notes.txt"]) == ["photo.heic", ".hidden", "notes.txt"]


def test_each_file_once_however_it_is_named() -> None:
    touch(Path(), "in/a.png", "in/b.png")
    assert names(["in/b.png", "in", "./in/../in/a.png", "in/*.png"]) == ["in/b.png", "in/a.png"]


def test_globs() -> None:
    touch(Path(), "in/a.png", "in/b.jpg", "in/x/c.png", "in/x/notes.txt")
    assert names(["in/*.png"]) == ["in/a.png"]
    assert names(["in/**/*.png"]) == ["in/a.png", "in/x/c.png"]
    # a matched file is like a named one: taken, so that its failure is reported
    assert names(["in/x/*"]) == ["in/x/c.png", "in/x/notes.txt"]
    # a matched folder is walked
    assert names(["i*"]) == ["in/a.png", "in/b.jpg", "in/x/c.png"]


def test_name_with_glob_characters_that_exists_is_that_file() -> None:
    touch(Path(), "photo[1].png", "photo1.png")
    assert names(["photo[1].png"]) == ["photo[1].png"]


def test_output_folder_inside_the_input_folder_is_no_input() -> None:
    touch(Path(), "in/a.png", "in/out/a.veil.png", "in/out/other.png")
    assert names(["in"], output=Path("in/out")) == ["in/a.png"]
    assert names(["in"], output=Path("elsewhere")) == [
        "in/a.png",
        "in/out/a.veil.png",
        "in/out/other.png",
    ]


def test_output_folder_that_is_the_input_folder_keeps_its_photos() -> None:
    touch(Path(), "a.png", "b.png", "a.veil.png", "b.veil-2.jpg", "deep/c.veil.png", "veil.png")
    assert names(["."], output=Path()) == ["a.png", "b.png", "veil.png"]
    assert names(["*.png"], output=Path()) == ["a.png", "b.png", "veil.png"]


def test_named_output_is_an_input() -> None:
    touch(Path(), "out/a.veil.png")
    assert names(["out/a.veil.png"], output=Path("out")) == ["out/a.veil.png"]


def test_inputs_that_yield_nothing_are_problems_and_the_rest_goes_on() -> None:
    touch(Path(), "empty/notes.txt", "a.png")
    found = collect(["empty", "missing.png", "*.gif", "a.png"])
    assert [source.path.name for source in found.sources] == ["a.png"]
    assert [problem.given for problem in found.problems] == ["empty", "missing.png", "*.gif"]
    assert [problem.sentence for problem in found.problems] == [
        "the folder empty contains no images that are read, but 1 other files or folders",
        "missing.png does not exist",
        "no file matches *.gif",
    ]


def test_link_in_a_circle_ends() -> None:
    touch(Path(), "in/a.png")
    Path("in/loop").symlink_to(Path("in").resolve(), target_is_directory=True)
    assert names(["in"]) == ["in/a.png"]
