"""What viewers get says nothing about the key, and can be answered with a keyboard."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.lineups import control_images, named_material
from veilface.errors import AnswersError, ShapeError
from veilface.evaluation.asking.conditions import Condition
from veilface.evaluation.asking.key import KEY, Key, read_key
from veilface.evaluation.asking.make import write_lineups
from veilface.evaluation.asking.panels import CANDIDATE, FACE
from veilface.imaging.tensors import to_uint8

VIEWERS = 3


def write(
    folder: Path, *, last: str = "Example", labels: tuple[str, str] = ("clean", "blur")
) -> Key:
    material = named_material(last=last)
    images = control_images(material, "clean", "blur")
    named = {
        replace(one, label=label): stack
        for (one, stack), label in zip(images.items(), labels, strict=True)
    }
    return write_lineups(material, named, viewers=VIEWERS, seed=4, folder=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lineups")
    write(made)
    return made


def shown(folder: Path) -> dict[str, bytes]:
    """Everything but the key."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != KEY
    }


def test_each_viewer_has_a_folder_and_the_key_is_apart(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        KEY, *(f"viewer-{k}" for k in range(1, VIEWERS + 1))
    ]  # fmt: skip
    for viewer in range(1, VIEWERS + 1):
        assert sorted(path.name for path in (folder / f"viewer-{viewer}").iterdir()) == [
            f"answers-{viewer}.csv", "instructions.txt", "lineup.html", "sheet-1.png", "sheet-2.png"
        ]  # fmt: skip


def test_other_people_and_other_conditions_of_the_same_look_make_the_same_files(
    folder: Path, tmp_path: Path
) -> None:
    write(tmp_path, last="Somebody", labels=("protected by magic", "not at all"))
    assert shown(folder) == shown(tmp_path)
    assert (folder / KEY).read_bytes() != (tmp_path / KEY).read_bytes()


def test_no_file_of_a_viewer_holds_a_word_of_the_key(folder: Path) -> None:
    key = read_key(folder)
    words = {"blur", "clean", "Generated", KEY}
    for case in (case for cases in key.viewers.values() for case in cases):
        words |= {case.person, case.source, *case.candidates}
    for name, data in shown(folder).items():
        for word in words:
            assert word not in name
            assert word.encode() not in re.sub(rb"base64,[A-Za-z0-9+/=]+", b"", data), (name, word)


def test_sheets_carry_no_metadata_and_have_sizes_of_their_places(folder: Path) -> None:
    sizes = set()
    for path in sorted(folder.glob("*/sheet-*.png")):
        kinds, data, at = [], path.read_bytes(), 8
        while at < len(data):
            length = int.from_bytes(data[at : at + 4], "big")
            kinds.append(data[at + 4 : at + 8])
            at += 12 + length
        assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
        with Image.open(path) as sheet:
            sizes.add((path.name, sheet.size))
    assert len(sizes) == 2, "five cases, and the sixth"


def test_a_sheet_shows_what_the_key_says(folder: Path) -> None:
    material = named_material()
    blurred = control_images(material, "blur")[Condition("blur", protector="blur")]
    case = next(case for case in read_key(folder).viewers[1][:5] if case.condition == "blur")
    person = [record.name for record in material.sources].index(case.source)
    with Image.open(folder / "viewer-1" / "sheet-1.png") as sheet:
        pixels = np.asarray(sheet)
    for face, side in ((blurred[person], FACE), (material.faces[person], CANDIDATE)):
        tile = Image.fromarray(np.ascontiguousarray(to_uint8(face)))
        wanted = np.asarray(tile.resize((side, side), Image.Resampling.LANCZOS))
        windows = np.lib.stride_tricks.sliding_window_view(pixels[..., 1], (1, side))[:, :, 0]
        rows, columns = np.nonzero((windows == wanted[0, :, 1]).all(axis=2))
        assert any(
            np.array_equal(pixels[y : y + side, x : x + side], wanted)
            for y, x in zip(rows, columns, strict=True)
        )


class Page(HTMLParser):
    """Addresses, scripts and identifiers of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.names: set[str] = set()
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [found[name] or "" for name in ("src", "href") if name in found]
        self.names |= {found["id"] or ""} if "id" in found else set()
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""


def test_the_page_is_self_contained_and_says_consent_first(folder: Path) -> None:
    text = (folder / "viewer-2" / "lineup.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.addresses == []
    assert "default-src 'none'" in page.policy
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\(", text)
    data = json.loads(text.split('type="application/json">')[1].split("</script>")[0])
    assert (data["viewer"], data["task"], len(data["cases"])) == (2, "pick", 6)
    assert all(len(case["candidates"]) == 10 for case in data["cases"])
    body = text[text.index("<body>") :]
    assert body.index("Taking part is voluntary") < body.index("I agree and start")


def test_the_page_listens_to_every_key_that_it_names_and_knows_its_elements(folder: Path) -> None:
    text = (folder / "viewer-1" / "lineup.html").read_text(encoding="utf-8")
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    for key in ("ArrowLeft", "ArrowRight", "Enter", "Backspace", "/^[0-9]$/"):
        assert key in script
    used = set(re.findall(r'\$\("(\w+)"\)', script)) - {"name"}  # of the other task
    assert used <= Page(text).names
    assert script.count("{") == script.count("}")


def test_a_name_is_asked_without_candidates(tmp_path: Path) -> None:
    material = named_material(task="name")
    key = write_lineups(
        material, control_images(material, "clean", "blur"), viewers=1, seed=0, folder=tmp_path
    )
    assert all(case.candidates == () for case in key.viewers[1])
    assert (
        (tmp_path / "viewer-1" / "answers-1.csv")
        .read_text()
        .startswith("case,name,confidence\n1,,\n")
    )
    text = (tmp_path / "viewer-1" / "lineup.html").read_text(encoding="utf-8")
    assert {"name", "sure"} < Page(text).names
    assert "ten" not in Page(text).names
    assert read_key(tmp_path) == key


def test_line_ups_are_not_written_over(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / KEY, tmp_path / KEY)
    with pytest.raises(AnswersError, match="holds line-ups already"):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [KEY]


def test_images_of_other_people_than_asked_about_are_refused(tmp_path: Path) -> None:
    material = named_material()
    images = {one: stack[:3] for one, stack in control_images(material, "clean").items()}
    with pytest.raises(ShapeError, match="clean has"):
        write_lineups(material, images, viewers=1, seed=0, folder=tmp_path)
