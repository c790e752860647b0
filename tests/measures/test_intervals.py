"""Intervals against scipy, by their coverage, and in the corners."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from veilface.errors import ShapeError
from veilface.measures.intervals import (
    mean_over_people,
    rate_over_pairs,
    share_over_people,
    wilson,
)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 400), (379, 400), (400, 400), (3, 8)])
def test_wilson_equals_scipy(k: int, n: int) -> None:
    found = wilson(k, n)
    expected = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (found.value, found.n) == (k / n, n)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(trial: tuple[int, int]) -> None:
    k, n = trial
    found, other = wilson(k, n), wilson(n - k, n)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low == pytest.approx(1 - other.high, abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 3), (4, 3)])
def test_impossible_shares_are_refused(k: int, n: int) -> None:
    with pytest.raises(ShapeError, match=f"{k} in {n} trials"):
        wilson(k, n)


def test_interval_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(3, 2, 900)
    found = mean_over_people(values, seed=1, rounds=2000)
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 30, rel=0.06)
    assert found == mean_over_people(values, seed=1, rounds=2000)
    assert found != mean_over_people(values, seed=2, rounds=2000)
    assert mean_over_people([2.0], seed=0).high == 2


def test_mean_with_an_infinite_value_is_infinite_and_without_numbers_refused() -> None:
    found = mean_over_people([1.0, math.inf], seed=0)
    assert (found.value, found.low, found.high) == (math.inf, 1, math.inf)
    for values in ([], [1.0, math.nan], [[1.0]]):
        with pytest.raises(ShapeError, match="one number a person"):
            mean_over_people(values, seed=0)


def test_a_share_of_everybody_or_nobody_is_in_doubt_all_the_same() -> None:
    assert share_over_people(np.ones(24), seed=0) == wilson(24, 24)
    assert share_over_people(np.zeros(24), seed=0) == wilson(0, 24)
    mixed = np.array([1, 1, 0.5, 1])
    assert share_over_people(mixed, seed=0) == mean_over_people(mixed, seed=0)
    with pytest.raises(ShapeError):
        share_over_people([], seed=0)


def test_rate_counts_pairs_of_different_people_only() -> None:
    matches = np.eye(4, dtype=bool)
    assert rate_over_pairs(matches, seed=0).value == 0
    matches[0, 1] = True
    found = rate_over_pairs(matches, seed=0)
    assert (found.value, found.n) == (1 / 12, 12)
    matches[1, 0] = True  # symmetric now: six unordered pairs, one of which matches
    found = rate_over_pairs(matches, seed=0)
    assert (found.value, found.n) == (1 / 6, 6)
    labelled = rate_over_pairs(np.ones((2, 3), dtype=bool), rows=[7, 9], columns=[7, 8, 9], seed=0)
    assert (labelled.value, labelled.n) == (1, 4)


def test_interval_of_a_rate_has_the_spread_of_repeated_studies() -> None:
    """Half of the people match each other and nobody else: pairs are far from independent."""
    generator = np.random.default_rng(0)
    rates, people = [], 80
    for _ in range(400):
        kind = generator.random(people) < 0.5
        both = kind[:, None] & kind[None, :]
        rates.append((both.sum() - kind.sum()) / (people * (people - 1)))
    kind = np.arange(people) < people // 2
    found = rate_over_pairs(kind[:, None] & kind[None, :], seed=0)
    low, high = np.percentile(rates, [2.5, 97.5])
    assert found.high - found.low == pytest.approx(high - low, rel=0.15)
    assert found.high - found.low > 3 * np.ptp([wilson(780, 3160).low, wilson(780, 3160).high])


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**16))
def test_rate_equals_brute_force_and_lies_in_its_interval(people: int, seed: int) -> None:
    table = np.random.default_rng(seed).random((people, people)) < 0.3
    found = rate_over_pairs(table, seed=seed, rounds=50)
    pairs = [table[i, j] for i in range(people) for j in range(people) if i != j]
    assert found.value == pytest.approx(np.mean(pairs))
    assert found.low <= found.value <= found.high


def test_no_match_is_no_proof_of_none() -> None:
    found = rate_over_pairs(np.zeros((50, 50), dtype=bool), seed=0)
    assert (found.value, found.low, found.n) == (0, 0, 1225)
    assert found.high == pytest.approx(wilson(0, 1225).high)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(N, M\)"):
        rate_over_pairs([True], seed=0)
    with pytest.raises(ShapeError, match="2 and 3 people"):
        rate_over_pairs(np.ones((2, 2), dtype=bool), columns=[1, 2, 3], seed=0)
    with pytest.raises(ShapeError, match="0 trials"):
        rate_over_pairs([[True]], seed=0)
