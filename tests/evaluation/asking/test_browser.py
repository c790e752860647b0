"""The page in a real browser, by keyboard alone; skipped where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.lineups import control_images, named_material
from veilface.evaluation.asking.answers import read_answers
from veilface.evaluation.asking.key import Key, Task
from veilface.evaluation.asking.make import write_lineups
from veilface.evaluation.asking.score import score

if TYPE_CHECKING:
    from playwright.sync_api import Page

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def page() -> Iterator[Page]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    installed = next(filter(None, map(shutil.which, _BROWSERS)), None)
    with api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        except api.Error as error:
            pytest.skip(f"no Chromium to open a page with: {error.message.splitlines()[0]}")
        opened = browser.new_page()
        opened.set_default_timeout(10_000)
        yield opened
        browser.close()


def write(folder: Path, task: Task) -> Key:
    material = named_material(people=4, task=task)
    images = control_images(material, "clean", "blur")
    return write_lineups(material, images, viewers=1, seed=0, folder=folder)


def opened(page: Page, folder: Path) -> list[str]:
    """Open the page and agree; the list gets what goes wrong, and what is asked of a network."""
    noted: list[str] = []
    page.on("pageerror", lambda error: noted.append(str(error)))
    page.route("http*://**", lambda route: noted.append(route.request.url))
    page.goto((folder / "viewer-1" / "lineup.html").as_uri())
    assert "voluntary" in page.inner_text("#start")
    assert page.is_hidden("#asking")
    page.keyboard.press("Enter")  # on "I agree", which has the focus
    return noted


def save(page: Page, folder: Path) -> None:
    with page.expect_download() as download:
        page.keyboard.press("Enter")  # on "Save", which has the focus
    assert download.value.suggested_filename == "answers-1.json"
    download.value.save_as(folder / "answers-1.json")


def test_picks_by_keyboard(page: Page, tmp_path: Path) -> None:
    key = write(tmp_path, "pick")
    noted = opened(page, tmp_path)
    page.keyboard.press("Enter")
    assert page.inner_text("#title") == "Case 1 of 4.", "nobody goes on without a pick"
    for number, case in enumerate(key.viewers[1], start=1):
        assert page.inner_text("#title") == f"Case {number} of 4."
        place = case.candidates.index(case.source) + 1
        page.keyboard.press("1" if place > 1 else "2")
        page.keyboard.press(str(place % 10))
        page.keyboard.press("ArrowRight")
        if number == 2:
            page.reload()  # what was answered is still there
            assert page.inner_text("#title") == "Case 2 of 4."
        if number == 3:
            page.keyboard.press("Backspace")
            assert page.inner_text("#title") == "Case 2 of 4."
            page.keyboard.press("Enter")
        page.keyboard.press("Enter")
    save(page, tmp_path)
    found = score(key, read_answers(tmp_path, key))
    assert [one.right.value for one in found.conditions] == [1, 1]
    assert [one.sure_right for one in found.conditions] == [0.55, 0.55]
    assert noted == []


def test_names_by_keyboard(page: Page, tmp_path: Path) -> None:
    key = write(tmp_path, "name")
    noted = opened(page, tmp_path)
    for number, case in enumerate(key.viewers[1]):
        if number:  # the first is left empty
            page.keyboard.type(case.person.replace("_", " ").lower())
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    save(page, tmp_path)
    answers = read_answers(tmp_path, key)[1]
    assert answers[1].given == ""
    assert {answer.confidence for answer in answers.values()} == {0.45}
    assert sum(one.right.value * one.right.n for one in score(key, {1: answers}).conditions) == 3
    assert noted == []
