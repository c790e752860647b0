"""From the wanted rate of false identifications to one threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veilface.errors import GalleryError
from veilface.gallery.rule import rule_for
from veilface.gallery.space import Space

RATES = st.floats(1e-9, 1, exclude_max=True)


@given(
    rates=st.lists(RATES, max_size=5, unique=True),
    size=st.integers(0, 10**7),
    fpir=st.floats(1e-6, 1, exclude_max=True),
)
def test_the_rate_in_use_is_the_largest_that_keeps_the_promise(
    rates: list[float], size: int, fpir: float
) -> None:
    space = Space("r", "ab", 8, {rate: 1 - rate for rate in rates})
    rule = rule_for(space, size=size, fpir=fpir)
    allowed = [rate for rate in rates if rate * max(size, 1) <= fpir * (1 + 1e-12)]
    if rule.fmr is None:
        assert rule.threshold is None
        assert rule.decide(1.0) is None
        assert all(rate * max(size, 1) >= fpir * (1 - 1e-12) for rate in rates)
    else:
        assert rule.fmr in allowed
        assert rule.threshold == 1 - rule.fmr
        assert rule.fmr >= max(allowed) * (1 - 1e-12)


def test_the_promise_is_kept_by_scores_that_depend_on_each_other() -> None:
    # Impostor scores of one probe share half of their variance, as those of a probe that looks
    # like everybody do; the threshold is the exact quantile of one comparison.
    draws = np.random.default_rng(0)
    size, searches, fpir = 200, 4000, 0.05
    calibration = draws.normal(size=2_000_000)
    threshold = float(np.quantile(calibration, 1 - fpir / size))
    space = Space("r", "ab", 8, {fpir / size: threshold})
    rule = rule_for(space, size=size, fpir=fpir)
    shared = draws.normal(size=(searches, 1))
    scores = np.sqrt(0.5) * shared + np.sqrt(0.5) * draws.normal(size=(searches, size))
    rate = np.mean([bool(rule.decide(score)) for score in scores.max(axis=1)])
    assert 0 < rate <= fpir + 3 * np.sqrt(fpir / searches)


def test_a_score_at_the_threshold_is_no_match() -> None:
    rule = rule_for(Space("r", "ab", 8, {1e-3: 0.5}), size=1, fpir=0.01)
    assert rule.decide(0.5) is False
    assert rule.decide(0.5001) is True


def test_the_sentences() -> None:
    space = Space("r", "ab", 8, {1e-2: 0.4, 1e-3: 0.5})
    assert str(rule_for(space, size=10, fpir=0.01)) == (
        "a false positive identification rate of 0.01 in 10 comparisons needs a false match rate "
        "of 1.0e-03 each; r is used at 0.001, where a match is above 0.5000"
    )
    assert "calibrated down to 0.001 only, so nothing is decided" in str(
        rule_for(space, size=1000, fpir=0.01)
    )
    assert "is not calibrated" in str(rule_for(Space("r", "ab", 8), size=10, fpir=0.01))


@pytest.mark.parametrize("fpir", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_rates_that_are_none(fpir: float) -> None:
    with pytest.raises(GalleryError, match="above 0 and below 1"):
        rule_for(Space("r", "ab", 8), size=10, fpir=fpir)
