from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.fixtures.evaluations import example
from tests.fixtures.faces import synthetic_faces
from veilface.errors import MissingExtraError
from veilface.evaluation.report.page import render, write_report
from veilface.evaluation.report.tables import recognition_table, targets, visibility_table
from veilface.evaluation.results import Evaluation, Pictures


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.tables = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [found[key] or "" for key in ("src", "href") if key in found]
        self.tables += tag == "table"
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def text() -> str:
    faces = synthetic_faces(2)
    pictures = (Pictures("persona (dlib)", faces, faces.flip(0)),)
    return render(replace(Evaluation.from_dict(example()), pictures=pictures))


def test_the_page_is_whole_and_refers_to_nothing_outside(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert page.tables == 3  # images, and a table a target
    assert len(page.addresses) == 1 + 2 * 3  # a sheet, and three plots a target
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert "<script" not in text
    assert "@import" not in text


def test_the_page_says_what_was_run(text: str) -> None:
    for said in ("veilface evaluate --dataset folders", "seed 0", "13 min on cpu", "2 cores"):
        assert said in text
    assert "40 images of 40 people" in re.sub(r"\s+", " ", text)


def test_flags_reasons_and_privacy_are_said(text: str) -> None:
    assert "the source is as similar as no change at all" in text
    assert "keep it to yourself" in text


def test_names_of_the_user_cannot_become_markup_and_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("an older report", encoding="utf-8")
    document = example(targets=["dlib"])
    document["dataset"]["name"] = "<script>alert(1)</script>"
    write_report(Evaluation.from_dict(document), path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "<script>" not in text
    assert "keep it to yourself" not in text  # there are no photographs in it
    assert list(tmp_path.iterdir()) == [path]


def test_without_the_extra_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "veilface.evaluation.report.page")
    with pytest.raises(
        MissingExtraError, match=r"jinja2 is needed .*pip install jinja2 matplotlib"
    ):
        __import__("veilface.evaluation.report.page")


def test_tables_put_controls_last_and_a_stranger_under_them() -> None:
    whole = Evaluation.from_dict(example())
    lines = visibility_table(whole).lines
    assert [line.label for line in lines] == [
        "persona (sface)",
        "paper (sface)",
        "persona (dlib)",
        "paper (dlib)",
        "clean",
        "blur",
        "noise",
        "a stranger",
    ]
    assert [line.kind for line in lines][-2:] == ["control", "level"]
    found = targets(whole)
    assert list(found) == ["dlib", "sface"]
    assert [line.label for line in recognition_table("dlib", found["dlib"]).lines][:2] == [
        "persona",
        "paper",
    ]


def test_cells_hold_value_interval_chance_and_reason() -> None:
    document = example()
    row = document["rows"][0]
    row["measures"] = {
        "ssim": {"value": 0.2, "low": 0.15, "high": 0.25, "n": 40},
        "age_error": {"value": 4.25, "low": 3.0, "high": 5.5, "n": 40},
        "age_error_chance": {"value": 11.04, "low": 10.0, "high": 12.0, "n": 40},
    }
    document["rows"][1]["measures"] = {"ssim": None}
    document["rows"][1]["reasons"] = {"ssim": "no image"}
    document["rows"] = document["rows"][:2]
    table = visibility_table(Evaluation.from_dict(document))
    assert [column.title for column in table.columns] == ["SSIM", "age error"]
    first, second, _ = table.lines
    assert (first.cells[0].value, first.cells[0].interval) == (".200", "[.150, .250]")
    assert (first.cells[1].value, first.cells[1].chance) == ("4.2", "chance 11.0")
    assert (second.cells[0].value, second.cells[0].reason) == ("–", "no image")
    assert table.notes == ("SSIM: no image",)
