"""What an outcome says: weak attacks, nulls, and judges that are not uninvolved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from veilface.attacks.run import Outcome
from veilface.attacks.scores import check_uninvolved
from veilface.attacks.victim import Victim
from veilface.errors import AttackError
from veilface.jobs.cache import Job
from veilface.measures.intervals import Estimate, wilson


def outcome(*, ssim: float, matched: int, planted: float | None) -> Outcome:
    null = {"ssim": Estimate(0.4, 0.38, 0.42, 50), "xdr": wilson(0, 50), "source": wilson(0, 50)}
    found = {
        "ssim": Estimate(ssim, ssim - 0.02, ssim + 0.02, 50),
        "xdr": wilson(matched, 50),
        "source": wilson(matched, 50),
    }
    cheat = None if planted is None else Estimate(planted, planted, planted, 50)
    image = torch.zeros(1, 3, 112, 112)
    return Outcome("unet", "trainer", "x", "LFW", "dlib", 1, found, null, cheat, None, {}, image)


def test_an_attack_that_misses_the_cheat_says_that_it_says_nothing() -> None:
    assert "too weak" in outcome(ssim=0.4, matched=0, planted=0.7).verdict[0]
    assert "too weak" not in outcome(ssim=0.4, matched=0, planted=0.95).verdict[0]


def test_an_inversion_that_finds_nobody_in_photos_says_that_it_says_nothing() -> None:
    blind = replace(outcome(ssim=0.4, matched=0, planted=None), unprotected=wilson(1, 50))
    seeing = replace(outcome(ssim=0.4, matched=0, planted=None), unprotected=wilson(30, 50))
    assert "without any protection it recovers nobody" in blind.verdict[0]
    assert "too weak" not in seeing.verdict[0]


def test_a_verdict_counts_intervals_not_points() -> None:
    assert outcome(ssim=0.43, matched=1, planted=None).verdict == (
        "recovers no more than an attacker who knows nothing",
    )
    told = outcome(ssim=0.6, matched=40, planted=None).verdict
    assert len(told) == 3
    assert "another photo of the person" in told[2]


def test_a_document_holds_everything_but_the_images() -> None:
    document = outcome(ssim=0.6, matched=40, planted=0.95).to_dict()
    assert "images" not in document
    assert document["planted"]["value"] == 0.95
    assert document["verdict"]


def test_a_judge_that_was_involved_is_refused(tmp_path: Path) -> None:
    victim = Victim(Job("persona", ("dlib", "sface")), tmp_path)
    check_uninvolved("mobilefacenet", victim, None)
    for judge, attacker in (("dlib", None), ("fr_feature", "fr_feature")):
        with pytest.raises(AttackError, match="--judge"):
            check_uninvolved(judge, victim, attacker)
