"""The page in a real Chromium; skipped where there is none.

With VEILFACE_PICTURES=docs/images the first test makes the picture in the docs anew, with the
real networks.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.serving import photo_file, served, tiny_app
from veilface.imaging.provenance import read_mark
from veilface.service.app import make_app
from veilface.service.networks import Networks

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_PICTURES = os.environ.get("VEILFACE_PICTURES", "")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = make_app(Networks.load()) if _PICTURES else tiny_app()
    with served(app) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    installed = next(filter(None, map(shutil.which, _BROWSERS)), None)
    with api.sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        except api.Error as error:
            pytest.skip(f"no Chromium to open a page with: {error.message.splitlines()[0]}")
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, which asks nobody else and throws nothing."""
    context = browser.new_context(color_scheme="dark")
    opened = context.new_page()
    opened.set_default_timeout(120_000 if _PICTURES else 30_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "blob:", "data:"))
            else wrong.append(request.url)
        ),
    )
    opened.goto(address)
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "me.png"
    path.write_bytes(photo_file())
    return path


def test_protect_download_verify(page: Page, photo: Path, tmp_path: Path) -> None:
    page.set_input_files("#photo", photo)
    page.click("#protect-form button")
    page.wait_for_selector("#protect-result:not([hidden])")
    assert page.evaluate("document.activeElement.textContent") == "The face that people will see"
    assert page.evaluate("document.getElementById('after').naturalWidth") == 260
    assert re.search(r"source: \w+ -?0\.\d{3}, ", page.inner_text("#faces"))
    if _PICTURES:
        page.screenshot(path=Path(_PICTURES) / "service.png", full_page=True)
    with page.expect_download() as download:
        page.click("#download")
    veiled = tmp_path / download.value.suggested_filename
    download.value.save_as(veiled)
    mark = read_mark(veiled)
    assert mark is not None
    page.click("#tab-verify")
    page.set_input_files("#a", photo)
    page.set_input_files("#b", photo)
    page.click("#verify-form button")
    page.wait_for_selector("#verify-result:not([hidden])")
    assert page.inner_text("#decision") == "Match"
    assert page.locator("#rows tr").count() >= 3


def test_an_error_is_said(page: Page, tmp_path: Path) -> None:
    text = tmp_path / "me.png"
    text.write_text("This is no photo.\n" * 9)
    page.set_input_files("#photo", text)
    page.click("#protect-form button")
    page.wait_for_selector("#protect-status.wrong")
    assert "the photo is text, not an image" in page.inner_text("#protect-status")
    assert page.is_hidden("#protect-result")
    assert page.is_enabled("#protect-form button")


def test_by_keyboard_alone(page: Page, photo: Path) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "tab-protect"
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#verify")
    page.keyboard.press("ArrowLeft")
    assert page.is_visible("#protect")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "photo"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photo)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#protect-result:not([hidden])")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Download face 1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(browser: Browser, address: str, photo: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not there")
    # The page's own policy keeps scripts out, axe's among them.
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(address)
    page.set_input_files("#photo", photo)
    page.click("#protect-form button")
    page.wait_for_selector("#protect-result:not([hidden])")
    for tab in ("#tab-protect", "#tab-verify"):
        page.click(tab)
        found = axe.Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    context.close()
