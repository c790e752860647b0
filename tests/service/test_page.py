"""The page in a real Chromium, with real networks; skipped where there is no Chromium.

The first test takes a picture of the page. VEILFACE_PICTURES=docs/images puts it into the docs,
with all recognisers that are here; else one is enough.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch.nn.functional as F
from PIL import Image
from skimage import data

from tests.fixtures.serving import served
from veilface.imaging.decode import load_photo
from veilface.imaging.provenance import read_mark
from veilface.imaging.tensors import to_tensor
from veilface.pipeline.crops import FaceFinder
from veilface.service.app import make_app
from veilface.service.networks import Networks

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_PICTURES = os.environ.get("VEILFACE_PICTURES", "")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE = 120_000  # milliseconds, of a machine that is busy with other work


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(make_app(Networks.load(None if _PICTURES else ["sface"], device="cpu"))) as url:
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
    opened.set_default_timeout(_PATIENCE)
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
    """Eileen Collins by NASA, in the public domain."""
    path = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


def drop(page: Page, zone: str, file: Path) -> None:
    """What a browser tells a page when somebody drops a file on it."""
    carried = page.evaluate_handle(
        """([name, data]) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], name));
          return carried;
        }""",
        [file.name, base64.b64encode(file.read_bytes()).decode()],
    )
    page.dispatch_event(zone, "dragover", {"dataTransfer": carried})
    assert "over" in page.evaluate("(zone) => document.querySelector(zone).className", zone)
    page.dispatch_event(zone, "drop", {"dataTransfer": carried})
    assert "over" not in page.evaluate("(zone) => document.querySelector(zone).className", zone)


def saved(page: Page, folder: Path, press: Callable[[], object]) -> Path:
    """The file that is downloaded when somebody presses something."""
    with page.expect_download() as download:
        press()
    path = folder / str(download.value.suggested_filename)
    download.value.save_as(path)
    return path


def test_drop_download_verify(page: Page, photo: Path, tmp_path: Path) -> None:
    drop(page, "#protect .drop", photo)
    page.click("#protect-form button")
    page.wait_for_selector("#protect-result:not([hidden])")
    assert page.evaluate("document.activeElement.textContent") == "The face that people will see"
    for image in ("#before", "#after"):
        assert page.evaluate("(name) => document.querySelector(name).naturalWidth", image) == 512
    assert re.search(r"source: .*sface 0\.\d{3}", page.inner_text("#faces"))
    page.screenshot(path=Path(_PICTURES or tmp_path) / "service.png", full_page=True)

    whole = saved(page, tmp_path, lambda: page.click("#download"))
    before, after = (load_photo(path).pixels for path in (photo, whole))
    changed = (before != after).any(axis=2)
    assert 0.02 < np.mean(changed) < 0.3
    assert not changed[300:].any(), "below the face everything is as it was"
    face = saved(page, tmp_path, lambda: page.click("text=Download face 1"))
    assert read_mark(face) is not None
    seen = to_tensor(load_photo(face).pixels)[None]
    coarse = [F.avg_pool2d(x, 8) for x in (FaceFinder().find(photo).crops[:1], seen)]
    assert (coarse[0] - coarse[1]).abs().mean() > 0.05, "from afar it is somebody else"

    page.click("#tab-verify")
    drop(page, ".drop[data-input=a]", photo)
    drop(page, ".drop[data-input=b]", face)
    page.click("#verify-form button")
    page.wait_for_selector("#verify-result:not([hidden])")
    assert page.inner_text("#decision") == "Match"
    row = page.inner_text("#rows tr:has-text('sface')")
    assert "match (the image was made against it)" in row


def test_a_file_that_is_no_picture(page: Page, photo: Path, tmp_path: Path) -> None:
    text = tmp_path / "me.png"
    text.write_text("This is no photo.\n" * 9)
    drop(page, "#protect .drop", text)
    page.click("#protect-form button")
    page.wait_for_selector("#protect-status.wrong")
    assert "the photo is text, not an image" in page.inner_text("#protect-status")
    assert page.is_hidden("#protect-result")
    page.click("#tab-verify")
    drop(page, ".drop[data-input=a]", photo)
    drop(page, ".drop[data-input=b]", text)
    page.click("#verify-form button")
    page.wait_for_selector("#verify-status.wrong")
    assert "picture B is text, not an image" in page.inner_text("#verify-status")
    drop(page, ".drop[data-input=b]", photo)
    page.click("#verify-form button")
    page.wait_for_selector("#verify-result:not([hidden])")
    assert page.inner_text("#verify-status") == ""
    assert page.inner_text("#decision") == "Match"


def test_a_service_that_is_gone(page: Page, photo: Path) -> None:
    page.route("**/v1/protect", lambda route: route.fulfill(status=502, body="<html>gone</html>"))
    page.set_input_files("#photo", photo)
    page.click("#protect-form button")
    page.wait_for_selector("#protect-status.wrong")
    assert page.inner_text("#protect-status") == "the service cannot be reached"


def test_by_keyboard_alone(page: Page, photo: Path, tmp_path: Path) -> None:
    def focused(what: str = "id") -> str:
        return str(page.evaluate(f"document.activeElement.{what}"))

    def choose(file: Path) -> None:
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(file)

    # Else a key may come before Chromium is told to hand its file choosers over.
    page.on("filechooser", lambda _: None)
    page.keyboard.press("Tab")
    assert focused() == "tab-protect"
    page.keyboard.press("Tab")
    assert focused() == "photo"
    choose(photo)
    page.keyboard.press("Tab")
    assert focused() == "preset"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#protect-result:not([hidden])")
    page.keyboard.press("Tab")
    assert focused("textContent") == "Download face 1"
    face = saved(page, tmp_path, lambda: page.keyboard.press("Enter"))
    while focused() != "tab-protect":
        page.keyboard.press("Shift+Tab")
        assert focused("tagName") != "BODY", "the tabs cannot be reached any more"
    page.keyboard.press("ArrowRight")
    assert focused() == "tab-verify"
    for field, file in (("a", photo), ("b", face)):
        page.keyboard.press("Tab")
        assert focused() == field
        choose(file)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#verify-result:not([hidden])")
    assert focused("textContent") == "Match"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(browser: Browser, address: str, photo: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not there")
    # The page's own policy keeps scripts out, axe's among them.
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(_PATIENCE)
    page.goto(address)

    def look() -> None:
        found = axe.Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []

    look()
    page.set_input_files("#photo", Path(__file__))
    page.click("#protect-form button")
    page.wait_for_selector("#protect-status.wrong")
    look()
    page.set_input_files("#photo", photo)
    page.click("#protect-form button")
    page.wait_for_selector("#protect-result:not([hidden])")
    look()
    page.click("#tab-verify")
    look()
    for field in ("#a", "#b"):
        page.set_input_files(field, photo)
    page.click("#verify-form button")
    page.wait_for_selector("#verify-result:not([hidden])")
    look()
    context.close()
