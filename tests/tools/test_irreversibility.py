"""The page on irreversibility holds what was measured and nothing else."""

from __future__ import annotations

from tests.attacks.test_run import outcome
from tools.irreversibility import page


def test_every_figure_is_that_of_a_document() -> None:
    strong, weak = (
        outcome(ssim=0.6, matched=40, planted=0.95),
        outcome(ssim=0.4, matched=0, planted=0.5),
    )
    text = page([strong.to_dict(), weak.to_dict()])
    assert "### x, 50 people of LFW" in text
    assert "| 0.60 [0.58, 0.62] |" in text
    assert "matched with another photo of the person" in text
    assert "too weak to say anything: of a planted cheat it recovers an SSIM of 0.50" in text
    assert "| knows nothing | null | 0.40 [0.38, 0.42] | - |" in text
    assert page([]).count("###") == 0
