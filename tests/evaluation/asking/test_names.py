from __future__ import annotations

import pytest

from veilface.evaluation.asking.names import is_named


@pytest.mark.parametrize(
    "answer",
    ["George W Bush", "george w. bush", "  Bush ", "George Bush", "GEORGE WALKER BUSH", "W. Bush"],
)
def test_right(answer: str) -> None:
    assert is_named(answer, "George_W_Bush")


@pytest.mark.parametrize("answer", ["", "George", "Jeb Bush", "Bushman", "Bush George", "?"])
def test_wrong(answer: str) -> None:
    assert not is_named(answer, "George_W_Bush")


def test_diacritics_hyphens_and_apostrophes() -> None:
    assert is_named("jose maria aznar", "José_María_Aznar")
    assert is_named("José Aznar", "Jose_Maria_Aznar")
    assert is_named("Catherine Zeta Jones", "Catherine_Zeta-Jones")
    assert is_named("Shaquille O'Neal", "Shaquille_ONeal")
