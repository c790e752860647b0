from __future__ import annotations

import re
from dataclasses import replace

import pytest

from veilface.evaluation.flags import flags_of
from veilface.evaluation.results import Row
from veilface.measures.intervals import Estimate, wilson

STRANGER = {"ssim": Estimate(0.25, 0.22, 0.28, 50)}


def share(value: float, n: int = 50) -> Estimate:
    return wilson(round(value * n), n)


def row(**changes: Estimate) -> Row:
    """What a good protection scores."""
    measures = {
        "ssim": Estimate(0.2, 0.19, 0.21, 50),
        "link_ncc": share(0),
        "link_hog": share(0.02),
        "link_lbp": share(0),
        "lineup_mean": share(0.1),
        "lineup_ncc": share(0.1),
        "source": share(1),
        "xdr": share(0.92),
        "fmr_pc": share(0.001, 10_000),
        "fmr_pp": share(0.004, 1000),
    } | changes
    return Row("mine", "preset", {}, "sface", ("dlib",), 50, measures, {}, {})


def clean() -> Row:
    like_clean = row(
        ssim=Estimate(1, 1, 1, 50),
        link_ncc=share(1),
        link_hog=share(1),
        link_lbp=share(1),
    )
    return replace(like_clean, protector="clean", kind="control")


def test_a_rate_of_one_pair_is_called_too_small_and_not_a_rate() -> None:
    """Two people: the one pair of protected images matched, and that was called 100 %."""
    small = replace(row(fmr_pp=share(1, 1), fmr_pc=share(0.001, 10_000)), images=2)
    flags = flags_of(small, [clean()], STRANGER)
    assert not any("of the pairs" in flag for flag in flags)
    assert flags[0].startswith("2 images are too few to conclude anything (from 30 on")
    large = flags_of(row(fmr_pp=share(1, 1000)), [clean()], STRANGER)
    assert any("match each other in 100.0% of the pairs" in flag for flag in large)


def test_good_protection_has_no_flag() -> None:
    assert flags_of(row(), [clean()], STRANGER) == ()


@pytest.mark.parametrize(
    ("measures", "words"),
    [
        ({"ssim": Estimate(0.5, 0.45, 0.55, 50)}, "the photo is still there"),
        ({"link_lbp": share(0.3)}, r"\(LBP\) finds the source of 30%"),
        ({"lineup_mean": share(0.5)}, "blurred copies, .* among ten people alike for 50%"),
        ({"lineup_ncc": share(0.5)}, r"\(NCC\) picks the source out of ten"),
        ({"source": share(0.1)}, "the identity is lost"),
        ({"fmr_pp": share(0.3, 1000)}, "match each other in 30.0%"),
        ({"fmr_pc": share(0.05, 1000)}, "somebody else in 5.0%"),
    ],
)
def test_each_rule(measures: dict[str, Estimate], words: str) -> None:
    (flag,) = flags_of(row(**measures), [clean()], STRANGER)
    assert re.search(words, flag)


def test_what_an_interval_does_not_support_is_not_said() -> None:
    few = row(
        ssim=Estimate(0.3, 0.2, 0.4, 4),
        link_ncc=wilson(1, 10),
        source=wilson(1, 3),
        fmr_pp=wilson(1, 40),
    )
    assert flags_of(few, [], STRANGER) == ()


def test_grey_card_shows_no_photo() -> None:
    card = row(ssim=Estimate(0.34, 0.33, 0.35, 50))
    (flag,) = flags_of(card, [], STRANGER)
    assert "SSIM" in flag, "nothing to know it by"
    grey = replace(row(ssim=card.measures["ssim"], source=share(0)), protector="grey")
    assert flags_of(card, [replace(grey, kind="control")], STRANGER) == ()


def test_no_protection_is_the_clean_control() -> None:
    unchanged = replace(clean(), protector="mine", kind="preset")
    flags = flags_of(unchanged, [clean()], STRANGER)
    assert "SSIM, link and matches are those of the control 'clean'" in flags
    assert len(flags) == 5, "and it is flagged by SSIM and by each matcher"
    assert not any("control" in flag for flag in flags_of(clean(), [clean()], STRANGER))
