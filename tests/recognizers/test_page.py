from __future__ import annotations

from tools.build_recognizer_page import GOAL, page
from veilface.recognizers import RECOGNIZERS


def test_the_page_is_up_to_date() -> None:
    text = GOAL.read_text(encoding="utf-8")
    assert text == page(RECOGNIZERS.values()), "run: python tools/build_recognizer_page.py"


def test_every_recogniser_has_its_licence_and_its_files() -> None:
    text = GOAL.read_text(encoding="utf-8")
    for spec in RECOGNIZERS.values():
        assert f"### {spec.name}\n" in text
        assert spec.licence in text
        for file in spec.source.files:
            assert file.member in text
            assert file.sha256 is None or file.sha256 in text
